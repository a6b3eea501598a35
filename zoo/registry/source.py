"""The classes and functions of a source file, read without importing it."""

import ast
import importlib.util
import re
from collections.abc import Iterator
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any


def source_file(module: str) -> Path:
    """Return where a module lies, found without importing the packages above it.

    Raises:
        ImportError: there is no such module.
    """
    top, *below = module.split(".")
    name, spec = top, importlib.util.find_spec(top)
    for part in below:
        name = f"{name}.{part}"
        spec = spec and PathFinder.find_spec(name, spec.submodule_search_locations)
    if spec is None or spec.origin is None:
        raise ImportError(f"there is no module {module}")
    return Path(spec.origin)


def defaults_of(node: ast.ClassDef | ast.FunctionDef, tree: ast.Module) -> dict[str, Any]:
    """Return the arguments that have a default, read from the source.

    Those of a class are its `__init__`'s, or its fields where it is a dataclass; what a base has,
    which may be in another file, comes first.
    """
    functions = [node] if isinstance(node, ast.FunctionDef) else node.body
    for function in functions:
        if isinstance(function, ast.FunctionDef) and function.name in ("__init__", node.name):
            arguments = function.args
            named = arguments.args[len(arguments.args) - len(arguments.defaults) :]
            pairs = zip(
                [*named, *arguments.kwonlyargs], [*arguments.defaults, *arguments.kw_defaults]
            )
            return {a.arg: _literal(default) for a, default in pairs if default is not None}
    defaults: dict[str, Any] = {}
    for base in getattr(node, "bases", ()):
        if isinstance(base, ast.Name) and (place := find_class(base.id, tree)):
            defaults |= defaults_of(*place)
    if any("dataclass" in ast.unparse(line) for line in node.decorator_list):
        defaults |= {
            line.target.id: _literal(line.value)
            for line in functions
            if isinstance(line, ast.AnnAssign)
            and isinstance(line.target, ast.Name)
            and line.value is not None
            and "ClassVar" not in ast.unparse(line.annotation)
        }
    return defaults


def find_class(name: str, tree: ast.Module) -> tuple[ast.ClassDef, ast.Module] | None:
    """Return the class of that name that a file has or imports, and the file; None for neither."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            return node, tree
        names = node.names if isinstance(node, ast.ImportFrom) and not node.level else ()
        if name in (alias.name for alias in names):
            try:
                path = source_file(node.module)  # type: ignore[attr-defined]
            except ImportError:
                return None
            return find_class(name, ast.parse(path.read_text(encoding="utf-8")))
    return None


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None


def fields_of(address: str) -> dict[str, Any]:
    """Return the fields of a dataclass with their defaults.

    Args:
        address: `"module:class"`.

    Example:
        >>> fields_of("zoo.training.settings:Settings")["optimizer"]
        'adam'
    """
    place = _class_at(address)
    return defaults_of(*place) if place else {}


def meanings(address: str) -> dict[str, str]:
    """Return what the fields of a dataclass mean, declared as `Annotated[type, ..., meaning]`.

    Args:
        address: `"module:class"`; what is not found there means nothing.

    Example:
        >>> meanings("zoo.training.settings:Settings")["optimizer"]
        'name of a Keras optimizer.'
    """
    place = _class_at(address)
    return dict(_meanings(*place)) if place else {}


def argument_meanings(address: str) -> dict[str, str]:
    """Return what the arguments of a class mean, as "Args:" of its docstring says.

    Args:
        address: `"module:class"`; what is not found there means nothing.

    Example:
        >>> argument_meanings("tasks.common.base:DataTask")["data_dir"]
        'folder of prepared data sets.'
    """
    place = _class_at(address)
    text = (place and ast.get_docstring(place[0])) or ""
    _, _, rest = text.partition("\nArgs:\n")
    # Up to the next line that begins where "Args:" does.
    section = re.split(r"\n(?=\S)", rest, maxsplit=1)[0]
    return {
        name: " ".join(meaning.split())
        for name, meaning in re.findall(
            r"^ {4}(\w+): (.*(?:\n {5,}.*)*)", section, flags=re.MULTILINE
        )
    }


def _meanings(node: ast.ClassDef, tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield the names and the meanings of the fields, those of the bases first."""
    for base in node.bases:
        if isinstance(base, ast.Name) and (place := find_class(base.id, tree)):
            yield from _meanings(*place)
    for line in node.body:
        match line:
            case ast.AnnAssign(
                target=ast.Name(name),
                annotation=ast.Subscript(value=ast.Name("Annotated"), slice=ast.Tuple(parts)),
            ):
                texts = [each.value for each in parts if isinstance(each, ast.Constant)]
                yield name, " ".join(text for text in texts if isinstance(text, str))


def _class_at(address: str) -> tuple[ast.ClassDef, ast.Module] | None:
    """Return the class at `"module:class"`, and its file; None where there is none to read."""
    module, _, name = address.partition(":")
    try:
        text = source_file(module).read_text(encoding="utf-8")
    except (ImportError, OSError, ValueError):
        return None
    return find_class(name, ast.parse(text))
