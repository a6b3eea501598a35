"""What models are built from: `from zoo.layers import LSTM, Attention`."""

from typing import TYPE_CHECKING

from zoo.utils.lazy import lazy_face

if TYPE_CHECKING:
    from zoo.layers.attending import AttendingStack
    from zoo.layers.attention import Attention
    from zoo.layers.characters import CharacterEncoder
    from zoo.layers.crf import LinearChain
    from zoo.layers.reading import PooledStack
    from zoo.layers.rnn import (
        GRU,
        LSTM,
        RNN,
        Bidirectional,
        ConvLSTM1D,
        ConvLSTM2D,
        ConvLSTM3D,
        SimpleRNN,
    )
    from zoo.layers.softmax import SampledSoftmax
    from zoo.layers.stack import RecurrentStack

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "AttendingStack",
    "Attention",
    "Bidirectional",
    "CharacterEncoder",
    "ConvLSTM1D",
    "ConvLSTM2D",
    "ConvLSTM3D",
    "LinearChain",
    "PooledStack",
    "RecurrentStack",
    "SampledSoftmax",
    "SimpleRNN",
]
_MODULES = {
    "AttendingStack": "zoo.layers.attending",
    "Attention": "zoo.layers.attention",
    "Bidirectional": "zoo.layers.rnn",
    "CharacterEncoder": "zoo.layers.characters",
    "ConvLSTM1D": "zoo.layers.rnn",
    "ConvLSTM2D": "zoo.layers.rnn",
    "ConvLSTM3D": "zoo.layers.rnn",
    "GRU": "zoo.layers.rnn",
    "LSTM": "zoo.layers.rnn",
    "LinearChain": "zoo.layers.crf",
    "PooledStack": "zoo.layers.reading",
    "RNN": "zoo.layers.rnn",
    "RecurrentStack": "zoo.layers.stack",
    "SampledSoftmax": "zoo.layers.softmax",
    "SimpleRNN": "zoo.layers.rnn",
}
__getattr__, __dir__ = lazy_face(__name__, lambda: _MODULES)
