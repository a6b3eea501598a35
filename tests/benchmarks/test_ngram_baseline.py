import importlib.util
import json
import math
import sys
from pathlib import Path
from pydoc_data.topics import topics

import pytest

from tasks.language_modelling.dataset import read_documents

PATH = Path(__file__).parents[2] / "benchmarks" / "ngram_baseline.py"
TRAIN = ["the cat sat on the mat.\n" * 3 + "a cat and a dog sat.\n", "the dog ate the cat.\n"]


@pytest.fixture(scope="module")
def baseline():
    spec = importlib.util.spec_from_file_location("ngram_baseline", PATH)
    module = importlib.util.module_from_spec(spec)
    sys.modules["ngram_baseline"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules["ngram_baseline"]


@pytest.mark.parametrize("order", [1, 2, 5])
@pytest.mark.parametrize("context", ["", "t", "the ", "xyz", "zzzthe", "on th"])
def test_probabilities_sum_to_one(baseline, order, context):
    vocabulary = [*sorted(set("".join(TRAIN))), "<unk>"]
    model = baseline.KneserNey(TRAIN, vocabulary, order)
    assert sum(model.probability(t, context) for t in vocabulary) == pytest.approx(1)


def test_bigram_equals_the_values_computed_by_hand(baseline):
    # Bigrams: <s>a, ab, ba, aa, ac. Too few for estimates, so the discounts are 0.5, 1 and 1.5.
    # Unigrams count the distinct tokens before: a 3 (<s>, b, a), b 1, c 1; freed 1.5 + 2 * 0.5.
    model = baseline.KneserNey(["abaac"], vocabulary="abc", order=2)
    p_a = (3 - 1.5) / 5 + 2.5 / 5 / 3
    p_b = (1 - 0.5) / 5 + 2.5 / 5 / 3
    assert model.probability("a", "") == pytest.approx(p_a)
    assert model.probability("b", "c") == pytest.approx(p_b), "c was never followed"
    assert model.probability("b", "a") == pytest.approx((1 - 0.5) / 3 + 1.5 / 3 * p_b)
    assert model.probability("a", "b") == pytest.approx((1 - 0.5) / 1 + 0.5 * p_a)
    assert model.probability("b", "b") == pytest.approx(0.5 * p_b)
    first, then = 0.5 + 0.5 * p_a, (1 - 0.5) / 3 + 1.5 / 3 * p_b
    assert model.negative_log_likelihood("ab") == pytest.approx(-math.log(first * then))


def test_discounts_follow_chen_and_goodman(baseline):
    counts = [1] * 8 + [2] * 4 + [3] * 2 + [4] * 1 + [9]
    assert baseline.estimate_discounts(counts) == pytest.approx((0.5, 1.25, 2.0))


@pytest.mark.parametrize("unit", ["character", "word"])
def test_longer_contexts_help(baseline, unit):
    documents = read_documents(topics)
    one, two, three = (
        baseline.measure(documents[:20], documents[20:25], unit, order)["perplexity"]
        for order in (1, 2, 3)
    )
    assert one > two > three


def test_every_token_is_counted_and_rare_words_are_unknown(baseline):
    result = baseline.measure(["a a b"], ["a b", "zebra\n"], "word", order=2)
    assert result["vocabulary"] == 2
    assert result["tokens"] == 4
    assert result["unknown"] == 0.75
    assert math.log2(result["perplexity"]) == pytest.approx(result["bits"])


def test_command_prints_json(baseline, tmp_path, monkeypatch, capsys):
    arguments = ["ngram_baseline.py", "--unit", "word", "--order", "2", "--json"]
    monkeypatch.setattr(sys, "argv", [*arguments, "--data-dir", str(tmp_path)])
    baseline.main()
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert result["order"] == 2
    assert 50 < result["perplexity"] < 150


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--order", "0", "--order is 0; pass 1 or more"),
        ("--dataset", "no_such_data", "no data set is named no_such_data; pass"),
        ("--dataset", "mnist", "mnist has the features image, label; pass"),
    ],
)
def test_bad_options_get_one_line(baseline, monkeypatch, capsys, option, value, message):
    monkeypatch.setattr(sys, "argv", ["ngram_baseline.py", option, value])
    with pytest.raises(SystemExit) as error:
        baseline.main()
    assert error.value.code == 2
    assert message in capsys.readouterr().err
