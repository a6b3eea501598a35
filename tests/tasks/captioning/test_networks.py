import subprocess
import sys

import numpy as np
import pytest

import zoo
from tasks.captioning.task import Captioning
from tasks.common.images import encode_png
from zoo.catalog.config import RunConfig
from zoo.exporting.formats.saved_model import write_saved_model
from zoo.exporting.trained import Trained


@pytest.mark.slow
def test_a_network_sees_each_image_once_and_goes_with_the_export(kaggle, tmp_path, tiny_weights):
    task = Captioning(
        str(kaggle[0]),
        str(tmp_path / "data"),
        image_size=32,
        network="TinyNet",
        weights=tiny_weights,
    )
    task = Captioning(**task.get_config())
    data = task._data("train")
    seen = task._images("train", data)
    assert seen.dtype == np.float16 and seen.shape == (len(data.captions), 4, 4, 6)
    assert np.allclose(seen, task.network.features(data.images), rtol=2e-3, atol=1e-3)
    again = Captioning(**task.get_config())
    again.network.features = None
    assert np.array_equal(again._images("train", data), seen)

    model = zoo.create("caption-lstm", units=8, embedding=8, **task.model_options())
    export = tmp_path / "export"
    write_saved_model(Trained(model, task, RunConfig("caption-lstm", "captioning")), export)
    picture = tmp_path / "picture.png"
    picture.write_bytes(encode_png(np.asarray(data.images[0])))
    said = task.endpoints(model)["serve"]([picture.read_bytes()])["text"][0].numpy().decode()
    code = (
        "import sys; sys.modules.update(dict.fromkeys(('zoo', 'tasks', 'keras')))\n"
        "import tensorflow as tf; model = tf.saved_model.load(sys.argv[1])\n"
        "print(model.serve([open(sys.argv[2], 'rb').read()])['text'][0].numpy().decode())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(export), str(picture)], capture_output=True, text=True
    )
    assert done.stdout.strip("\n") == said, done.stderr[-500:]
