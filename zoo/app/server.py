"""The server of the playground: a few addresses, each of which gives little and takes little.

It answers to the machine itself unless told otherwise, and then to those who have its token. A page
of another site cannot ask it: such a request names another host, or another origin, or lacks the
header that only this page sets.
"""

import json
import secrets
from collections.abc import Awaitable, Callable, Iterator, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import anyio
from anyio import to_thread
from starlette.applications import Starlette
from starlette.concurrency import iterate_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from zoo.app.roads import roads_of
from zoo.decoding.options import SamplingOptions
from zoo.errors import UserError

if TYPE_CHECKING:
    from zoo.app.shown import Shown

MOST_BYTES = 16 << 20
"""Of one request."""
MOST_WAITING = 64
"""Requests to models at once; more are told to come again."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")

_HEADER = "x-zoo"
_SCRIPTS = ("app", "core", "roads", "answers", "inputs", "writing", "unrolled")
_PAGE = {"": ("index.html", "text/html"), "app.css": ("app.css", "text/css")} | {
    f"{name}.js": (f"{name}.js", "text/javascript") for name in _SCRIPTS
}
_SAFE = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob: data:; "
    "frame-ancestors 'none'; form-action 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Refused(Exception):
    """A request that is not answered, with the status that says why."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def application(models: "Sequence[Shown]", host: str = LOOPBACK[0], token: str = "") -> Starlette:
    """Return the application that serves the page of some models.

    Args:
        models: what is shown, in that order.
        host: that it is bound to; others than the machine itself need the token.
        token: what a request must bring where the host is not the machine itself.
    """
    shown: dict[str, Shown] = {}
    for model in models:
        name = model.name
        while model.name in shown:
            model.name = f"{name}, {len(shown) + 1}"
        shown[model.name] = model
    busy = anyio.CapacityLimiter(MOST_WAITING)

    def model_of(request: Request) -> "Shown":
        name = request.query_params.get("model", "")
        if name not in shown:
            raise Refused(404, f"there is no model {name[:60]!r} here")
        return shown[name]

    async def in_turn(work: Callable[..., Any], *arguments: Any) -> Any:
        """Run what takes long beside the server, if there is room."""
        try:
            busy.acquire_nowait()
        except anyio.WouldBlock:
            raise Refused(503, "too many are asking at once: try again") from None
        try:
            return await to_thread.run_sync(work, *arguments)
        finally:
            busy.release()

    async def page(request: Request) -> Response:
        name, kind = _PAGE[request.path_params.get("name", "")]
        return Response(files("zoo.app").joinpath("page", name).read_bytes(), media_type=kind)

    async def names(request: Request) -> Response:
        return JSONResponse(list(shown))

    async def roads(request: Request) -> Response:
        return JSONResponse(await in_turn(roads_of, shown))

    async def about(request: Request) -> Response:
        return JSONResponse(await in_turn(model_of(request).about))

    async def example(request: Request) -> Response:
        number = request.query_params.get("number", "")
        if not number.isascii() or not number.isdigit() or len(number) > 6:
            raise Refused(400, "number is needed, such as 0")
        name, content = model_of(request).example(int(number))
        kind = "image/png" if name.endswith(".png") else "application/octet-stream"
        return Response(content, media_type=kind)

    async def answer(request: Request) -> Response:
        model = model_of(request)
        return JSONResponse(await in_turn(model.answer, await body_of(request), _file(request)))

    async def picture(request: Request) -> Response:
        model = model_of(request)
        drawn = await in_turn(model.picture, await body_of(request), _file(request))
        return Response(drawn, media_type="image/png")

    async def write(request: Request) -> Response:
        model, (prompt, sampling) = model_of(request), _asked(await body_of(request))
        return await lines_of(model.write(prompt, sampling))

    async def steps(request: Request) -> Response:
        model = model_of(request)
        return await lines_of(model.steps(await body_of(request), _file(request)))

    async def lines_of(lines: Iterator[str]) -> Response:
        begun = await in_turn(_begun, lines)
        return StreamingResponse(iterate_in_threadpool(begun), media_type="application/x-ndjson")

    def guarded(handler: Callable[[Request], Awaitable[Response]]) -> Any:
        async def guard(request: Request) -> Response:
            try:
                _check(request, host, token)
                response = await handler(request)
            except Refused as error:
                response = JSONResponse({"error": str(error)}, error.status)
            except UserError as error:
                response = JSONResponse({"error": " ".join(str(error).split())}, 400)
            response.headers.update(_SAFE)
            return response

        return guard

    app = Starlette(
        routes=[
            Route("/", guarded(page)),
            Route("/{name:str}", guarded(_known(page))),
            Route("/api/models", guarded(names)),
            Route("/api/roads", guarded(roads)),
            Route("/api/about", guarded(about)),
            Route("/api/example", guarded(example)),
            *(
                Route(f"/api/{each.__name__}", guarded(each), methods=["POST"])
                for each in (answer, picture, write, steps)
            ),
        ]
    )
    app.router.redirect_slashes = False
    return app


def new_token() -> str:
    """Return a token that nobody guesses."""
    return secrets.token_urlsafe(24)


async def body_of(request: Request) -> bytes:
    """Return what a request brings.

    Raises:
        Refused: it is too much.
    """
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > MOST_BYTES:
            raise Refused(413, f"at most {MOST_BYTES >> 20} MB are taken at once")
    return bytes(content)


def _file(request: Request) -> str:
    return request.query_params.get("file", "")


def _known(page: Callable[[Request], Awaitable[Response]]) -> Any:
    async def known(request: Request) -> Response:
        if request.path_params["name"] not in _PAGE:
            raise Refused(404, "there is nothing here")
        return await page(request)

    return known


def _check(request: Request, host: str, token: str) -> None:
    """Refuse what does not come from the page itself, or from one who has the token.

    Raises:
        Refused: it does not.
    """
    named = request.headers.get("host", "")
    local = host in LOOPBACK
    if local and named.rpartition(":")[0].strip("[]") not in LOOPBACK:
        raise Refused(403, "this page is for the machine that it runs on")
    brought = request.headers.get("authorization", "").removeprefix("Bearer ")
    brought = brought or request.query_params.get("token", "")
    is_page = request.url.path[1:] in {*_PAGE} - {""}
    if not (local or is_page or secrets.compare_digest(brought.encode(), token.encode())):
        raise Refused(403, "the address needs its token, see where zoo app was started")
    origin = request.headers.get("origin")
    if origin and origin.partition("://")[2] != named:
        raise Refused(403, "pages of other sites cannot ask")
    if request.method == "POST" and _HEADER not in request.headers:
        raise Refused(403, f"the header {_HEADER} is needed")


def _asked(body: bytes) -> tuple[str, SamplingOptions]:
    """Read what is to be written: JSON with `prompt`, and options of sampling.

    Raises:
        Refused: it is not so.
    """
    try:
        values = json.loads(body)
        prompt = values.pop("prompt", "")
        if not isinstance(prompt, str) or not all(
            isinstance(value, int | float) and not isinstance(value, bool)
            for value in values.values()
        ):
            raise TypeError
        return prompt, SamplingOptions(**values)
    except UserError:
        raise
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise Refused(
            400, "JSON with prompt, length, temperature, top_p, seed is needed"
        ) from error


def _begun(lines: Iterator[str]) -> Iterator[str]:
    """Return lines of which the first is made already, so that its errors are told."""
    first = next(lines, None)

    def all_of_them() -> Iterator[str]:
        if first is not None:
            yield first + "\n"
        for line in lines:
            yield line + "\n"

    return all_of_them()
