"""Fine-tuning: what is kept of the model that a run starts from, and what starts anew."""

import numpy as np
import pytest

import zoo
from zoo import UserError
from zoo.api.finetune import take_weights, task_to_go_on
from zoo.catalog.config import RunConfig

TEXT = "The cat sat on the mat, and the cat was näive.\n"
SMALL = {"verbose": False, "epochs": 1, "batch_size": 2, "window": 16, "jit_compile": False}
STILL = {**SMALL, "learning_rate": 1e-30}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("starting")


@pytest.fixture(scope="module")
def base(folder):
    """A language model of a few characters, exported."""
    (folder / "old.txt").write_text(TEXT * 20, encoding="utf-8")
    run = zoo.fit(
        "char-lstm", dataset=str(folder / "old.txt"), runs=folder / "runs", units=16, **SMALL
    )
    return zoo.export(run, folder / "export", metrics=False)


@pytest.fixture(scope="module")
def tuned(base, folder):
    """What fine-tuning starts with, on a text with characters that the model does not know."""
    (folder / "new.txt").write_text("Zwölf Boxkämpfer jagen Viktor!\n" * 30, encoding="utf-8")
    return zoo.fit(
        "char-lstm",
        dataset=str(folder / "new.txt"),
        runs=folder / "runs",
        start_from=base,
        **STILL,
    )


@pytest.mark.slow
def test_new_tokens_come_after_those_that_are_known(base, tuned):
    old = zoo.api.load.config_of(base).task_options["tokens"]
    new = tuned.config.task_options["tokens"]
    assert new[: len(old)] == old
    assert {*new} - {*old} == {*"ZwölfBoxkämpferjagenViktor!"} - {*TEXT}


@pytest.mark.slow
def test_weights_are_kept_and_those_of_new_tokens_are_not_zero(base, tuned):
    old, new = zoo.load(base), zoo.load(tuned)
    grown = 0
    for one, other in zip(old.trainable_variables, new.trainable_variables):
        kept = other.numpy()[tuple(map(slice, one.shape))]
        np.testing.assert_allclose(kept, one, atol=1e-7)
        grown += one.shape != other.shape
    # Embeddings, output weights and their bias.
    assert grown == 3
    rows = new.trainable_variables[0].numpy()[old.trainable_variables[0].shape[0] :]
    assert len(rows) and np.abs(rows).min(axis=1).max() > 0


def test_options_of_the_base_are_kept_and_the_start_is_written_down(base, tuned):
    assert tuned.config.options["units"] == 16
    assert tuned.config.start_from == str(base)


@pytest.mark.slow
def test_a_run_that_was_begun_so_is_resumed(base, tuned):
    again = zoo.resume(tuned, verbose=False, epochs=2)
    assert len(again.metrics_file.read_text().splitlines()) == 3


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("char-rnn", {}, "is of char-lstm, not of char-rnn"),
        ("char-lstm", {"units": 20}, "leave out what changes its sizes"),
        ("char-lstm", {"layers": 2}, "leave out what changes"),
    ],
)
def test_what_does_not_fit_is_refused(base, folder, name, options, said):
    with pytest.raises(UserError, match=said):
        zoo.fit(name, runs=folder / "runs", start_from=base, **SMALL, **options)


def test_other_classes_start_anew():
    base = zoo.create("digits-mlp", classes=3)
    model = zoo.create("digits-mlp", classes=5)
    kernel = np.array(model.variables[-2])
    take_weights(model, base, {"classes": 5})
    for one, other in zip(base.variables[:-2], model.variables):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(model.variables[-2], kernel)


@pytest.mark.slow
def test_fine_tuning_begins_where_the_model_was(base, folder):
    """On its own data, without learning, the figures are those of the model."""
    run = zoo.fit("char-lstm", runs=folder / "runs", start_from=base, **STILL)
    assert zoo.evaluate(run)["loss"] == pytest.approx(zoo.evaluate(base)["loss"], abs=1e-4)


def test_new_texts_are_cut_as_those_were_that_an_older_model_learned_from(tmp_path):
    for name in ("old", "new"):
        (tmp_path / f"{name}.txt").write_text("They don't know.\n" * 20, encoding="utf-8")
    known = {"unit": "word", "tokens": ["don", "t"]}
    old, new = (
        RunConfig("word-lstm", "language_modelling", task_options={**known, "dataset": str(path)})
        for path in (tmp_path / "old.txt", tmp_path / "new.txt")
    )
    tokens = task_to_go_on(new, old).get_config()["tokens"]
    assert tokens[:2] == ["don", "t"] and "don't" not in tokens and "They" in tokens
