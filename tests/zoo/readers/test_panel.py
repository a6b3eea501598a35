import pytest

from zoo.readers.modality import modality
from zoo.readers.panel import Movement, Panel


def test_a_panel_says_what_is_made_by_hand():
    assert modality("text").made == "text" and modality("image").made == "picture"
    assert modality("series").made == modality("video").made == ""
    movement = Movement(9, ((0.5, 0.5), (0.2, 0.1)), down_first=True)
    described = Panel("movement", movement, "one stroke").to_json()["movement"]
    assert described["steps"] == 9 and described["points"] == ((0.5, 0.5), (0.2, 0.1))


@pytest.mark.parametrize("wrong", [("song",), ("movement",), ("text", Movement(3))])
def test_a_panel_of_nothing_known_is_refused(wrong):
    with pytest.raises(ValueError, match=r"needed|needs"):
        Panel(*wrong)
