"""Makes the file of a SavedModel small, by what its functions say twice or at length."""

from collections.abc import Mapping
from itertools import count
from pathlib import Path
from string import ascii_lowercase, digits
from typing import Any

from tensorflow.core.protobuf import saved_model_pb2

from zoo.utils.keras_internals import write_fingerprint

_SIGNS = digits + ascii_lowercase
_SAME = {"Cast", "ConcatV2", "Const", "Pack", "Range", "Reshape", "Shape", "StridedSlice"}
"""Operations of which there are many equal ones; all of them give the same for the same inputs."""
_HINTS = ("_output_shapes", "_gradient_op_type")
"""Attributes that nothing depends on: shapes are inferred, and of gradients none are kept."""


def shrink(folder: Path) -> None:
    """Shorten a SavedModel's functions to less than a half; what they compute stays the same.

    Args:
        folder: where `saved_model.pb` lies; it is written anew, with its fingerprint.
    """
    path, model = folder / "saved_model.pb", saved_model_pb2.SavedModel()
    model.ParseFromString(path.read_bytes())
    for graph in model.meta_graphs:
        for function in graph.graph_def.library.function:
            shrink_function(function)
    path.write_bytes(model.SerializeToString(deterministic=True))
    write_fingerprint(folder)


def shrink_function(function: Any) -> None:
    """Keep one of equal nodes of a `FunctionDef`, and give each a short name; in place."""
    for node in function.node_def:
        node.ClearField("experimental_debug_info")
        for hint in _HINTS:
            node.attr.pop(hint, None)
    while same := _equal(function):
        distinct = [node for node in function.node_def if node.name not in same]
        del function.node_def[:]
        function.node_def.extend(distinct)
        _rename(function, same)
    arguments = {argument.name for argument in function.signature.input_arg}
    free = (name for name in map(_in_letters, count()) if name not in arguments)
    new = {node.name: next(free) for node in function.node_def}
    for node in function.node_def:
        node.name = new[node.name]
    _rename(function, new)


def _equal(function: Any) -> dict[str, str]:
    """Return the names of nodes that do what another one does, each with the name of that one."""
    first: dict[bytes, str] = {}
    same = {}
    for node in function.node_def:
        if node.op in _SAME:
            name, node.name = node.name, ""
            there = first.setdefault(node.SerializeToString(deterministic=True), name)
            node.name = name
            if there != name:
                same[name] = there
    return same


def _rename(function: Any, new: Mapping[str, str]) -> None:
    """Change names of nodes wherever they are referred to.

    They are in the inputs of others (`node:output:0`, `^node`), in what the function gives, and in
    what is to be placed together (`loc:@node`). Its arguments, named likewise, are not in `new`.
    """

    def renamed(tensor: str) -> str:
        control = "^" * tensor.startswith("^")
        node, colon, output = tensor.removeprefix("^").partition(":")
        return control + new.get(node, node) + colon + output

    for node in function.node_def:
        node.input[:] = [renamed(tensor) for tensor in node.input]
        if "_class" in node.attr:
            places = node.attr["_class"].list.s
            together = [place.decode().removeprefix("loc:@") for place in places]
            places[:] = [f"loc:@{new.get(name, name)}".encode() for name in together]
    for ends in (function.ret, function.control_ret):
        for name, tensor in list(ends.items()):
            ends[name] = renamed(tensor)


def _in_letters(number: int) -> str:
    """Return a number in digits and letters.

    Example:
        >>> [_in_letters(number) for number in (0, 35, 36)]
        ['0', 'z', '10']
    """
    rest, sign = divmod(number, len(_SIGNS))
    return (_in_letters(rest) if rest else "") + _SIGNS[sign]
