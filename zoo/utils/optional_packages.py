"""Packages that only some formats need."""

from importlib import import_module

from zoo.errors import UserError


def need(what: str, extra: str, **packages: str) -> None:
    """Import what one of the package's extras brings.

    Args:
        what: needs it.
        extra: its name.
        **packages: what to import, each by the name that its package is installed by, with `_`
            for `-`.

    Raises:
        UserError: something is not installed, or cannot be imported; the message says what to do.

    Example:
        >>> need("a table", "plots", numpy="numpy")
    """
    for name, module in packages.items():
        package, top = name.replace("_", "-"), module.partition(".")[0]
        try:
            import_module(top)
            import_module(module)
        # Whatever a broken package does is told alike.
        except Exception as error:
            absent = isinstance(error, ModuleNotFoundError) and error.name == top
            install = f'"sequence-zoo[{extra}]"'
            if absent:
                raise UserError(f"{what} needs {package}: pip install {install}") from error
            message = " ".join(str(error).split()) or type(error).__name__
            raise UserError(
                f"{what} needs {package}, which cannot be imported ({message[:200]}): "
                f"pip install --force-reinstall {install}"
            ) from error
