import math

import pytest

from tasks.captioning.metrics import bleu, has_extra, rouge_and_cider

REFERENCES = [["A cat sits on the mat.", "There is a cat on the mat"], ["Two dogs run"]]


def test_bleu_is_the_geometric_mean_of_the_shares_of_ngrams_with_brevity():
    # Counted by hand over both captions: 7 of 8 words, 5 of 6 pairs, 3 of 4 triples, 1 of 2
    # runs of four; 8 words, and the references nearest in length have 6 + 3.
    told = bleu(["the cat sits on the", "two dogs run"], REFERENCES).metrics()
    shares = [7 / 8, 5 / 6, 3 / 4, 1 / 2]
    brevity = math.exp(1 - 9 / 8)
    for order in range(1, 5):
        mean = math.prod(shares[:order]) ** (1 / order)
        assert told[f"bleu{order}"] == pytest.approx(100 * brevity * mean)
    assert "tok:none" in told["bleu_signature"]


def test_case_and_punctuation_do_not_count():
    first = ["a cat sits on the mat", "two dogs run"]
    assert bleu(first, REFERENCES).metrics()["bleu3"] == pytest.approx(100)
    other = bleu(["A cat, sits on the MAT!", "two dogs run."], REFERENCES)
    assert other.metrics() == bleu(first, REFERENCES).metrics()


@pytest.mark.skipif(not has_extra(), reason="pycocoevalcap is an optional extra")
def test_rouge_and_cider_rise_with_likeness():
    same = rouge_and_cider([texts[0] for texts in REFERENCES], REFERENCES).metrics()
    other = rouge_and_cider(["a dog", "two dogs run"], REFERENCES).metrics()
    assert same["rouge_l"] == pytest.approx(1) and 0 < other["rouge_l"] < 1
    assert same["cider"] > other["cider"] > 0
