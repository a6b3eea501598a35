"""What a modality is: all that depends on whether inputs are texts, pictures, videos or numbers."""

import abc
import shlex
from collections.abc import Hashable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any, ClassVar

import numpy as np

from zoo import registry
from zoo.errors import UserError


class Modality(abc.ABC):
    """How inputs of one kind are read, streamed, kept as examples and told apart.

    One is registered with `@register("modality", name)` and offered under the entry-point group
    `zoo.modalities`; a task names it as its `input_kind`. A *raw* input is what an export's `serve`
    takes a batch of: a str, bytes or an array. Imports no TensorFlow.

    Attributes:
        name: under which it is registered.
        unit: what one step of a stream is called, such as "frame"; "" where the part of the input
            that a prediction is of stands for itself.
        dtype: of a raw input, by TensorFlow's name.
        shape: of a raw input; None is of any size.
        axes: of one input that a person hands in as an array; 0 where it is no array. An array
            with one more is a batch.
        made: how a person makes one by hand on a page, see `zoo.readers.panel.Panel`; "" if not.
    """

    unit: ClassVar[str] = "step"
    dtype: ClassVar[str]
    shape: ClassVar[tuple[int | None, ...]]
    axes: ClassVar[int] = 0
    made: ClassVar[str] = ""

    def __init__(self, name: str) -> None:
        self.name = name

    @abc.abstractmethod
    def read(self, source: Any, **options: Any) -> Any:
        """Read one raw input.

        Args:
            source: what a person hands in: a str as typed, which may be a path; a `Path`; the bytes
                of a file; or an array.
            **options: of the task, see `zoo.task.Task.input_options`.

        Raises:
            UserError: it is missing, empty, damaged or of another kind.
        """

    def inputs(self, source: Any, **options: Any) -> list[Any]:
        """Return the inputs that a source stands for, each as `read` takes it; here, itself.

        Raises:
            UserError: as `read`.
        """
        return [source]

    def with_horizon(self, steps: int, goes_on: bool, **options: Any) -> dict[str, Any]:
        """Return the options of forecasts of so many steps.

        Args:
            steps: how many.
            goes_on: whether the model forecasts more steps than it was fitted for.
            **options: of the task.

        Raises:
            UserError: it has not so many, or forecasts nothing.
        """
        raise UserError(f"horizon is for models of series, but this one takes {self.name}")

    def answer(self, source: Any, outputs: dict[str, Any], **options: Any) -> dict[str, Any]:
        """Return an answer with what is known of its input alone; here, as it is.

        Args:
            source: as `read` takes it.
            outputs: of the model, as plain Python values.
            **options: of the task.
        """
        return outputs

    def title(self, source: Any) -> str:
        """Return what a picture of an input is called; "" for nothing."""
        return ""

    def parts(self, source: Any, **options: Any) -> Iterator[Any]:
        """Read an input of any length in raw parts, one after the other; here, as one.

        Raises:
            UserError: as `read`, each when the reading comes to it.
        """
        yield self.read(source, **options)

    def beginning(self, source: Any, **options: Any) -> tuple[Any, str]:
        """Read as much of an input as a picture has room for, and a message of what is left out.

        Raises:
            UserError: as `read`.
        """
        return self.read(source, **options), ""

    def pieces(self, path: Path, **options: Any) -> Iterator[Any]:
        """Read a file for a stream, in pieces of one time step or more; here, as one piece.

        Raises:
            UserError: as `read`, each when the reading comes to it.
        """
        return iter([self.read(path, **options)])

    def standard_input(self, file: IO[bytes], **options: Any) -> Iterator[Any]:
        """Read pieces from a pipe as they come.

        Raises:
            UserError: these inputs cannot be read so.
        """
        raise UserError(f"the model takes {self.name}, which has to be a file: pass --input FILE")

    def camera(self, device: str, **options: Any) -> Iterator[Any]:
        """Read pieces from a camera as they come.

        Raises:
            UserError: there is none, or these inputs are no frames.
        """
        raise UserError(f"--camera gives frames, but the model takes {self.name}: pass --input")

    @abc.abstractmethod
    def write(self, stem: Path, raw: Any) -> Path:
        """Write a raw input to a file that `read` takes, and return its path.

        Args:
            stem: its path without an ending.
            raw: what to write.
        """

    def write_shown(self, stem: Path, raw: Any) -> dict[str, Any]:
        """Write a raw input for a card, as something to look at where it can be.

        Returns:
            What `read_shown` needs, as JSON values: the text itself as `text`; or a `file`.
        """
        return {"file": self.write(stem, raw)}

    def show(self, raw: Any) -> str:
        """Return a raw input as safe HTML, something to look at; here, nothing.

        Args:
            raw: one input.
        """
        return ""

    @abc.abstractmethod
    def read_shown(self, shown: dict[str, Any], folder: Path) -> Any:
        """Read a raw input that `write_shown` wrote.

        Args:
            shown: an example of a card.
            folder: that its `file` is relative to.

        Raises:
            OSError: its file is not there.
        """

    def key(self, raw: Any) -> Hashable:
        """Return a value that equal inputs, and no others, have in common."""
        array = np.asarray(raw)
        return array.shape, array.tobytes()

    def batch_key(self, raw: Any) -> Hashable:
        """Return a value that inputs have in common which fit into one batch."""
        return np.shape(raw)

    def alike(self, raws: list[Any]) -> list[Any]:
        """Return raw inputs of one `batch_key` brought to one shape, which changes no answer."""
        return raws

    def use(self, path: str, raw: Any) -> tuple[str, str, list[str]]:
        """Say how an input is handed in, for a card.

        Args:
            path: of a file that holds it.
            raw: what `read` gives of it.

        Returns:
            The argument for `zoo predict`; Python that makes a batch of one, as an export's `serve`
            takes it; and the lines to import what that needs.
        """
        return shlex.quote(path), f'[open("{path}", "rb").read()]', []

    def file(self, source: str | Path) -> Path:
        """Return the path of a file that is there and not empty.

        Raises:
            UserError: it is not.
        """
        path = Path(source)
        if not path.is_file():
            raise UserError(f"there is no file {source}: {self.name} input is a path")
        if path.stat().st_size == 0:
            raise UserError(f"{source} is empty: expected {self.name} data")
        return path

    def refusal(self, source: Any) -> UserError:
        """Return the error for what is no input of this kind."""
        kind = type(source).__name__
        if isinstance(source, np.ndarray):
            kind = f"an array of {source.dtype} of shape {list(source.shape)}"
        return UserError(f"{kind} is no {self.name} that can be read")


class ArrayModality(Modality):
    """A modality whose raw inputs are kept as they are, in `.npy` files."""

    def write(self, stem: Path, raw: np.ndarray) -> Path:
        """Write a `.npy` file."""
        path = stem.with_suffix(".npy")
        np.save(path, raw)
        return path

    def read_shown(self, shown: dict[str, Any], folder: Path) -> np.ndarray:
        """Return the array of the file."""
        return np.load(folder / shown["file"], allow_pickle=False)

    def use(self, path: str, raw: Any) -> tuple[str, str, list[str]]:
        """Load the array."""
        return shlex.quote(path), f'np.load("{path}")[None]', ["import numpy as np"]


def modality(name: str) -> Modality:
    """Return the modality that is registered under a name.

    Raises:
        UserError: there is none.
    """
    return registry.load("modality", name)(name)


def split_batches(kind: Modality, sources: Iterable[Any], **options: Any) -> list[Any]:
    """Return inputs one by one: those of a list or tuple, the rows of an array with one axis more
    than an input has, and all that one source stands for.

    Args:
        kind: of the inputs.
        sources: as people hand them in.
        **options: of the task, see `zoo.task.Task.input_options`.

    Raises:
        UserError: a source that stands for several cannot be read.

    Example:
        >>> batch = np.zeros((3, 5, 2))
        >>> len(split_batches(modality("sequence"), [batch, [batch[0], batch[1]]]))
        5
    """
    single = []
    for source in sources:
        if isinstance(source, list | tuple):
            single += split_batches(kind, source, **options)
        elif isinstance(source, np.ndarray) and source.ndim == kind.axes + 1:
            single += list(source)
        else:
            single += kind.inputs(source, **options)
    return single
