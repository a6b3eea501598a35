"""Use an exported model where neither the zoo nor Keras is installed: TensorFlow is enough.

    python examples/use_export.py saved_models/demo/char-lstm
    python examples/use_export.py saved_models/demo/digits-cnn picture.png

Without inputs of your own it takes the examples that lie beside the export.
"""

import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# The proof: whatever tries to import one of these here fails.
sys.modules.update(dict.fromkeys(("zoo", "tasks", "keras")))

import numpy as np
import tensorflow as tf


def read(path: Path) -> object:
    if path.suffix == ".npy":
        return np.load(path)
    return path.read_text(encoding="utf-8") if path.suffix == ".txt" else path.read_bytes()


def main(export: str, *files: str) -> None:
    model = tf.saved_model.load(export)
    paths = [Path(file) for file in files]
    for path in paths or sorted(Path(export, "assets.extra", "examples").iterdir()):
        outputs = model.serve(tf.expand_dims(read(path), 0))
        print(f"--- {path.name}")
        print(outputs["text"][0].numpy().decode())


if __name__ == "__main__":
    if len(sys.argv) < 2 or not Path(sys.argv[1]).is_dir():
        sys.exit(__doc__)
    main(*sys.argv[1:])
