"""Models of videos, and of sequences of vectors."""

from zoo.registry import register_model

register_model(
    "video-lstm",
    "Convolutions on each frame, an LSTM over the frames, the class after the last.",
    architecture="many_to_one",
    task="video_classification",
    cell="lstm",
    options={"changes": True, "augment": 0.3, "pace": 0.1},
    training={"epochs": 6, "batch_size": 32, "learning_rate": 0.002},
)
register_model(
    "video-gru",
    "Convolutions on each frame, a GRU over the frames, the class after the last.",
    architecture="many_to_one",
    task="video_classification",
    cell="gru",
    options={"changes": True, "augment": 0.3, "pace": 0.1},
    training={"epochs": 6, "batch_size": 32, "learning_rate": 0.002},
)
register_model(
    "video-rnn",
    "Convolutions on each frame, a vanilla RNN over the frames, the mean of its outputs.",
    architecture="many_to_one",
    task="video_classification",
    cell="vanilla_rnn",
    options={"changes": True, "augment": 0.3, "pace": 0.1, "pooling": "mean"},
    training={"epochs": 8, "batch_size": 32, "learning_rate": 0.002},
)
register_model(
    "video-bilstm",
    "Convolutions on each frame, an LSTM from each end, the means of both over the frames.",
    architecture="many_to_one",
    task="video_classification",
    cell="lstm",
    options={
        "changes": True,
        "augment": 0.3,
        "pace": 0.1,
        "bidirectional": True,
        "pooling": "mean",
        "units": 96,
    },
    training={"epochs": 6, "batch_size": 32, "learning_rate": 0.002},
)
register_model(
    "video-gru-attention",
    "Convolutions on each frame, a GRU over the frames, its outputs weighted by attention.",
    architecture="many_to_one",
    task="video_classification",
    cell="gru",
    options={"changes": True, "augment": 0.3, "pace": 0.1, "pooling": "attention"},
    training={"epochs": 6, "batch_size": 32, "learning_rate": 0.002},
)
register_model(
    "video-convlstm",
    "Convolutions on each frame, a convolutional LSTM over their maps, the mean over the frames.",
    architecture="many_to_one",
    task="video_classification",
    cell="conv_lstm",
    options={
        "changes": True,
        "augment": 0.3,
        "pace": 0.1,
        "encoder": "maps",
        "filters": (16, 24),
        "units": 24,
        "pooling": "mean",
    },
    training={"epochs": 6, "batch_size": 32, "learning_rate": 0.004},
)
register_model(
    "video-two-stream",
    "Convolutions on each frame, others on what changed in it, and a GRU over both.",
    architecture="many_to_one",
    task="video_classification",
    cell="gru",
    options={"two_stream": True, "augment": 0.3, "pace": 0.1, "filters": (8, 16, 32)},
    training={"epochs": 4, "batch_size": 32, "learning_rate": 0.002},
)
register_model(
    "sequence-gru",
    "Vectors of sensors or joints through two GRUs, their outputs weighted by attention.",
    architecture="many_to_one",
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
        "two_stream": True,
        "mixed": 128,
    },
    training={"epochs": 30, "batch_size": 32, "learning_rate": 0.003, "patience": 30},
)
register_model(
    "adding-lstm",
    "Numbers and marks through an LSTM; the sum of the two that were marked after the last.",
    architecture="many_to_one",
    task="adding",
    cell="lstm",
    options={"classes": 1, "frame_shape": [2], "encoder": "none", "units": 64},
    training={"epochs": 20, "batch_size": 128, "learning_rate": 0.005, "patience": 20},
)
