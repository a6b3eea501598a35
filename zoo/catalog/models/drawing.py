"""Models that paint pictures."""

from zoo.registry import register_model

_TRAINING = {"epochs": 200, "batch_size": 64, "learning_rate": 0.003, "patience": 200}

register_model(
    "draw-digits",
    "Painted in ten strokes, read and written through windows of Gaussians (DRAW).",
    architecture="draw",
    task="image_generation",
    cell="lstm",
    training=_TRAINING,
)
register_model(
    "draw-digits-full",
    "Painted in ten strokes, each over the whole picture (DRAW without attention).",
    architecture="draw",
    task="image_generation",
    cell="lstm",
    options={"attention": False},
    training=_TRAINING,
)
register_model(
    "spiral-digits",
    "Painted by a brush in eight strokes, each chosen part by part, learned from reward (SPIRAL).",
    architecture="stroke_policy",
    task="stroke_drawing",
    cell="lstm",
    options={"units": 64},
    training={"epochs": 90, "batch_size": 64, "learning_rate": 0.002, "patience": 90},
)
register_model(
    "spiral-sketch",
    "Painted from nothing by a brush, learned from how real its paintings look together (SPIRAL).",
    architecture="stroke_policy",
    task="sketching",
    cell="lstm",
    options={"units": 64},
    training={"epochs": 300, "batch_size": 128, "learning_rate": 0.001, "patience": 300},
)
