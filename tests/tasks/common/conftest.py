import json
import subprocess
import sys

import pytest
import tensorflow as tf

ENCODE = """
import json, sys
for name in ("sentencepiece", "keras", "tasks", "zoo"):
    sys.modules[name] = None
import tensorflow as tf
_, folder, text = sys.argv
print(json.dumps(tf.saved_model.load(folder).encode(tf.constant([text])).numpy().tolist()))
"""


@pytest.fixture
def encode_elsewhere(tmp_path):
    """The ids of a text by an export of a tokenizer, in a process that has TensorFlow alone."""

    def encode(tokenizer, text):
        module = tf.Module()
        module.tokenizer = tokenizer
        spec = tf.TensorSpec([None], tf.string)
        module.encode = tf.function(lambda text: tokenizer.encode(text).to_tensor(), [spec])
        tf.saved_model.save(module, str(tmp_path / "export"))
        command = [sys.executable, "-c", ENCODE, str(tmp_path / "export"), text]
        done = subprocess.run(command, capture_output=True, check=True, text=True)
        return json.loads(done.stdout)

    return encode
