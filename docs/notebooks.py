"""Runs the notebooks in docs/tutorials and keeps what they show, without Jupyter.

    python -m docs.notebooks [FILE.ipynb ...]

Each runs from top to bottom in a process and an empty folder of its own, and is written back with
its outputs: what was printed, the value of a cell's last line, pictures. Jupyter itself would bring
28 packages. The site shows notebooks by `as_page`.
"""

import ast
import base64
import io
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

TUTORIALS = Path(__file__).parent / "tutorials"
WIDEST, COLOURS = 900, 128
"""Pixels and colours of a picture that is kept."""


def read(path: Path) -> dict[str, Any]:
    """Return a notebook as it stands in its file."""
    return json.loads(path.read_text(encoding="utf-8"))


def source(cell: dict[str, Any]) -> str:
    """Return the text of a cell, which is kept as a string or as lines."""
    return "".join(cell["source"])


def code_cells(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the cells that are run."""
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def run(notebook: dict[str, Any]) -> None:
    """Run all cells in this process, one after the other, and keep their outputs in them.

    Raises:
        Exception: whatever a cell raises.
    """
    scope: dict[str, Any] = {"__name__": "__main__"}
    for count, cell in enumerate(code_cells(notebook), 1):
        cell["execution_count"] = count
        cell["outputs"] = [*_outputs(source(cell), scope, count)]


def _outputs(program: str, scope: dict[str, Any], count: int) -> Iterator[dict[str, Any]]:
    """Run the program of a cell and yield its outputs, as Jupyter would keep them."""
    body = ast.parse(program, f"cell {count}").body
    ends_in_value = body and isinstance(body[-1], ast.Expr) and not program.rstrip().endswith(";")
    last = ast.Expression(body.pop().value) if ends_in_value else None
    printed = io.StringIO()
    with redirect_stdout(printed):
        exec(compile(ast.Module(body, []), f"cell {count}", "exec"), scope)
        value = eval(compile(last, f"cell {count}", "eval"), scope) if last else None
    if text := printed.getvalue():
        yield {"output_type": "stream", "name": "stdout", "text": text.splitlines(keepends=True)}
    if value is not None:
        data: dict[str, Any] = {"text/plain": [repr(value)]}
        if hasattr(value, "_repr_png_"):
            data = {"image/png": _kept(value._repr_png_()), "text/plain": [""]}
        yield {
            "output_type": "execute_result",
            "execution_count": count,
            "metadata": {},
            "data": data,
        }
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        for number in pyplot.get_fignums():
            file = io.BytesIO()
            pyplot.figure(number).savefig(file, dpi=80, bbox_inches="tight")
            data = {"image/png": _kept(file.getvalue())}
            yield {"output_type": "display_data", "metadata": {}, "data": data}
        pyplot.close("all")


def small(png: bytes) -> bytes:
    """Return a picture of at most `WIDEST` pixels across, in few colours."""
    from PIL import Image

    picture = Image.open(io.BytesIO(png)).convert("RGB")
    if picture.width > WIDEST:
        size = (WIDEST, round(picture.height * WIDEST / picture.width))
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    file = io.BytesIO()
    # Thin coloured lines keep their colours.
    few = picture.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(file, "PNG", optimize=True)
    return file.getvalue()


def _kept(png: bytes) -> str:
    """Return a picture, small, as notebooks hold it."""
    return base64.b64encode(small(png)).decode()


def as_page(notebook: dict[str, Any], name: str) -> tuple[str, dict[str, bytes]]:
    """Return a notebook as a page in Markdown, and its pictures by their files.

    Args:
        notebook: with its outputs.
        name: of the notebook; its pictures are `name-1.png` and so on.
    """
    parts, pictures = [], {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            parts.append(source(cell))
            continue
        parts.append(f"```python\n{source(cell)}\n```")
        for output in cell["outputs"]:
            data = output.get("data", {"text/plain": output.get("text", "")})
            if png := data.get("image/png"):
                file = f"{name}-{len(pictures) + 1}.png"
                pictures[file] = base64.b64decode("".join(png))
                parts.append(f"![{cell['metadata']['alt']}]({file})")
            else:
                parts.append(f"```text\n{''.join(data['text/plain']).rstrip()}\n```")
    return "\n\n".join(parts) + "\n", pictures


def run_file(path: Path, target: Path) -> None:
    """Run the notebook in a file, in a process and an empty folder of its own, and write it.

    Raises:
        subprocess.CalledProcessError: a cell failed; why stands on standard error.
    """
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"MPLBACKEND": "agg", "TF_CPP_MIN_LOG_LEVEL": "3"}
        files = [str(path.absolute()), str(target.absolute())]
        command = [sys.executable, str(Path(__file__).absolute()), "--here", *files]
        subprocess.run(command, cwd=folder, env=environment, check=True)


def _run_here(path: Path, target: Path) -> None:
    """Run the notebook in a file in this process and folder, and write it."""
    notebook = read(path)
    # As in Jupyter, what lies beside this file is not imported.
    sys.path[0] = ""
    run(notebook)
    text = json.dumps(notebook, indent=1, ensure_ascii=False)
    target.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--here"]:
        _run_here(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        for file in [*map(Path, sys.argv[1:])] or sorted(TUTORIALS.glob("*.ipynb")):
            print(file.stem, flush=True)
            run_file(file, file)
