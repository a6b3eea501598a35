"""Makes the pictures of docs/gallery.md, each by the command that stands under it, and the page.

    python -m docs.gallery [PICTURE ...]

All are made without a name, in some minutes of processor time, else those named, such as
`gallery/scores.png`.
"""

import base64
import io
import os
import re
import shlex
import sys
import tempfile
from contextlib import chdir, redirect_stdout
from pathlib import Path
from typing import NamedTuple

from docs.notebooks import small
from zoo.cli import zoo as command_line

DOCS = Path(__file__).absolute().parent
PAGE = DOCS / "gallery.md"


class Plot(NamedTuple):
    """A picture of the gallery.

    Attributes:
        drawn_by: the functions in `zoo.evaluation` that draw it.
        picture: its file, below docs.
        title: what it shows.
        alt: what is seen, for those who do not see it.
        text: how to read it.
        commands: the command that makes it, after those that it needs.
        made: the file that the command writes.
        section: of a page, what the alt text of the picture in it begins with.
    """

    drawn_by: tuple[str, ...]
    picture: str
    title: str
    alt: str
    text: str
    commands: tuple[str, ...]
    made: str
    section: str = ""


PLOTS = (
    Plot(
        ("alignment_figure",),
        "translation.png",
        "What each word of a translation looked at",
        "A grid of French words by English ones; the day and the month, which change places, "
        "each look at the word that they translate.",
        "A row for each word that was written, a column for each that was read; the darker, the "
        "more weight. `zoo plot` draws it of every model of translation that attends.",
        ('zoo plot translate-gru-attention "Monday, October 6, 2031" --output translation.png',),
        "translation.png",
    ),
    Plot(
        ("attention_over_image",),
        "caption.png",
        "Where a caption looked, word by word",
        "A drawing of shapes, and once more for each word of its caption, lit up where the model "
        "looked; at the name of a colour it is the shape of that colour.",
        "Bright is where the weight lay as the word was written.",
        (
            "zoo plot caption-lstm-attention saved_models/caption-lstm-attention/examples/1.png "
            "--output caption.png",
        ),
        "caption.png",
    ),
    Plot(
        ("text_figure",),
        "gallery/words.png",
        "Which words of a text counted",
        "A phrase whose words are shaded, some darker than others, below its class.",
        "The darker a word, the more its state weighed in the answer. Models with "
        "`pooling=attention` have such weights.",
        (
            "zoo fit text-bilstm-attention --epochs 1",
            'zoo plot runs/text-bilstm-attention/1 "Montag, 6. Oktober 2031" --output words.png',
        ),
        "words.png",
    ),
    Plot(
        ("confidence_figure",),
        "gallery/confidence.png",
        "How sure a class was over time",
        "A line for each likely class over the frames of a clip; one rises to 1.",
        "The probability of each class after each frame, of a video or of any sequence.",
        (
            "zoo plot video-gru saved_models/video-gru/assets.extra/examples/0.npy "
            "--output confidence.png",
        ),
        "confidence.png",
    ),
    Plot(
        ("confusion_figure",),
        "gallery/confusion.png",
        "What was taken for what",
        "A square of true languages by predicted ones; nearly all phrases lie on the diagonal.",
        "Rows are true classes, columns are answers, over the test split (`--split` says another).",
        ("zoo plot text-lstm --output confusion.png",),
        "confusion.png",
    ),
    Plot(
        ("path_figure", "glimpses_figure"),
        "glimpses.png",
        "Where it looked, glimpse by glimpse",
        "Six columns, one a glimpse: the picture with the path so far, what the retina saw at "
        "three scales, and bars of how sure it is of each class.",
        "The green frames are what the retina sees; below the picture, each scale as the network "
        "gets it, and how likely the classes are by then.",
        ("zoo plot ram-scattered saved_models/ram-scattered/examples/1.png --output glimpses.png",),
        "glimpses.png",
    ),
    Plot(
        ("path_figure", "glimpses_figure"),
        "reading.png",
        "How it read two digits",
        "Six glimpses of a picture with two digits; the first three lie on the left digit and name "
        "it, the others on the right one.",
        "The same of a model that names several labels; the title of a glimpse has the label that "
        "it gave.",
        ("zoo plot dram-pairs saved_models/dram-pairs/examples/3.png --output reading.png",),
        "reading.png",
    ),
    Plot(
        ("canvas_figure",),
        "drawing.png",
        "How a picture was painted, stroke by stroke",
        "Rows of a digit and the canvas after each of ten strokes, on which the digit emerges; a "
        "red frame shows where each was written.",
        "Each row is a digit of the test split; the frame is the window that was written through.",
        ("zoo plot draw-digits --output drawing.png",),
        "drawing.png",
    ),
    Plot(
        ("stroke_figure",),
        "strokes.png",
        "Strokes of a brush",
        "Digits of the test split, dimmed under eight numbered arrows, and below each the canvas "
        "that these paint.",
        "A dotted arrow only moves the brush.",
        ("zoo plot spiral-digits --output strokes.png",),
        "strokes.png",
    ),
    Plot(
        ("fan_figure",),
        "forecast.png",
        "A forecast over its past",
        "A line of hourly values, and behind its end a median with two bands around it, beside the "
        "naive forecast.",
        "The bands hold the truth in 80% and in 95% of the cases, if the model is calibrated; the "
        "naive forecast is the last season once more.",
        (
            "zoo plot forecast-gru saved_models/forecast-gru/assets.extra/examples/1.npy "
            "--output forecast.png",
        ),
        "forecast.png",
    ),
    Plot(
        ("calibration_figure",),
        "gallery/calibration.png",
        "Are the forecasts calibrated?",
        "The share of values under each quantile against the share that there should be, close to "
        "the diagonal.",
        "Over the backtest of the test split. On the diagonal, 80% of the values are under the 80% "
        "quantile.",
        ("zoo plot forecast-gru --output calibration.png",),
        "calibration.png",
    ),
    Plot(
        ("curves_figure",),
        "gallery/curves.png",
        "A training, epoch by epoch",
        "Loss and other metrics over the epochs, a line for training and one for validation.",
        "Every run has it as `plots/curves.png`, every report and card, too.",
        ("zoo report adding-lstm --output report.html",),
        "report.html",
        "Each metric over the epochs",
    ),
    Plot(
        ("gradient_figure",),
        "gallery/gradient.png",
        "How far back the gradient reaches",
        "The norm of the gradient by lag on a logarithmic scale, at the start and trained: at the "
        "start it falls, trained it stays.",
        "The gradient of the last loss in the state t steps back; under the line at 1% it has "
        "vanished. A part of every report.",
        ("zoo report adding-lstm --output report.html",),
        "report.html",
        "The gradient of the last loss",
    ),
    Plot(
        ("metric_figure",),
        "gallery/comparison.png",
        "Runs side by side",
        "The metrics of validation over the epochs, a line for each of two models; the LSTM stays "
        "below the vanilla RNN in loss.",
        "A part of the page that `zoo compare` writes, with the options that differ.",
        ("zoo compare char-lstm char-rnn --output comparison.html",),
        "comparison.html",
        "The metrics of validation",
    ),
    Plot(
        ("diagnosis_figure",),
        "gallery/diagnosis.png",
        "Why LSTM, measured",
        "Six plots of a vanilla RNN and a GRU: gradient by lag, radius of the step's Jacobian, "
        "saturated gates, clipped updates, memory and time of a gradient.",
        "Cells trained on the adding problem, side by side; also of runs and ready-trained models.",
        ("zoo diagnose vanilla_rnn gru --length 60 --steps 200 --output diagnosis.png",),
        "diagnosis.png",
    ),
    Plot(
        ("horizon_figure",),
        "gallery/horizon.png",
        "The horizon while training",
        "The lag from which on the gradient is under 1%, over the epochs.",
        "`--diagnose` draws it after each epoch, into TensorBoard too.",
        ("zoo fit adding-lstm --diagnose --epochs 3",),
        "runs/adding-lstm/1/plots/horizon.png",
    ),
    Plot(
        ("scores_figure",),
        "gallery/scores.png",
        "Cells on tests of memory",
        "A heat map of cells by tests of memory, with a score between 0 and 1 in each field.",
        "0 is chance, 1 is perfect. By default the cells have 600 steps and sequences of 50.",
        ("zoo compare cells lstm gru vanilla_rnn --length 12 --steps 150",),
        "runs/compare-cells/scores.png",
    ),
    Plot(
        ("write_paintings",),
        "gallery/paintings.png",
        "New pictures",
        "Sixteen painted digits in a square of four by four.",
        "Painted from noise alone. With `--output digits.gif` one watches them become.",
        ("zoo generate draw-digits --count 16 --output digits.png",),
        "digits.png",
    ),
)


def page() -> str:
    """Return the gallery in Markdown."""
    parts = [
        "# Gallery",
        "Every plot that the zoo draws, each above the command that made it. In a clone, "
        "`python -m docs.gallery` makes all of them anew.",
    ]
    for plot in PLOTS:
        commands = "\n".join(plot.commands)
        parts += [
            f"## {plot.title}",
            f"![{plot.alt}]({plot.picture})",
            plot.text,
            f"```sh\n{commands}\n```",
        ]
    return "\n\n".join(parts) + "\n"


def make(plot: Plot, folder: Path, done: set[str]) -> bytes:
    """Run the commands of a plot and return its picture, small.

    Args:
        plot: of `PLOTS`.
        folder: where the commands run.
        done: commands that have been run there, to which these are added.
    """
    models = folder / "saved_models"
    if not models.exists():
        models.symlink_to(DOCS.parent / "saved_models")
    for command in plot.commands:
        if command not in done:
            with chdir(folder), redirect_stdout(io.StringIO()):
                command_line(shlex.split(command)[1:], standalone_mode=False)
            done.add(command)
    content = (folder / plot.made).read_bytes()
    return small(_in_page(content.decode(), plot.section) if plot.section else content)


def _in_page(html: str, section: str) -> bytes:
    """Return the picture in a page whose alt text begins so."""
    for tag in re.findall(r"<img[^>]+>", html):
        if f'alt="{section}' in tag:
            return base64.b64decode(re.search(r"base64,([^\"]+)", tag)[1])
    raise ValueError(f"the page has no picture of {section}")


def main(names: list[str]) -> None:
    """Make the pictures of those names, or all, and the page."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    done: set[str] = set()
    with tempfile.TemporaryDirectory() as folder:
        for plot in PLOTS:
            if not names or plot.picture in names:
                print(plot.picture, flush=True)
                file = DOCS / plot.picture
                file.parent.mkdir(exist_ok=True)
                file.write_bytes(make(plot, Path(folder), done))
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
