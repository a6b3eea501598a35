"""A text that is read while it is written is the text that is written at once."""

import numpy as np
import pytest
import tensorflow as tf

import zoo
from tasks.language_modelling.spacing import flow, spaced
from tasks.language_modelling.task import LanguageModelling
from zoo.decoding.options import SamplingOptions

TEXT = 'The cät sat on a mat.\nThe dög\'s (a "big" one) sat on 猫 the “cat”, too. 🐈\n' * 8
SMALL = {"epochs": 1, "batch_size": 2, "window": 16, "units": 16, "jit_compile": False}


@pytest.fixture(scope="module")
def text_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("text") / "cats.txt"
    path.write_text(TEXT, encoding="utf-8")
    return str(path)


@pytest.fixture(scope="module", params=["character", "word"])
def made(request, text_file):
    """A task, a model with strong opinions, and the endpoint that writes a text at once."""
    task = LanguageModelling(text_file, unit=request.param)
    model = zoo.create("char-lstm", units=16, layers=2, **task.model_options())
    model.set_weights([3 * weight for weight in model.get_weights()])
    return task, model, task.endpoints(model)["generate"]


def at_once(generate, prompt, sampling):
    (text,) = generate(
        prompts=tf.constant([prompt]),
        max_length=tf.constant(sampling.length),
        temperature=tf.constant(sampling.temperature),
        top_k=tf.constant(sampling.top_k),
        top_p=tf.constant(sampling.top_p),
        seed=tf.constant(sampling.seeds),
    )["text"].numpy()
    return text.decode()


@pytest.mark.parametrize(
    ("prompt", "sampling"),
    [
        pytest.param(
            "",
            SamplingOptions(length=8, temperature=1.5, seed=2**32 - 1),
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "猫 (",
            SamplingOptions(length=61, temperature=3.0, seed=7),
            marks=pytest.mark.slow,
        ),
        ('"never seen: ß\n', SamplingOptions(64, 2.0, top_k=9, top_p=0.9, seed=2**31)),
    ],
)
def test_the_stream_is_the_text_of_one_call(made, prompt, sampling):
    task, model, generate = made
    parts = list(task.stream(model, prompt, sampling))
    assert "".join(parts) == at_once(generate, prompt, sampling) != prompt
    assert all(parts)


def test_a_stream_is_read_while_it_is_written(made):
    task, model, _ = made
    parts = task.stream(model, "The", SamplingOptions(length=2**31 - 1, temperature=2.0))
    assert next(parts) == "The"
    assert 0 < len(next(parts)) < 300


def test_one_likely_token_is_the_greedy_text(made):
    _, _, generate = made
    greedy = at_once(generate, "The", SamplingOptions(length=30, temperature=0.0))
    assert at_once(generate, "The", SamplingOptions(30, temperature=2.0, top_k=1)) == greedy
    assert at_once(generate, "The", SamplingOptions(30, temperature=2.0, top_p=1e-9)) == greedy
    assert at_once(generate, "The", SamplingOptions(30, temperature=2.0)) != greedy


WORDS = [
    "a",
    "b",
    "s",
    "t",
    "'",
    '"',
    '"',
    ",",
    ".",
    "(",
    ")",
    "[",
    "\n",
    "é",
    "猫",
    "犬",
    "。",
    "3",
    "ก",
    "น้ำ",
]


@pytest.mark.parametrize("before", ["", "x", "x ", 'say "', "("])
def test_words_that_flow_are_spaced_as_the_whole(before):
    draw = np.random.default_rng(1)
    for _ in range(60):
        words = list(draw.choice(WORDS, 30))
        cuts = sorted(draw.choice(np.arange(1, 30), draw.integers(1, 12), replace=False))
        pieces = [" ".join(part) for part in np.split(words, cuts)]
        whole = spaced([before], [" ".join(words)]).numpy()[0].decode()
        assert "".join(flow(before, pieces)) == whole


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        ("the cat , too", ["x", " the", " cat", ",", " too"]),
        ("( a ) \n b", ["x", " (", "a", ")", "\n", "b"]),
        ("cat ' s mat", ["x", " cat", "'s mat"]),
        ("cat ' no", ["x", " cat", " ' no"]),
        ('a " b c " d', ["x", " a", ' "', 'b c"', " d"]),
        ('a " b \n d', ["x", " a", ' "', " b\n", "d"]),
    ],
)
def test_words_wait_only_where_their_spacing_may_change(words, parts):
    assert list(flow("x", words.split(" "))) == parts


def test_a_quotation_that_does_not_end_is_not_waited_for_long():
    late = [" ".join(["word"] * 8)] * 100
    parts = flow("x", ['"', *late])
    assert next(parts) == "x" and next(parts) == ' "'
    assert len(next(parts)) < 300
    assert "".join(flow("x", ['"', *late, '"'])) == 'x " ' + " ".join(late) + ' "'


@pytest.mark.slow
def test_a_run_writes_and_its_seed_decides_what(text_file, tmp_path):
    run = zoo.fit("char-lstm", dataset=text_file, runs=tmp_path, verbose=False, **SMALL)

    def text(**options):
        return "".join(zoo.generate(run, "The ", length=30, **options))

    once = text(seed=1)
    assert once == text(seed=1) != text(seed=2)
    assert len(once) == 34 and once.startswith("The ")
    loaded = tf.saved_model.load(str(zoo.export(run, tmp_path / "export", metrics=False)))
    assert at_once(loaded.generate, "The ", SamplingOptions(30, top_k=4, seed=9)) == text(
        top_k=4, seed=9
    )
