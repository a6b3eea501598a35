"""Turns a step function into sequences, in the graph."""

from typing import TYPE_CHECKING

from zoo.utils.lazy import lazy_face

if TYPE_CHECKING:
    from zoo.decoding.beams import Beams, beam_search
    from zoo.decoding.drawing import Decoded, decode, likely
    from zoo.decoding.generation import continued, generate, generating

__all__ = [
    "Beams",
    "Decoded",
    "beam_search",
    "continued",
    "decode",
    "generate",
    "generating",
    "likely",
]
# The options of decoding are checked where TensorFlow is not imported yet.
_LAZY = {
    "Beams": "zoo.decoding.beams",
    "Decoded": "zoo.decoding.drawing",
    "beam_search": "zoo.decoding.beams",
    "continued": "zoo.decoding.generation",
    "decode": "zoo.decoding.drawing",
    "generate": "zoo.decoding.generation",
    "generating": "zoo.decoding.generation",
    "likely": "zoo.decoding.drawing",
}

__getattr__, __dir__ = lazy_face(__name__, lambda: _LAZY)
