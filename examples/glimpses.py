"""A picture read glimpse by glimpse: where the model looks, and what it then takes it for.

    python examples/glimpses.py [PICTURE]

PICTURE shows two digits, bright on dark; an example of the ready-trained model if none is named.
It needs TensorFlow and Pillow only.
"""

import sys
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image

FOLDER = Path(__file__).parents[1] / "saved_models" / "dram-pairs"
EXAMPLE = FOLDER / "assets.extra" / "examples" / "0.png"
GLIMPSES, LABELS = 3, 2

picture = Image.open(sys.argv[1] if len(sys.argv) > 1 else EXAMPLE).convert("L").resize((56, 36))
model = tf.saved_model.load(str(FOLDER))

state = model.encode(tf.constant(np.asarray(picture)[None, :, :, None]))
for label in range(LABELS):
    for _ in range(GLIMPSES):
        # The last part of a state is where the model would look next: any other place will do, too.
        place = state[-1]
        logits, state = model.step(place, state)
        sure = tf.nn.softmax(logits)[0].numpy()
        row, column = (place[0].numpy() + 1) / 2 * [36, 56]
        print(f"at row {row:4.1f}, column {column:4.1f}: {sure.argmax()} ({sure.max():.0%})")
    print(f"label {label + 1}: {sure.argmax()}")
