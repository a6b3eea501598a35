"""Models that tag what is in a text, and say of which class it is."""

from zoo.registry import register_model

_HIGHLIGHTING = {
    "epochs": 6,
    "batch_size": 32,
    "window": 64,
    "learning_rate": 0.004,
    "jit_compile": True,
}
_TAGGER = {"units": 200, "layers": 2, "widths": [3, 5], "word_dropout": 0.3}
_TAGGING = {
    "epochs": 14,
    "batch_size": 32,
    "learning_rate": 0.003,
    "average_from": 6,
    "patience": 14,
}
_CLASSIFYING = {"epochs": 12, "batch_size": 64, "learning_rate": 0.004, "patience": 3}

register_model(
    "highlight-lstm",
    "Token classes of Python source, character by character, through an LSTM.",
    architecture="many_to_many",
    task="tagging",
    cell="lstm",
    options={"units": 160},
    training=_HIGHLIGHTING,
)
register_model(
    "highlight-gru",
    "Token classes of Python source, character by character, through a GRU.",
    architecture="many_to_many",
    task="tagging",
    cell="gru",
    options={"units": 160},
    training=_HIGHLIGHTING,
)
register_model(
    "tagger-bilstm",
    "Words and their characters through two LSTMs from both ends.",
    architecture="many_to_many_bidirectional",
    task="sequence_labelling",
    cell="lstm",
    options=_TAGGER,
    task_options={"longest_word": 16},
    training={**_TAGGING, "label_smoothing": 0.05},
)
register_model(
    "tagger-bilstm-crf",
    "The same, and a conditional random field, which looks at the tags as a whole.",
    architecture="many_to_many_bidirectional",
    task="sequence_labelling",
    cell="lstm",
    options={**_TAGGER, "crf": True},
    task_options={"longest_word": 16},
    training=_TAGGING,
)
register_model(
    "text-lstm",
    "Words through an LSTM, the largest of its outputs so far: the class after each word.",
    architecture="many_to_one_text",
    task="text_classification",
    cell="lstm",
    options={"pooling": "max", "dropout": 0.2, "word_dropout": 0.05},
    training=_CLASSIFYING,
)
register_model(
    "text-bilstm-attention",
    "Words through an LSTM from each end, their outputs weighted by attention.",
    architecture="many_to_one_text",
    task="text_classification",
    cell="lstm",
    options={
        "bidirectional": True,
        "pooling": "attention",
        "units": 96,
        "dropout": 0.2,
        "word_dropout": 0.05,
    },
    training=_CLASSIFYING,
)
