"""Models of series."""

from typing import Any

from zoo.registry import register_model

_TRAINING: dict[str, Any] = {
    "epochs": 16,
    "average_from": 4,
    "batch_size": 32,
    "window": 64,
    "learning_rate": 0.006,
    "optimizer": "adamw",
    "optimizer_config": {"weight_decay": 0.1},
    "patience": 5,
}

register_model(
    "forecast-gru",
    "A GRU over a series: at each step, quantiles of the next values, measured from the naive.",
    architecture="forecaster",
    task="forecasting",
    cell="gru",
    options={"units": 64, "dropout": 0.3},
    training=_TRAINING,
)
register_model(
    "forecast-lstm",
    "An LSTM over a series: at each step, quantiles of the next values, measured from the naive.",
    architecture="forecaster",
    task="forecasting",
    cell="lstm",
    options={"units": 112, "dropout": 0.3},
    training=_TRAINING,
)
register_model(
    "forecast-rnn",
    "A vanilla RNN over a series: at each step, quantiles of the next values.",
    architecture="forecaster",
    task="forecasting",
    cell="vanilla_rnn",
    options={"dropout": 0.3},
    training={**_TRAINING, "learning_rate": 0.002},
)
register_model(
    "forecast-lstm-sampled",
    "Two LSTMs that say how the next value is distributed, and draw paths, value by value.",
    architecture="forecaster",
    task="forecasting",
    cell="lstm",
    options={"head": "student_t", "paths": 100, "units": 64, "layers": 2, "dropout": 0.1},
    training={**_TRAINING, "learning_rate": 0.002},
)
register_model(
    "forecast-segments",
    "A GRU over segments of the last values, and one step for each segment to come, all at once.",
    architecture="forecaster",
    task="forecasting",
    cell="gru",
    options={"encoder": "segments", "dropout": 0.3},
    training={**_TRAINING, "window": 32, "learning_rate": 0.001},
)
register_model(
    "forecast-segrnn",
    "SegRNN as published: a GRU over segments, one step for each segment to come, squared errors.",
    architecture="forecaster",
    task="forecasting",
    cell="gru",
    options={
        "encoder": "segments",
        "head": "mean",
        "base": "last",
        "plain": True,
        "units": 512,
        "segment": 24,
        "dropout": 0.5,
    },
    task_options={"static": ["unique_id"], "quantiles": [0.5]},
    training={
        "epochs": 16,
        "average_from": 4,
        "batch_size": 1792,
        "window": 1,
        "learning_rate": 1e-3,
        "schedule": "staircase",
        "hold": 4,
        "decay": 0.8,
        "clip_norm": 0,
        "patience": 16,
        "selection": "skill",
    },
)
register_model(
    "forecast-linear",
    "A linear map of the last values to quantiles of the next ones: what others must beat.",
    architecture="forecaster",
    task="forecasting",
    options={"encoder": "none"},
    training=_TRAINING,
)
register_model(
    "volatility-gru",
    "A GRU over prices: how the next return is distributed, whose quantiles are value at risk.",
    architecture="forecaster",
    task="forecasting",
    cell="gru",
    dataset="ecb_rates",
    options={"base": "zero", "head": "student_t", "units": 32, "dropout": 0.1},
    task_options={"returns": True, "horizon": 1, "season": 1, "look_back": 60},
    training={**_TRAINING, "learning_rate": 0.004, "window": 200},
)
