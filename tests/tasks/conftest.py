import pytest


@pytest.fixture(scope="session")
def check_measured():
    """That each figure lies in its interval, and that the answer of the data is right."""

    def check(task, model, settings):
        told = task.measure(model, "test", settings)
        score, ends = told.metrics(), told.intervals()
        assert {key for key, value in score.items() if not isinstance(value, str)} == set(ends)
        for key, (low, high) in ends.items():
            assert low <= score[key] <= high, key
        cases = task.cases(4)
        assert cases and all(
            case.is_right is None or case.is_right(case.expected) for case in cases
        )
        card = task.data_card()
        assert {"name", "version", "licence", "description"} <= set(card)
        return score, cases, card

    return check
