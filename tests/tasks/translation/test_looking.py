import numpy as np
import pytest
import tensorflow as tf

import zoo
from tasks.common.text import END, UNKNOWN
from tasks.translation.task import Translation
from zoo.catalog.config import RunConfig
from zoo.errors import UserError
from zoo.exporting.formats.saved_model import write_saved_model
from zoo.exporting.trained import Trained
from zoo.topologies.base import SequenceModel


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("pairs") / "cats.tsv"
    path.write_text("".join(f"{n} cats\t{n} chats\n" for n in range(40)), encoding="utf-8")
    return path


class Copier:
    """Looks at one place after the other, says `<unk>` of each, and ends."""

    attends, steps_from = True, SequenceModel.steps_from

    def encode(self, source):
        lengths = tf.math.count_nonzero(source, axis=1, dtype=tf.int32)
        return {"lengths": lengths, "place": tf.fill(tf.shape(lengths), -1), "source": source}

    def step(self, tokens, state):
        place = state["place"] + 1
        said = tf.where(place < state["lengths"], UNKNOWN, END)
        return tf.one_hot(said, 40, 50.0, 0.0), {**state, "place": place}

    def alignment(self, state):
        return tf.one_hot(state["place"], tf.shape(state["source"])[1])


@pytest.fixture(scope="module", params=["word", pytest.param("subword", marks=pytest.mark.slow)])
def copying(file, request):
    """A task, and the copier as its model."""
    options = {"lowercase": True, "vocabulary_size": 30}
    task = Translation(str(file), unit=request.param, **options)
    return task, Copier()


def test_a_translation_is_told_token_by_token_up_to_its_end(copying):
    task, model = copying
    told = list(task.written_answer(model, "cats"))
    length = len(task.source.encode(tf.constant(["cats"])).to_list()[0])
    assert [token.text for token in told] == ["<unk>"] * length + ["<end>"]
    assert all(token.likely[0] == (token.text, pytest.approx(1.0)) for token in told)


@pytest.mark.slow
def test_unknown_tokens_are_copied_from_where_the_model_looks(copying):
    task, model = copying
    told = task.served(model)["serve"](tf.constant(["Ärger in Łódź", "cats"]))
    # As no target starts with a capital letter, none is set; what is copied keeps its own.
    assert [text.decode() for text in told["text"].numpy()] == ["Ärger in Łódź", "cats"]
    assert task.search.no_repeat_ngram and task.search.beam_width == 5
    long = "Ä Ö Ü ß Ł ó Ó Ź"
    answer = task.served(model)["serve"](tf.constant([long]))
    assert answer["text"].numpy()[0].decode() == long, "unknown tokens do not repeat each other"
    count = told["source_tokens"].shape[1]
    assert told["alignment"].numpy()[0].tolist() == np.eye(count).tolist()
    assert told["target_tokens"].numpy()[0][-1].decode().endswith("ź")
    assert told["target_tokens"].numpy()[1][-1] == b""


@pytest.mark.slow
@pytest.mark.parametrize("copying", ["word"], indirect=True)
def test_a_report_shows_what_each_token_looked_at(copying):
    task, model = copying
    shown = task.show(model, "25 cats")
    assert shown.startswith('<p class="text">25 cats</p>')
    assert 'style="--weight:1.000" title="cats ← cats: 100%"' in shown
    assert 'style="--weight:0.000" title="cats ← 2: 0%"' in shown
    assert "<b>" not in task.show(model, "25 <b>")


@pytest.mark.parametrize("copying", ["word"], indirect=True)
def test_the_picture_of_a_translation_has_a_row_a_token_and_a_column_a_source_token(copying):
    task, model = copying
    axes = task.plot(model, "25 cats").axes[0]
    for labels in (axes.get_xticklabels(), axes.get_yticklabels()):
        assert [label.get_text() for label in labels] == ["2", "5", "cats"]
    assert axes.images[0].get_array().tolist() == np.eye(3).tolist()


class Silent(Copier):
    """Ends at once, whatever it is shown."""

    def step(self, tokens, state):
        outputs, state = super().step(tokens, state)
        return tf.one_hot(tf.fill(tf.shape(outputs)[:1], END), 40), state


@pytest.mark.slow
def test_a_model_that_says_nothing_has_a_picture_that_says_so(file):
    task, model = Translation(str(file), vocabulary_size=30), Silent()
    answer = task.served(model)["serve"](tf.constant(["cats", "2 cats"]))
    assert [*answer["text"].numpy()] == [b"", b""]
    assert answer["target_tokens"].shape == [2, 0] and answer["alignment"].shape[:2] == [2, 0]
    assert task.plot(model, "cats").axes[0].get_title() == "no words"


@pytest.mark.slow
def test_a_model_that_attends_tells_what_it_looked_at_in_an_export_too(file, tmp_path):
    task = Translation(str(file), lowercase=True, beam_width=2, max_length=6)
    model = zoo.create(
        "translate-gru-attention", units=6, embedding=4, attention_units=4, **task.model_options()
    )
    trained = Trained(model, task, RunConfig("translate-gru-attention", "translation"))
    write_saved_model(trained, tmp_path / "export")
    served = tf.saved_model.load(str(tmp_path / "export"))
    sources = tf.constant(["25 cats", "7", "dogs 3"])
    found, expected = served.serve(sources), trained.endpoints["serve"](sources)
    searched = served.generate(sources, beam_width=2)
    assert set(found) == {"text", "alignment", "source_tokens", "target_tokens"}
    for key in found:
        if key == "alignment":
            assert np.allclose(found[key], expected[key], atol=1e-6)
        else:
            assert found[key].numpy().tolist() == expected[key].numpy().tolist()
        assert found[key].numpy().tolist() == searched[key].numpy().tolist()
    rows, columns = found["target_tokens"].shape[1], found["source_tokens"].shape[1]
    assert found["alignment"].shape == [3, rows, columns]
    assert np.allclose(found["alignment"].numpy()[0].sum(axis=1)[:1], 1)
    assert served.generate(sources, max_length=3)["target_tokens"].shape[1] <= 3


def test_a_model_without_attention_has_no_alignment_to_draw(file):
    task = Translation(str(file))
    model = zoo.create("translate-gru", units=4, embedding=4, **task.model_options())
    with pytest.raises(UserError, match="choose a model with attention"):
        task.plot(model, "25 cats")
