"""`zoo.export`: a trained model as a SavedModel with its card."""

from collections.abc import Sequence
from pathlib import Path

from zoo.api.load import folder_of, restore
from zoo.api.run import Run
from zoo.errors import UserError
from zoo.exporting.export import check_formats, check_target, write_export


def export(
    what: Run | str | Path,
    path: str | Path,
    overwrite: bool = False,
    formats: Sequence[str] = ("saved_model",),
    metrics: bool = True,
    data_dir: str | None = None,
) -> Path:
    """Write a model as a SavedModel that takes raw input and gives readable output, with its card.

    The outputs of each form are compared with those of the model on a batch of the test split, or
    of the validation or training where there is none; the card has the differences.

    Args:
        what: a run, its folder, another export, or the name of a ready-trained model.
        path: the folder to write.
        overwrite: replace the export that is there.
        formats: "litert", "litert_quantised" (with weights of 8 bits) and "onnx" are written beside
            the SavedModel, which is always there.
        metrics: measure the test split, and show answers on the card; takes up to some minutes.
        data_dir: folder of prepared data sets, if not that of the training.

    Returns:
        The path.

    Raises:
        UserError: the model or its data cannot be read; a format needs a package that is missing;
            the path exists or cannot be written; or an output differs by more than 1e-4. Nothing
            is left behind then.
    """
    # Before the model is loaded, so that the answer comes at once.
    if not str(path):
        raise UserError("the path to write the export to is empty: name a folder")
    path = Path(path)
    check_target(path, overwrite)
    check_formats(formats)
    folder = folder_of(what)
    trained = restore(folder)
    trained.task.data_dir = data_dir or trained.task.data_dir
    write_export(trained, folder, path, formats, metrics, overwrite)
    return path
