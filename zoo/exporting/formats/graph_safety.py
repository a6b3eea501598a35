"""Looks a SavedModel's graph through before it is run: it may compute, and nothing else."""

import re
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import saved_model_pb2

from zoo.errors import UserError
from zoo.utils.keras_internals import has_state

_HARMLESS = {
    "Assert",
    "AssignVariableOp",
    "Case",
    "HashTableV2",
    "If",
    "LookupTableFindV2",
    "LookupTableImportV2",
    "LookupTableSizeV2",
    "Multinomial",
    "RandomStandardNormal",
    "RandomUniform",
    "RandomUniformInt",
    "ReadVariableOp",
    "StatefulPartitionedCall",
    "TensorArrayGatherV3",
    "TensorArrayReadV3",
    "TensorArrayScatterV3",
    "TensorArraySizeV3",
    "TensorArrayV3",
    "TensorArrayWriteV3",
    "VarHandleOp",
    "VarIsInitializedOp",
    "While",
}
"""Operators with a state that hold or compute numbers and texts."""

_HARMFUL = re.compile(r"File|Reader|Dataset|Proto|Py|Custom|Xla|T[Pp][Uu]|Debug|Copy|Host|^_")
"""Names of operators without a state that may read or write files, call Python, or reach devices
by themselves: `ReadFile`, `MatchingFiles`, `SnapshotDatasetV2`, `DecodeProtoV2`."""

_OF_SAVING = re.compile(r"__inference__traced_(save|restore)_\d+")


def check_graph(path: Path) -> None:
    """Refuse a SavedModel that does more than compute.

    What it may use up in time and memory is not looked at.

    Args:
        path: the folder of the SavedModel.

    Raises:
        UserError: it is damaged; or an operator is not known to be harmless, such as one that reads
            or writes files.
    """
    model = saved_model_pb2.SavedModel()
    try:
        model.ParseFromString((path / "saved_model.pb").read_bytes())
        (graph,) = model.meta_graphs
    except (DecodeError, OSError, ValueError) as error:
        raise UserError(
            f"the export {path} is damaged: its graph cannot be read; export the run again"
        ) from error
    if not graph.HasField("object_graph_def"):
        raise UserError(f"{path} is refused: it is a SavedModel of TensorFlow 1")
    operators, functions = _operators(graph)
    for operator in sorted(operators):
        stateful = has_state(operator)
        if stateful is None and operator in functions:
            continue
        safe = operator in _HARMLESS if stateful else not _HARMFUL.search(operator)
        if stateful is None or not safe:
            raise UserError(
                f"{path} is refused: its graph has the operator {operator!a}, which may do more "
                "than compute; if you trust who made it, `tf.saved_model.load` runs it"
            )


def _operators(graph: Any) -> tuple[set[str], set[str]]:
    """Return the operators in all functions but those that only saving would run, and functions.

    TensorFlow puts two functions beside a model that write and read its checkpoint; loading runs
    neither, as no object has them.
    """
    functions = {each.signature.name: each for each in graph.graph_def.library.function}
    waiting = [*graph.object_graph_def.concrete_functions]
    waiting += [
        name
        for name, function in functions.items()
        # A function may be put in the place of another that says it implements the same.
        if not _OF_SAVING.fullmatch(name) or "api_implements" in function.attr
    ]
    seen: set[str] = set()
    operators: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in seen or name not in functions:
            continue
        seen.add(name)
        for node in functions[name].node_def:
            operators.add(node.op)
            for attribute in node.attr.values():
                match attribute.WhichOneof("value"):
                    case "func":
                        waiting.append(attribute.func.name)
                    case "list":
                        waiting += [each.name for each in attribute.list.func]
        waiting += operators & functions.keys()
    return operators, {*functions}
