import pytest

from tasks.common.searching import Search, faults, shortest_run
from zoo.errors import UserError


def test_only_a_run_that_texts_hardly_hold_twice_is_barred():
    once, twice = [5, 6, 7, 8, 9], [5, 6, 7, 5, 6, 7]
    assert shortest_run([once] * 99 + [twice], 3) == 3
    assert shortest_run([once] * 98 + [twice] * 2, 3) == 4
    assert shortest_run([once], 12) == 12
    assert shortest_run([[4] * 100], 3) == 0, "no run is short enough"


def test_answers_that_repeat_themselves_or_do_not_end_are_counted():
    texts = ["", "One two three!", "one TWO three, one two three", "一只狗和一只狗", "no no no no"]
    shares = faults(texts, [True, True, True, False, True]).metrics()
    assert shares == {"repeating": pytest.approx(3 / 5), "unended": pytest.approx(1 / 5)}


@pytest.mark.parametrize("wrong", [(0, 1.0, 0), (65, 1.0, 0), (1, -1.0, 0), (1, 1.0, -1)])
def test_a_search_out_of_range_is_refused(wrong):
    with pytest.raises(UserError, match="is needed"):
        Search(*wrong)


def test_the_card_says_how_answers_were_searched():
    assert Search(5, 0.6, 0).sentence("words") == (
        "Answers were found by a beam search of width 5, with a length penalty of 0.6."
    )
    assert (
        Search(1, 1.0, 12).sentence("characters").endswith("No 12 characters in a row come twice.")
    )
