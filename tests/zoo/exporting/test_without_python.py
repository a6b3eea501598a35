import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import tensorflow as tf

ROOT = Path(__file__).parents[3]
SOURCE = ROOT / "examples" / "use_export.c"


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """The C program, built as it says itself."""
    assert shutil.which("gcc"), "there is no gcc, which this proof needs: install one"
    made, library = tmp_path_factory.mktemp("c") / "use_export", tf.sysconfig.get_lib()
    flags = [f"-I{library}/include", f"-L{library}", f"-Wl,-rpath,{library}"]
    links = ["-l:libtensorflow_cc.so.2", "-l:libtensorflow_framework.so.2"]
    strict = ["-Wall", "-Wextra", "-Werror"]
    subprocess.run(["gcc", *strict, SOURCE, "-o", made, *flags, *links], check=True)
    return made


def run(program, *given):
    return subprocess.run([program, *given], cwd=ROOT, capture_output=True, text=True)


@pytest.mark.slow
def test_a_c_program_gets_the_answers_that_python_gets(program, small_exports):
    # A model that was never trained may translate to nothing; a class always has a name.
    export = small_exports["text-lstm"].folder
    done = run(program, export, "serving_default", "Rome sees a dog")
    loaded = tf.saved_model.load(str(export))
    expected = loaded.serve(["Rome sees a dog"])["text"].numpy()[0]
    assert expected in (b"one", b"two", b"three")
    assert (done.returncode, done.stdout) == (0, f"{expected.decode()}\n"), done.stderr
    done = run(program, export, "serving_default", "x" * 20_001)
    assert done.returncode == 1 and "give a shorter one" in done.stderr


@pytest.mark.slow
def test_the_documented_line_runs_as_it_stands(program):
    texts = [path.read_text(encoding="utf-8") for path in (SOURCE, ROOT / "docs" / "serving.md")]
    (line,) = {line for text in texts for line in re.findall(r"\./use_export (.*)", text)}
    folder, signature, prompt = shlex.split(line)
    loaded = tf.saved_model.load(str(ROOT / folder))
    expected = loaded.signatures[signature](tf.constant([prompt]))["text"].numpy()[0]
    done = run(program, folder, signature, prompt)
    assert (done.returncode, done.stdout) == (0, f"{expected.decode()}\n"), done.stderr


@pytest.mark.slow
def test_a_signature_that_there_is_not_is_named(program, small_exports):
    export = small_exports["text-lstm"].folder
    for signature, lacks in (("nothing", "nothing"), ("step", "text")):
        done = run(program, export, signature, "Rome")
        assert done.returncode == 1
        assert done.stderr.endswith(f"{lacks}: the model has none of this name\n"), done.stderr
