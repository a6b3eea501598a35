"""Models of images, and of what is to be said about them."""

from zoo.registry import register_model

_DRAM = {
    "batch_size": 64,
    "learning_rate": 0.002,
    "sigma": 0.2,
    "subtract": "others",
    "jit_compile": True,
}

register_model(
    "digits-linear",
    "Softmax regression on the pixels.",
    architecture="one_to_one",
    task="image_classification",
    options={"encoder": "linear"},
    training={"epochs": 100, "learning_rate": 0.01, "patience": 100},
)
register_model(
    "digits-mlp",
    "One hidden layer of rectified units.",
    architecture="one_to_one",
    task="image_classification",
    options={"encoder": "mlp", "units": 256, "dropout": 0.3},
    training={"epochs": 60, "learning_rate": 0.003, "patience": 60},
)
register_model(
    "digits-cnn",
    "Two 3x3 convolutions and a dense layer.",
    architecture="one_to_one",
    task="image_classification",
    options={"encoder": "cnn", "dropout": 0.3},
    training={"epochs": 40, "learning_rate": 0.002, "patience": 40},
)
register_model(
    "ram-digits",
    "A retina of two scales looks at three places of a digit, and learns from reward where.",
    architecture="recurrent_attention",
    task="image_classification",
    cell="lstm",
    objective="reinforce",
    options={"glimpses": 3, "glimpse_size": 4, "scales": 2},
    training={
        "epochs": 60,
        "batch_size": 64,
        "learning_rate": 0.003,
        "patience": 60,
        "jit_compile": True,
    },
)
register_model(
    "ram-scattered",
    "A retina of three scales finds a digit in a larger picture, and learns from reward how.",
    architecture="recurrent_attention",
    task="image_classification",
    cell="lstm",
    objective="reinforce",
    dataset="scattered_digits/cluttered",
    options={"glimpses": 6, "glimpse_size": 12, "scales": 3, "glimpse_units": 256, "units": 192},
    training={
        "epochs": 80,
        "batch_size": 64,
        "learning_rate": 0.002,
        "patience": 80,
        "jit_compile": True,
    },
)
register_model(
    "dram-pairs",
    "A retina finds two digits in a picture, and names them from left to right.",
    architecture="deep_recurrent_attention",
    task="transcription",
    cell="lstm",
    training={**_DRAM, "epochs": 45, "patience": 45},
)
register_model(
    "dram-sequence",
    "A retina finds one to three digits in a picture, and names them up to their end.",
    architecture="deep_recurrent_attention",
    task="transcription",
    cell="lstm",
    dataset="digit_sequences/up_to_3",
    training={**_DRAM, "epochs": 30, "patience": 30, "centre_weight": 0.01},
)
register_model(
    "dram-sum",
    "A retina finds two digits in a picture, and names what they are together.",
    architecture="deep_recurrent_attention",
    task="transcription",
    cell="lstm",
    dataset="digit_sequences/sum",
    options={"glimpses": 6},
    training={**_DRAM, "epochs": 30, "patience": 30, "centre_weight": 0.01},
)
register_model(
    "caption-lstm",
    "Convolutions to a vector v; an LSTM sees it at every word, the output through a gate.",
    architecture="one_to_many",
    task="captioning",
    cell="lstm",
    training={"epochs": 10, "batch_size": 64, "learning_rate": 0.002},
)
register_model(
    "caption-rnn",
    "The same through a vanilla RNN.",
    architecture="one_to_many",
    task="captioning",
    cell="vanilla_rnn",
    training={"epochs": 20, "batch_size": 64, "learning_rate": 0.001},
)
register_model(
    "caption-lstm-attention",
    "Convolutions to a grid; at every word an LSTM looks at its places (Xu et al.).",
    architecture="one_to_many",
    task="captioning",
    cell="lstm",
    options={
        "attention": "additive",
        "attention_units": 128,
        "units": 256,
        # A scene has fewer things than places: most places need not be looked at.
        "doubly_stochastic": 0.1,
    },
    training={"epochs": 10, "batch_size": 64, "learning_rate": 0.002},
)
register_model(
    "rows-lstm",
    "An image read row by row through an LSTM; the class after the last row.",
    architecture="many_to_one",
    task="image_classification",
    cell="lstm",
    options={"encoder": "linear", "units": 128, "dropout": 0.15},
    task_options={"sequence": "rows"},
    training={"epochs": 60, "batch_size": 32, "learning_rate": 0.005, "patience": 60},
)
register_model(
    "pixels-gru",
    "An image read pixel by pixel through a GRU; the class after the last pixel.",
    architecture="many_to_one",
    task="image_classification",
    cell="gru",
    options={"encoder": "linear", "units": 128},
    task_options={"sequence": "pixels"},
    training={
        "epochs": 40,
        "batch_size": 32,
        "learning_rate": 0.005,
        "label_smoothing": 0.1,
        "patience": 40,
    },
)
