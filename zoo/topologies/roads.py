"""The five topologies: how sequences go in and come out. Imports no TensorFlow."""

from zoo.registry import register_topology

register_topology("one_to_one", "One input to one answer.")
register_topology("one_to_many", "One input to a sequence, which is written step by step.")
register_topology("many_to_one", "A sequence to one answer, after its last step.")
register_topology("many_to_many", "A sequence to an answer at each of its steps.")
register_topology("seq2seq", "A sequence that is read whole to another, written step by step.")
