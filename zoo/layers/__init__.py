"""What models are built from: `from zoo.layers import LSTM, Attention`."""

from typing import TYPE_CHECKING

from zoo.utils.lazy import lazy_face

if TYPE_CHECKING:
    from zoo.layers.attending import AttendingStack
    from zoo.layers.attention import Attention
    from zoo.layers.bidirectional import Bidirectional
    from zoo.layers.characters import CharacterEncoder
    from zoo.layers.crf import LinearChain
    from zoo.layers.keras_like import GRU, LSTM, RNN, KerasLike
    from zoo.layers.reading import PooledStack
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
    "KerasLike",
    "LinearChain",
    "PooledStack",
    "RecurrentStack",
    "SampledSoftmax",
]
_MODULES = {
    "AttendingStack": "zoo.layers.attending",
    "Attention": "zoo.layers.attention",
    "Bidirectional": "zoo.layers.bidirectional",
    "CharacterEncoder": "zoo.layers.characters",
    "GRU": "zoo.layers.keras_like",
    "KerasLike": "zoo.layers.keras_like",
    "LSTM": "zoo.layers.keras_like",
    "LinearChain": "zoo.layers.crf",
    "PooledStack": "zoo.layers.reading",
    "RNN": "zoo.layers.keras_like",
    "RecurrentStack": "zoo.layers.stack",
    "SampledSoftmax": "zoo.layers.softmax",
}
__getattr__, __dir__ = lazy_face(__name__, lambda: _MODULES)
