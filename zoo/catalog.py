"""Every ready-made model, one entry each. Imports no TensorFlow.

`options` are constructor arguments of the topology, `task_options` of the task, and `training`
fields of `zoo.training.settings.Settings`. What is not said is left at its default. Sizes that
the data decide, such as `vocab_size`, are those of the bundled data set.
"""

from dataclasses import asdict
from typing import Any

from zoo import registry
from zoo.registry import register_model
from zoo.training.settings import Settings

_TIED = {"tied": True, "projection": False, "units": 200, "embedding": 200, "layers": 2}
_ZAREMBA = {
    "batch_size": 20,
    "window": 35,
    "optimizer": "sgd",
    "learning_rate": 1.0,
    "schedule": "staircase",
    "reduction": "row",
    "patience": 100,
}

_TAGGER = {"units": 200, "layers": 2, "widths": [3, 5], "word_dropout": 0.3}
_TAGGING = {
    "epochs": 14,
    "batch_size": 32,
    "learning_rate": 0.003,
    "average_from": 6,
    "patience": 14,
}


def list_models(
    topology: str | None = None,
    task: str | None = None,
    cell: str | None = None,
    name: str | None = None,
) -> list[str]:
    """Names of the models that match all that is given, sorted.

    Args:
        topology: such as "many_to_one".
        task: such as "tagging".
        cell: such as "lstm".
        name: a wildcard, such as "video*".

    Raises:
        UserError: there is no such topology, task or cell.

    Example:
        >>> list_models(topology="one_to_one", name="*-cnn")
        ['digits-cnn']
    """
    for kind, given in (("topology", topology), ("task", task), ("cell", cell)):
        if given is not None:
            registry.get(kind, given)
    return registry.select("model", name, topology=topology, task=task, cell=cell)


def describe(name: str) -> dict[str, Any]:
    """What a model is and all that can be set, with defaults, as plain values.

    Returns:
        `name`, `summary`, `source`, `topology`, `task`, `cell`; and `options` of the model,
        `task_options` and `training`, which `create` and `fit` can override. Sizes that the data
        decide are set by `fit` from the data.

    Raises:
        UserError: there is no such model; the message names the nearest ones.

    Example:
        >>> describe("char-lstm")["topology"]
        'many_to_many'
    """
    entry = registry.get("model", name)
    info = entry.info
    builder = entry if entry.target else registry.get("topology", info["topology"])
    cell = {"cell": info["cell"]} if info.get("cell") else {}
    task = registry.get("task", info["task"]).parameters
    own = {key: value for key, value in task.items() if key not in ("dataset", "data_dir")}
    return {
        "name": name,
        "summary": entry.summary,
        "source": entry.source,
        "topology": info["topology"],
        "task": info["task"],
        "cell": info.get("cell"),
        "options": {**builder.parameters, **info.get("options", {}), **cell},
        "task_options": {**own, **info.get("task_options", {})},
        "training": {**asdict(Settings()), **info.get("training", {})},
    }


register_model(
    "digits-linear",
    "Softmax regression on the pixels.",
    topology="one_to_one",
    task="image_classification",
    options={"encoder": "linear"},
    training={"epochs": 100, "learning_rate": 0.01, "patience": 100},
)
register_model(
    "digits-mlp",
    "One hidden layer of rectified units.",
    topology="one_to_one",
    task="image_classification",
    options={"encoder": "mlp", "units": 256, "dropout": 0.3},
    training={"epochs": 60, "learning_rate": 0.003, "patience": 60},
)
register_model(
    "digits-cnn",
    "Two 3x3 convolutions and a dense layer.",
    topology="one_to_one",
    task="image_classification",
    options={"encoder": "cnn", "dropout": 0.3},
    training={"epochs": 40, "learning_rate": 0.002, "patience": 40},
)

register_model(
    "caption-lstm",
    "Convolutions to a vector v; an LSTM sees it at every word, the output through a gate.",
    topology="one_to_many",
    task="captioning",
    cell="lstm",
    training={"epochs": 10, "batch_size": 64, "learning_rate": 0.002},
)
register_model(
    "caption-rnn",
    "The same through a vanilla RNN.",
    topology="one_to_many",
    task="captioning",
    cell="vanilla_rnn",
    training={"epochs": 10, "batch_size": 64, "learning_rate": 0.002},
)
register_model(
    "caption-lstm-attention",
    "Convolutions to a grid; at every word an LSTM looks at its places (Xu et al.).",
    topology="one_to_many",
    task="captioning",
    cell="lstm",
    options={"attention": "additive", "attention_units": 128, "units": 256},
    training={"epochs": 10, "batch_size": 64, "learning_rate": 0.002},
)

register_model(
    "video-lstm",
    "Convolutions on each frame, an LSTM over the frames, the class after the last.",
    topology="many_to_one",
    task="video_classification",
    cell="lstm",
    training={"epochs": 6, "batch_size": 32, "learning_rate": 0.002},
)
register_model(
    "video-gru",
    "Convolutions on each frame, a GRU over the frames, the class after the last.",
    topology="many_to_one",
    task="video_classification",
    cell="gru",
    training={"epochs": 6, "batch_size": 32, "learning_rate": 0.002},
)
register_model(
    "video-rnn",
    "Convolutions on each frame, a vanilla RNN over the frames, the class after the last.",
    topology="many_to_one",
    task="video_classification",
    cell="vanilla_rnn",
    training={"epochs": 8, "batch_size": 32, "learning_rate": 0.001},
)
register_model(
    "video-bilstm",
    "Convolutions on each frame, an LSTM from each end, the means of both over the frames.",
    topology="many_to_one",
    task="video_classification",
    cell="lstm",
    options={"bidirectional": True, "pooling": "mean", "units": 96},
    training={"epochs": 6, "batch_size": 32, "learning_rate": 0.002},
)
register_model(
    "video-gru-attention",
    "Convolutions on each frame, a GRU over the frames, its outputs weighted by attention.",
    topology="many_to_one",
    task="video_classification",
    cell="gru",
    options={"pooling": "attention"},
    training={"epochs": 6, "batch_size": 32, "learning_rate": 0.002},
)
register_model(
    "video-convlstm",
    "Convolutions on each frame, a convolutional LSTM over their maps, the mean over the frames.",
    topology="many_to_one",
    task="video_classification",
    cell="conv_lstm",
    options={"encoder": "maps", "filters": (16, 24), "units": 24, "pooling": "mean"},
    training={"epochs": 6, "batch_size": 32, "learning_rate": 0.004},
)
register_model(
    "video-two-stream",
    "Convolutions on each frame, others on what changed in it, and a GRU over both.",
    topology="many_to_one",
    task="video_classification",
    cell="gru",
    options={"two_stream": True, "filters": (8, 16, 32)},
    training={"epochs": 4, "batch_size": 32, "learning_rate": 0.002},
)
register_model(
    "sequence-gru",
    "Vectors of sensors or joints through two GRUs, their outputs weighted by attention.",
    topology="many_to_one",
    task="video_classification",
    cell="gru",
    dataset="moving_points",
    options={
        "encoder": "none",
        "frame_shape": [6],
        "units": 96,
        "layers": 2,
        "dropout": 0.2,
        "pooling": "attention",
    },
    training={"epochs": 30, "batch_size": 32, "learning_rate": 0.003, "patience": 30},
)

register_model(
    "rows-lstm",
    "An image read row by row through an LSTM; the class after the last row.",
    topology="many_to_one",
    task="image_classification",
    cell="lstm",
    options={"encoder": "linear", "units": 128, "dropout": 0.15},
    task_options={"sequence": "rows"},
    training={"epochs": 60, "batch_size": 32, "learning_rate": 0.005, "patience": 60},
)
register_model(
    "pixels-gru",
    "An image read pixel by pixel through a GRU; the class after the last pixel.",
    topology="many_to_one",
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

register_model(
    "adding-lstm",
    "Numbers and marks through an LSTM; the sum of the two that were marked after the last.",
    topology="many_to_one",
    task="adding",
    cell="lstm",
    options={"classes": 1, "frame_shape": [2], "encoder": "none", "units": 64},
    training={"epochs": 20, "batch_size": 128, "learning_rate": 0.005, "patience": 20},
)

register_model(
    "char-rnn",
    "The lecture's character model: one vanilla RNN.",
    topology="many_to_many",
    task="language_modelling",
    cell="vanilla_rnn",
    options={"units": 640, "dropout": 0.2},
    training={
        "epochs": 26,
        "batch_size": 16,
        "window": 64,
        "learning_rate": 0.002,
        "jit_compile": True,
    },
)
register_model(
    "char-lstm",
    "Characters through an LSTM.",
    topology="many_to_many",
    task="language_modelling",
    cell="lstm",
    options={"units": 384, "dropout": 0.25},
    training={
        "epochs": 18,
        "batch_size": 16,
        "window": 64,
        "learning_rate": 0.004,
        "jit_compile": True,
    },
)
register_model(
    "char-lstm-shakespeare",
    "Characters through an LSTM of a size for a million of them, such as tiny_shakespeare.",
    topology="many_to_many",
    task="language_modelling",
    cell="lstm",
    options={"units": 640, "dropout": 0.35},
    training={
        "epochs": 10,
        "batch_size": 32,
        "window": 128,
        "learning_rate": 0.002,
        "jit_compile": True,
    },
)
register_model(
    "char-lstm-2",
    "Characters through two stacked LSTMs: h of one feeds the next.",
    topology="many_to_many",
    task="language_modelling",
    cell="lstm",
    options={"units": 256, "layers": 2, "dropout": 0.25},
    training={
        "epochs": 18,
        "batch_size": 16,
        "window": 64,
        "learning_rate": 0.004,
        "jit_compile": True,
    },
)
register_model(
    "word-lstm",
    "Words through an LSTM, input and output weights tied.",
    topology="many_to_many",
    task="language_modelling",
    cell="lstm",
    options={"tied": True, "units": 320, "embedding": 320, "dropout": 0.65},
    task_options={"unit": "word"},
    training={
        "epochs": 36,
        "batch_size": 16,
        "window": 32,
        "learning_rate": 0.003,
        "jit_compile": True,
    },
)
register_model(
    "word-lstm-zaremba-small",
    "Words through two LSTMs of 200, not regularized (Zaremba et al. 2014, arXiv:1409.2329).",
    topology="many_to_many",
    task="language_modelling",
    cell="lstm",
    options={"units": 200, "embedding": 200, "layers": 2, "init_scale": 0.1},
    task_options={"unit": "word"},
    training={**_ZAREMBA, "epochs": 13, "window": 20, "hold": 4, "decay": 0.5, "clip_norm": 5.0},
)
register_model(
    "word-lstm-zaremba-medium",
    "Words through two LSTMs of 650, half of what goes up dropped (as there).",
    topology="many_to_many",
    task="language_modelling",
    cell="lstm",
    options={
        "units": 650,
        "embedding": 650,
        "layers": 2,
        "dropout": 0.5,
        "variational": False,
        "init_scale": 0.05,
    },
    task_options={"unit": "word"},
    training={**_ZAREMBA, "epochs": 39, "hold": 6, "decay": 1 / 1.2, "clip_norm": 5.0},
)
register_model(
    "word-lstm-zaremba-large",
    "Words through two LSTMs of 1500, 65% of what goes up dropped (as there).",
    topology="many_to_many",
    task="language_modelling",
    cell="lstm",
    options={
        "units": 1500,
        "embedding": 1500,
        "layers": 2,
        "dropout": 0.65,
        "variational": False,
        "init_scale": 0.04,
    },
    task_options={"unit": "word"},
    training={**_ZAREMBA, "epochs": 55, "hold": 14, "decay": 1 / 1.15, "clip_norm": 10.0},
)
register_model(
    "word-lstm-pytorch",
    "Words through two LSTMs of 200, tied: PyTorch's word_language_model example.",
    topology="many_to_many",
    task="language_modelling",
    cell="lstm",
    options={
        **_TIED,
        "dropout": 0.2,
        "variational": False,
        # Where torch.nn.LSTM starts: 1 / sqrt(units).
        "init_scale": 200**-0.5,
        "embedding_scale": 0.1,
    },
    task_options={"unit": "word"},
    training={
        "epochs": 6,
        "batch_size": 20,
        "window": 35,
        "optimizer": "sgd",
        "learning_rate": 20.0,
        "schedule": "plateau",
        "decay": 0.25,
        "clip_norm": 0.25,
    },
)
register_model(
    "word-lstm-sampled",
    "Words of a large vocabulary through two LSTMs of 200, tied, trained on a sample of them.",
    topology="many_to_many",
    task="language_modelling",
    cell="lstm",
    options={**_TIED, "dropout": 0.3, "samples": 2048},
    task_options={"unit": "word"},
    # In trials with samples, Adam learned less in as many updates, at three rates.
    training={
        "epochs": 10,
        "batch_size": 20,
        "window": 35,
        "optimizer": "sgd",
        "learning_rate": 20.0,
        "clip_norm": 0.25,
    },
)
register_model(
    "highlight-lstm",
    "Token classes of Python source, character by character, through an LSTM.",
    topology="many_to_many",
    task="tagging",
    cell="lstm",
    options={"units": 160},
    training={
        "epochs": 6,
        "batch_size": 32,
        "window": 64,
        "learning_rate": 0.004,
        "jit_compile": True,
    },
)
register_model(
    "highlight-gru",
    "Token classes of Python source, character by character, through a GRU.",
    topology="many_to_many",
    task="tagging",
    cell="gru",
    options={"units": 160},
    training={
        "epochs": 6,
        "batch_size": 32,
        "window": 64,
        "learning_rate": 0.004,
        "jit_compile": True,
    },
)
register_model(
    "tagger-bilstm",
    "Words and their characters through two LSTMs from both ends.",
    topology="many_to_many_bidirectional",
    task="sequence_labelling",
    cell="lstm",
    options=_TAGGER,
    task_options={"longest_word": 16},
    training={**_TAGGING, "label_smoothing": 0.05},
)
register_model(
    "tagger-bilstm-crf",
    "The same, and a conditional random field, which looks at the tags as a whole.",
    topology="many_to_many_bidirectional",
    task="sequence_labelling",
    cell="lstm",
    options={**_TAGGER, "crf": True},
    task_options={"longest_word": 16},
    training=_TAGGING,
)

register_model(
    "translate-gru",
    "A GRU encoder, its context vector, and a GRU decoder.",
    topology="seq2seq",
    task="translation",
    cell="gru",
    options={"embedding": 128, "units": 384},
    training={"epochs": 12, "batch_size": 64, "learning_rate": 0.002, "jit_compile": True},
)
register_model(
    "translate-lstm",
    "An LSTM encoder, its context vector, and an LSTM decoder.",
    topology="seq2seq",
    task="translation",
    cell="lstm",
    options={"embedding": 128, "units": 384},
    training={"epochs": 12, "batch_size": 64, "learning_rate": 0.002, "jit_compile": True},
)
register_model(
    "translate-gru-attention",
    "A GRU that reads both ways, and a GRU that looks back at what was read (Bahdanau et al.).",
    topology="seq2seq",
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
    training={"epochs": 10, "batch_size": 64, "learning_rate": 0.001},
)
register_model(
    "translate-lstm-attention",
    "An LSTM that reads both ways, and an LSTM fed what its attention found (Luong et al.).",
    topology="seq2seq",
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
    training={"epochs": 10, "batch_size": 64, "learning_rate": 0.001},
)
register_model(
    "translate-lstm-deep",
    "Four LSTM layers on either side with residual connections and attention, as Wu et al. 2016.",
    topology="seq2seq",
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

register_model(
    "text-lstm",
    "Words through an LSTM, the largest of its outputs so far: the class after each word.",
    topology="many_to_one_text",
    task="text_classification",
    cell="lstm",
    options={"pooling": "max", "dropout": 0.2, "word_dropout": 0.05},
    training={"epochs": 12, "batch_size": 64, "learning_rate": 0.004, "patience": 3},
)
register_model(
    "text-bilstm-attention",
    "Words through an LSTM from each end, their outputs weighted by attention.",
    topology="many_to_one_text",
    task="text_classification",
    cell="lstm",
    options={
        "bidirectional": True,
        "pooling": "attention",
        "units": 96,
        "dropout": 0.2,
        "word_dropout": 0.05,
    },
    training={"epochs": 12, "batch_size": 64, "learning_rate": 0.004, "patience": 3},
)
