"""Models that translate."""

from zoo.registry import register_model

register_model(
    "translate-gru",
    "A GRU encoder, its context vector, and a GRU decoder.",
    architecture="seq2seq",
    task="translation",
    cell="gru",
    options={"embedding": 128, "units": 384},
    training={"epochs": 12, "batch_size": 64, "learning_rate": 0.002, "jit_compile": True},
)
register_model(
    "translate-lstm",
    "An LSTM encoder, its context vector, and an LSTM decoder.",
    architecture="seq2seq",
    task="translation",
    cell="lstm",
    options={"embedding": 128, "units": 384},
    training={"epochs": 12, "batch_size": 64, "learning_rate": 0.002, "jit_compile": True},
)
register_model(
    "translate-gru-attention",
    "A GRU that reads both ways, and a GRU that looks back at what was read (Bahdanau et al.).",
    architecture="seq2seq",
    task="translation",
    cell="gru",
    options={
        "embedding": 256,
        "units": 384,
        "reading": "both",
        "attention": "additive",
        "attention_units": 256,
        "tied": True,
        "dropout": 0.3,
    },
    training={"epochs": 10, "batch_size": 64, "learning_rate": 0.002},
)
register_model(
    "translate-lstm-attention",
    "An LSTM that reads both ways, and an LSTM fed what its attention found (Luong et al.).",
    architecture="seq2seq",
    task="translation",
    cell="lstm",
    options={
        "embedding": 256,
        "units": 384,
        "reading": "both",
        "attention": "multiplicative",
        "tied": True,
        "dropout": 0.3,
    },
    training={"epochs": 10, "batch_size": 64, "learning_rate": 0.002},
)
register_model(
    "translate-lstm-deep",
    "Four LSTM layers on either side with residual connections and attention, as Wu et al. 2016.",
    architecture="seq2seq",
    task="translation",
    cell="lstm",
    options={
        "embedding": 256,
        "units": 256,
        "layers": 4,
        "residual": True,
        "reading": "both",
        "attention": "additive",
        "tied": True,
        "dropout": 0.2,
    },
    training={"epochs": 12, "batch_size": 64, "learning_rate": 0.001},
)
