import shutil
import subprocess
from pathlib import Path

import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

SOURCE = Path(__file__).parents[3] / "examples" / "use_export.c"


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


def test_a_c_program_gets_the_answers_that_python_gets(program, small_exports):
    export = small_exports["translate-gru-attention"].folder
    model = saved_model_pb2.SavedModel.FromString((export / "saved_model.pb").read_bytes())
    signature = model.meta_graphs[0].signature_def["serving_default"]
    names = [signature.inputs["sources"].name, signature.outputs["text"].name]
    given = [names[0].partition(":")[0], *names[1].split(":"), "Rome sees a dog"]
    done = subprocess.run([program, export, *given], capture_output=True, text=True)
    loaded = tf.saved_model.load(str(export))
    expected = loaded.serve([given[-1]])["text"].numpy()[0].decode()
    assert (done.returncode, done.stdout) == (0, f"{expected}\n"), done.stderr
    assert expected
    given[-1] = "x" * 20_001
    done = subprocess.run([program, export, *given], capture_output=True, text=True)
    assert done.returncode == 1 and "give a shorter one" in done.stderr
