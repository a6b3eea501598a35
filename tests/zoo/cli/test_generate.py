"""`zoo generate`: what is printed, and what is refused at once."""

import io
import json
import subprocess
import sys

import pytest

import zoo as public
from zoo.decoding.options import SamplingOptions

COMMAND = [sys.executable, "-c", "from zoo import cli; cli.main()", "generate"]


@pytest.fixture(scope="module")
def writer(tmp_path_factory):
    """A run of a small language model that has seen little."""
    folder = tmp_path_factory.mktemp("writer")
    (folder / "text.txt").write_text("Ä cat sat on the mat, and the cat was näive.\n" * 20)
    return public.fit(
        "char-lstm", dataset=str(folder / "text.txt"), runs=folder, verbose=False,
        epochs=1, batch_size=2, window=16, units=16, jit_compile=False,
    )  # fmt: skip


@pytest.mark.slow
def test_the_text_is_printed_and_the_options_count(zoo, writer):
    options = {"length": 40, "temperature": 1.5, "top_k": 9, "top_p": 0.95, "seed": 3}
    flags = [f"--{key.replace('_', '-')}={value}" for key, value in options.items()]
    code, out, err = zoo("generate", writer.path, "--prompt", "The cät", *flags)
    text = "".join(public.generate(writer, "The cät", **options))
    assert (code, out, err) == (0, text + "\n", "")
    code, out, _ = zoo("generate", writer.path, "--prompt", "The cät", *flags, "--json")
    assert code == 0 and json.loads(out) == {"prompt": "The cät", "text": text, **options}


def test_without_a_prompt_the_model_begins(zoo, writer):
    code, out, _ = zoo("generate", writer.path, "--length", 10)
    assert code == 0 and len(out) == 11


@pytest.mark.slow
def test_a_prompt_comes_from_standard_input_or_a_file(zoo, writer, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("Ä\n".encode())))
    _, piped, _ = zoo("generate", writer.path, "--prompt", "-", "--length", 5)
    (tmp_path / "prompt.txt").write_text("Ä\n", encoding="utf-8")
    _, read, _ = zoo("generate", writer.path, "--prompt", tmp_path / "prompt.txt", "--length", 5)
    assert piped == read and piped.startswith("Ä\n") and len(piped) == 8


def refused(answer, *said):
    code, out, err = answer
    assert code == 2 and out == "" and err.startswith("error: ") and err.count("\n") == 1
    for words in said:
        assert words in err


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--temperature=-0.1", "temperature is -0.1, but 0 or more"),
        ("--temperature=inf", "temperature is inf"),
        ("--temperature=nan", "temperature is nan"),
        ("--top-k=-1", "top_k is -1, but 0 or more"),
        ("--top-p=0", "top_p is 0.0, but more than 0 and at most 1"),
        ("--top-p=1.01", "top_p is 1.01"),
        ("--top-p=nan", "top_p is nan"),
        ("--length=0", "length is 0, but 1 or more"),
        ("--length=many", "--length"),
        ("--seed=-1", "--seed"),
    ],
)
def test_a_value_out_of_range_is_named(zoo, option, said):
    refused(zoo("generate", "runs/none", option), said)


def test_a_run_that_writes_no_text_is_refused(zoo, run, export, tmp_path):
    refused(zoo("generate", tmp_path / "none"), "there is no folder", "zoo fit")
    refused(zoo("generate", run.path), "ImageClassification", "such as char-lstm")
    refused(zoo("generate", export), "ImageClassification", "such as char-lstm")


def test_standard_input_that_is_no_text_is_refused(zoo, writer, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"caf\xe9 au lait")))
    refused(zoo("generate", writer.path, "--prompt", "-"), "standard input is not UTF-8", "byte 3")


def test_a_mistake_is_told_before_tensorflow_is_imported(writer):
    code = (
        "import sys; from zoo import cli\n"
        "sys.argv = ['zoo', 'generate', sys.argv[1], '--top-p=2']\n"
        "try: cli.main()\n"
        "except SystemExit as end: assert end.code == 2, end.code\n"
        "assert not {'tensorflow', 'keras', 'numpy'} & set(sys.modules)"
    )
    command = [sys.executable, "-c", code, str(writer.path)]
    subprocess.run(command, check=True, capture_output=True)


def test_ctrl_c_ends_it_without_a_word(zoo, writer, monkeypatch):
    def interrupted(*_, **__):
        yield "The cat"
        raise KeyboardInterrupt
        yield " sat"

    monkeypatch.setattr("zoo.api.generate.generate", interrupted)
    assert zoo("generate", writer.path) == (130, "The cat\n", "")


@pytest.mark.slow
def test_a_closed_pipe_ends_it_without_a_word(writer):
    # Endless, so that what is read has come while it was written.
    command = [*COMMAND, str(writer.path), "--length", str(2**31 - 1)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert len(process.stdout.read(100)) == 100
    process.stdout.close()
    assert process.stderr.read() == b"" and process.wait() in (0, 1)


def test_a_seed_is_two_numbers_of_32_bits():
    seeds = [0, 1, 2**31 - 1, 2**31, 2**32 - 1]
    numbers = [SamplingOptions(seed=seed).seeds for seed in seeds]
    assert numbers == [(0, 0), (1, 0), (2**31 - 1, 0), (-(2**31), 0), (-1, 0)]
