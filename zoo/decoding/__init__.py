"""Turning a step function into sequences, in the graph."""

from zoo.decoding.beams import Beams, beam_search
from zoo.decoding.drawing import Decoded, decode, likely
from zoo.decoding.generation import OPTIONS, generate

__all__ = ["OPTIONS", "Beams", "Decoded", "beam_search", "decode", "generate", "likely"]
