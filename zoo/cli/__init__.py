"""The command line: parses, calls the public face, prints."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import click

from zoo.cli.app import app
from zoo.cli.compare import compare
from zoo.cli.diagnose import diagnose
from zoo.cli.evaluate import evaluate
from zoo.cli.export import export
from zoo.cli.fit import fit
from zoo.cli.generate import generate
from zoo.cli.importing import import_command
from zoo.cli.listing import list_command, show
from zoo.cli.plot import plot
from zoo.cli.predict import predict
from zoo.cli.report import report
from zoo.cli.reproduce import reproduce
from zoo.cli.stream import stream
from zoo.cli.verify import verify
from zoo.errors import Interrupted, UserError

_FORMATS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def main() -> None:
    """Run the command line; a user's mistake is one line and exit code 2."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        with _heeding_sigterm():
            sys.exit(zoo(standalone_mode=False) or 0)
    except click.exceptions.NoArgsIsHelpError as error:
        print(error.format_message())
        sys.exit(2)
    except click.ClickException as error:
        _fail(error.format_message())
    except UserError as error:
        _fail(str(error))
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        if not error.filename:
            raise
        _fail(f"cannot use {error.filename}: {error.strerror}")
    except (KeyboardInterrupt, click.Abort) as error:
        # Click turns the first into the second.
        cause = error.__cause__ if isinstance(error, click.Abort) else error
        stopped = cause if isinstance(cause, Interrupted) else Interrupted(signal.SIGINT)
        print(stopped, file=sys.stderr)
        sys.exit(128 + stopped.number)


@contextmanager
def _heeding_sigterm() -> Iterator[None]:
    """End a command on SIGTERM as on Ctrl-C, so that it takes away what is half done."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise Interrupted(number)

    # Python allows nobody else to handle signals; and whoever has it ignored means it.
    mine = threading.current_thread() is threading.main_thread()
    if not mine or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _fail(message: str) -> None:
    print(f"error: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(2)


@click.group(context_settings=_FORMATS)
@click.version_option(package_name="sequence-zoo", message="%(version)s")
def zoo() -> None:
    """Recurrent models for every sequence topology: pick one by name, fit it, export it.

    \b
    Examples:
      zoo list                               all models
      zoo fit char-lstm                      train one on its bundled data set
      zoo evaluate runs/char-lstm/1          its figures on the test split
      zoo export runs/char-lstm/1 my-model   a SavedModel
      zoo predict my-model "The function "   use it
    """


for command in (
    list_command,
    show,
    fit,
    evaluate,
    predict,
    plot,
    generate,
    stream,
    export,
    import_command,
    verify,
    compare,
    report,
    diagnose,
    reproduce,
    app,
):
    zoo.add_command(command)
