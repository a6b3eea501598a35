import numpy as np
import pytest
import sacrebleu

from zoo.training.objectives.rewards import Bleu, Cider


def _sentences(seed, count):
    """Sentences that share many of their words with each other."""
    draw = np.random.default_rng(seed)
    return [draw.integers(1, 7, draw.integers(1, 9)).tolist() for _ in range(count)]


def _text(tokens):
    return " ".join(map(str, tokens))


def test_bleu_is_that_of_sacrebleu():
    told, first, second = (_sentences(seed, 20) for seed in (1, 2, 3))
    rewards = Bleu()(told, list(zip(first, second)))
    for reward, tokens, truths in zip(rewards, told, zip(first, second)):
        expected = sacrebleu.sentence_bleu(
            _text(tokens), [_text(truth) for truth in truths], tokenize="none"
        )
        assert reward == pytest.approx(expected.score / 100, abs=1e-6)
    assert rewards.max() > 0.3 and len(set(rewards)) > 10


def test_cider_is_that_of_pycocoevalcap():
    scorer = pytest.importorskip("pycocoevalcap.cider.cider_scorer").CiderScorer()
    told, *truths = (_sentences(seed, 30) for seed in range(4))
    references = [list(one) for one in zip(*truths)]
    for tokens, of_one in zip(told, references):
        scorer += (_text(tokens), [_text(truth) for truth in of_one])
    _, expected = scorer.compute_score()
    np.testing.assert_allclose(Cider(references)(told, references), expected, rtol=1e-5, atol=1e-6)
    assert expected.max() > 0.5


def test_what_is_nowhere_else_and_the_same_is_worth_the_most():
    cider = Cider([[[5, 6, 7, 8, 3]], [[9, 4, 5, 6, 3]]])
    truth = [[5, 6, 7, 8, 3]]
    same, alike, shorter, other = cider(
        [*truth, [5, 6, 7, 4, 3], [5, 6, 7, 8], [9, 3]], [truth] * 4
    )
    assert same == pytest.approx(10)
    assert same > shorter > alike > other
