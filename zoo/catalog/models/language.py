"""Models that continue texts."""

from zoo.registry import register_model

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

register_model(
    "char-rnn",
    "The lecture's character model: one vanilla RNN.",
    architecture="many_to_many",
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
    architecture="many_to_many",
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
    architecture="many_to_many",
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
    architecture="many_to_many",
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
    architecture="many_to_many",
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
    architecture="many_to_many",
    task="language_modelling",
    cell="lstm",
    options={"units": 200, "embedding": 200, "layers": 2, "init_scale": 0.1},
    task_options={"unit": "word"},
    training={**_ZAREMBA, "epochs": 13, "window": 20, "hold": 4, "decay": 0.5, "clip_norm": 5.0},
)
register_model(
    "word-lstm-zaremba-medium",
    "Words through two LSTMs of 650, half of what goes up dropped (as there).",
    architecture="many_to_many",
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
    architecture="many_to_many",
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
    architecture="many_to_many",
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
    architecture="many_to_many",
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
