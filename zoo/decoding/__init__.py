"""Turning a step function into sequences, in the graph."""

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
