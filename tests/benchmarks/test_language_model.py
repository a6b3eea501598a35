import gzip
import time

import pytest

from benchmarks import turns
from benchmarks.language_model import rows, spaced
from benchmarks.word_files import encode, number_words, read_words


def test_every_line_ends_in_one_eos(tmp_path):
    (tmp_path / "train.txt").write_text(" = A = \n\nb  <unk> c\n")
    with gzip.open(tmp_path / "valid.txt.gz", "wt") as packed:
        packed.write("naïve\nlast")
    assert read_words(tmp_path, "train") == [*"=A=", "<eos>", "<eos>", "b", "<unk>", "c", "<eos>"]
    assert read_words(tmp_path, "valid") == ["naïve", "<eos>", "last", "<eos>"]
    with pytest.raises(FileNotFoundError, match=r"test\.txt"):
        read_words(tmp_path, "test")


def test_words_that_training_does_not_have_are_unknown():
    numbers = number_words(["a", "b", "a", "<eos>"])
    assert numbers == {"a": 0, "b": 1, "<eos>": 2, "<unk>": 3}
    assert encode(["b", "c", "a"], numbers) == [1, 3, 0]


def test_the_exported_text_reads_as_the_words_that_the_zoo_splits(tmp_path):
    text = 'A "del" statement:\n\n   del x[0]'
    (tmp_path / "test.txt").write_text(spaced([text], known=set('A"del:x[]') | {"del"}))
    expected = 'A " del " <unk> : <eos> <eos> del x [ <unk> ] <eos>'
    assert read_words(tmp_path, "test") == expected.split()


def test_the_first_steps_are_not_counted_and_the_others_stand_for_them(monkeypatch):
    now = iter([100.0, 150.0, 150.0 + 30.0])
    monkeypatch.setattr(time, "perf_counter", lambda: next(now))
    clock = turns.Clock(turns.WARM + 20)
    for _ in range(turns.WARM + 20):
        clock.step()
    assert clock.figures() == {"seconds": turns.WARM * 1.5 + 30.0, "first": 50.0}


def test_a_row_an_epoch_and_one_for_the_test():
    zoo = [{"epoch": 1, "seconds": 2.0, "valid": 30.0}, {"test": 29.0}]
    torch = [{"epoch": 1, "seconds": 3.0, "valid": 31.0}, {"test": 30.5}]
    assert rows({"zoo": zoo, "torch": torch}) == [
        [1, "2.0", "3.0", "1.50", "30.00", "31.00"],
        ["test", "", "", "", "29.00", "30.50"],
    ]
    assert rows({"zoo": zoo})[0] == [1, "2.0", "", "", "30.00", ""]


class TestTorch:
    @pytest.fixture
    def side(self):
        torch = pytest.importorskip("torch")
        from benchmarks import torch_language_model

        # Several threads of OpenMP wait for each other long where other tests have the cores.
        before = torch.get_num_threads()
        torch.set_num_threads(1)
        yield torch_language_model
        torch.set_num_threads(before)

    def test_weights_of_zero_give_every_word_the_same_chance(self, side):
        import torch

        model = side.LanguageModel(vocabulary=23, units=4)
        torch.nn.init.zeros_(model.embedding.weight)
        assert side.perplexity(model, torch.arange(23), before=0) == pytest.approx(23, rel=1e-5)

    def test_evaluation_predicts_every_word_from_all_before_it(self, side, monkeypatch):
        import torch

        torch.manual_seed(1)
        model, words = side.LanguageModel(vocabulary=11, units=6), torch.arange(10)
        whole = side.perplexity(model, words, before=10)
        monkeypatch.setattr(side, "EVALUATION_WINDOW", 3)
        assert side.perplexity(model, words, before=10) == pytest.approx(whole, rel=1e-5)
        model.eval()
        scores, _ = model(torch.tensor([10, *range(9)])[:, None])
        picked = scores[torch.arange(10), 0, words]
        assert whole == pytest.approx(torch.exp(-picked.mean()).item(), rel=1e-5)

    def test_an_epoch_learns_what_follows_what(self, side):
        import torch

        torch.manual_seed(1)
        model = side.LanguageModel(vocabulary=5, units=16, dropout=0.0)
        words = torch.arange(403) % 5
        streams = side.parallel_streams(words, 2)
        assert streams.shape == (201, 2)
        assert streams[:, 1].tolist() == words[201:402].tolist()
        steps = side.windows_in(streams, 7)
        assert steps == 29, "28 windows of 7 and one of 4 predict 200 words"
        losses = [side.train_epoch(model, streams, 7, 4.0, turns.Clock(steps)) for _ in range(6)]
        assert losses[-1] < 0.5 * losses[0]
