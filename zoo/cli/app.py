"""`zoo app`: the playground."""

import webbrowser
from importlib import import_module

import click

from zoo.cli.common import load_api
from zoo.errors import UserError
from zoo.pretrained import find, ready_models


@click.command()
@click.argument("models", nargs=-1, metavar="[MODEL]...")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where it can be reached.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True)
@click.option("--open", "opens", is_flag=True, help="Open the page in a browser.")
def app(models: tuple[str, ...], host: str, port: int, opens: bool) -> None:
    """Serve a page on which MODELs answer, write, and show what they looked at.

    MODELs are runs, exports, and names of ready-trained models; all of these, if none is named. The
    page is for this machine alone, unless --host says otherwise: its address then has a token that
    others need. Needs `pip install "sequence-zoo[app]"`. Control-C ends it.

    \b
    Examples:
      zoo app
      zoo app char-lstm runs/tagger-bilstm/1 my-export
      zoo app --host 0.0.0.0 --port 8080
    """
    for what in models:
        find(what)
    try:
        uvicorn = import_module("uvicorn")
        server = import_module("zoo.app.server")
    except ModuleNotFoundError as error:
        raise UserError(
            f'{error.name} is missing: pip install "sequence-zoo[app]", or in a clone pip install '
            "starlette uvicorn"
        ) from error
    load_api()
    shown = import_module("zoo.app.shown").Shown
    token = "" if host in server.LOOPBACK else server.new_token()
    listed = [shown(what) for what in (models or sorted(ready_models()))]
    config = uvicorn.Config(
        server.application(listed, host, token),
        host=host,
        port=port,
        log_level="warning",
        timeout_keep_alive=5,
        limit_concurrency=256,
    )
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
    address += f"?token={token}" if token else ""
    print(address, flush=True)
    if opens:
        webbrowser.open(address)
    uvicorn.Server(config).run()
