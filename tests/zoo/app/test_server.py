"""The server gives only what it should, to whom it should, and stays up."""

import asyncio
import json
import random
import threading
from pathlib import Path

import httpx
import pytest

import zoo
from zoo.app import server
from zoo.app.server import MOST_BYTES, MOST_WAITING, application
from zoo.errors import UserError

HEADERS = {"x-zoo": "1"}
PAGE = Path(server.__file__).parent / "page"
LOCAL = "http://127.0.0.1:8000"


class Model:
    """Stands for a model that is loaded: it repeats what it is told."""

    def __init__(self, name="echo"):
        self.name, self.hold = name, None

    def model(self):
        if self.name == "damaged":
            raise UserError("its config cannot be read")
        return "char-lstm"

    def about(self):
        return {"name": self.name}

    def example(self, number):
        if number:
            raise UserError(f"there is no example {number}")
        return "0.png", b"png"

    def answer(self, raw, name=""):
        if self.hold:
            self.hold.wait(10)
        if not raw:
            raise UserError("the text is empty:\nsay something")
        return {"text": raw.decode(errors="replace"), "file": name}

    def picture(self, raw, name=""):
        raise UserError("there is nothing to draw")

    def write(self, prompt, sampling):
        if prompt == "no":
            raise UserError("it continues no text")
        yield from (json.dumps({"text": letter}) for letter in prompt * sampling.length)

    def steps(self, raw, name=""):
        if not raw:
            raise UserError("the text is empty")
        yield from (json.dumps({"reads": letter, "file": name}) for letter in raw.decode())


class Client:
    """Asks an application, without a network."""

    def __init__(self, app):
        self.app = app

    def all(self, requests):
        """Send requests all at once: method, address, and what else `httpx` takes."""

        async def send():
            transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url=LOCAL) as one:
                return await asyncio.gather(
                    *(one.request(*each, **more) for *each, more in requests)
                )

        return asyncio.run(send())

    def request(self, method, path, **more):
        return self.all([(method, path, more)])[0]

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def post(self, path, **more):
        return self.request("POST", path, **more)


def client(models=(), **options):
    return Client(application(models or [Model()], **options))


def test_the_page_and_its_parts_are_served_and_nothing_else():
    one = client()
    for path, kind in (
        ("/", "text/html"),
        ("/app.css", "text/css"),
        *((f"/{path.name}", "text/javascript") for path in PAGE.glob("*.js")),
    ):
        told = one.get(path)
        assert told.status_code == 200 and told.headers["content-type"].startswith(kind)
        assert "default-src 'self'" in told.headers["content-security-policy"]
        assert "http://" not in told.text.replace("http://www.w3.org/2000/svg", "")
        assert "https://" not in told.text
    for path in ("/index.html", "/server.py", "/../server.py", "/..%2fserver.py", "/page/app.js",
                 "//etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/api/", "/api/nothing"):  # fmt: skip
        assert one.get(path).status_code == 404, path


def test_models_answer_write_and_show_their_examples():
    one = client([Model("first"), Model("second"), Model("first")])
    names = one.get("/api/models").json()
    assert names == ["first", "second", "first, 3"]
    assert one.get("/api/about?model=second").json() == {"name": "second"}
    assert one.get("/api/example?model=first&number=0").content == b"png"
    told = one.post("/api/answer?model=first&file=a.png", content="né", headers=HEADERS)
    assert told.json() == {"text": "né", "file": "a.png"}
    body = json.dumps({"prompt": "ab", "length": 2})
    lines = one.post("/api/write?model=first", content=body, headers=HEADERS).text.splitlines()
    assert [json.loads(line)["text"] for line in lines] == list("abab")


def test_steps_come_line_by_line():
    lines = client().post("/api/steps?model=echo&file=a.txt", content="ab", headers=HEADERS)
    steps = [json.loads(line) for line in lines.text.splitlines()]
    assert steps == [{"reads": letter, "file": "a.txt"} for letter in "ab"]


def test_every_model_of_the_catalog_is_on_one_of_five_roads():
    one = client([Model("mine"), Model("damaged")])
    roads = one.get("/api/roads").json()
    assert [road["name"] for road in roads] == [
        "one_to_one", "one_to_many", "many_to_one", "many_to_many", "seq2seq"
    ]  # fmt: skip
    models = {model["name"]: (road["name"], model) for road in roads for model in road["models"]}
    assert {*models} == {*zoo.list_models()}
    road, model = models["char-lstm"]
    assert road == "many_to_many" and model["shown"] == ["mine"] and model["ready"]
    assert models["word-lstm"][1]["shown"] == [] and not models["word-lstm"][1]["ready"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "message"),
    [
        ("POST", "/api/answer?model=echo", b"", 400, "the text is empty: say something"),
        ("POST", "/api/picture?model=echo", b"a", 400, "nothing to draw"),
        ("POST", "/api/answer?model=other", b"a", 404, "there is no model 'other' here"),
        ("POST", "/api/answer", b"a", 404, "no model"),
        ("POST", "/api/steps?model=echo", b"", 400, "the text is empty"),
        ("GET", "/api/answer?model=echo", None, 405, ""),
        ("GET", "/api/example?model=echo&number=-1", None, 400, "number is needed"),
        ("GET", "/api/example?model=echo&number=9", None, 400, "no example 9"),
        ("POST", "/api/answer?model=echo", b"a" * (MOST_BYTES + 1), 413, "at most 16 MB"),
        ("POST", "/api/write?model=echo", b"[", 400, "JSON with prompt"),
        ("POST", "/api/write?model=echo", b"[]", 400, "JSON with prompt"),
        ("POST", "/api/write?model=echo", b'{"prompt": 3}', 400, "JSON with prompt"),
        ("POST", "/api/write?model=echo", b'{"length": "9"}', 400, "JSON with prompt"),
        ("POST", "/api/write?model=echo", b'{"width": 9}', 400, "JSON with prompt"),
        ("POST", "/api/write?model=echo", b'{"temperature": -1}', 400, "temperature is -1"),
        ("POST", "/api/write?model=echo", b'{"prompt": "no"}', 400, "continues no text"),
        ("POST", "/api/write?model=echo", b"[" * 100_000, 400, "JSON with prompt"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(method, path, body, status, message):
    told = client().request(method, path, content=body, headers=HEADERS)
    assert told.status_code == status
    assert message in told.text and "\n" not in told.text


def test_pages_of_other_sites_and_other_machines_cannot_ask():
    one, path = client(), "/api/answer?model=echo"
    assert one.post(path, content=b"a").status_code == 403
    for wrong in ({"host": "evil.example"}, {"host": "evil.example:8000"}, {"host": ""},
                  {"origin": "http://evil.example"}, {"origin": "null"},
                  {"origin": "http://127.0.0.1:9999"}):  # fmt: skip
        assert one.post(path, content=b"a", headers={**HEADERS, **wrong}).status_code == 403, wrong
    for right in ({"host": "localhost:8000"}, {"origin": LOCAL}, {"host": "[::1]:8000"}):
        assert one.post(path, content=b"a", headers={**HEADERS, **right}).status_code == 200, right


def test_elsewhere_the_token_is_needed():
    one = client(host="0.0.0.0", token="secret")
    for path in ("/", "/api/models", "/?token=", "/?token=secrets", "/api/models?token=é"):
        assert one.get(path).status_code == 403, path
    assert one.get("/?token=secret").status_code == one.get("/app.js").status_code == 200
    assert one.get("/api/roads").status_code == 403
    assert one.get("/api/models", headers={"authorization": "Bearer secret"}).status_code == 200


ANSWER = ("POST", "/api/answer?model=echo", {"content": b"a", "headers": HEADERS})


def test_fifty_at_once_are_answered_and_too_many_are_told_to_come_again():
    model = Model()
    one = client([model])
    assert [told.status_code for told in one.all([ANSWER] * 50)] == [200] * 50
    model.hold = threading.Event()
    threading.Timer(0.5, model.hold.set).start()
    statuses = [told.status_code for told in one.all([ANSWER] * (MOST_WAITING + 20))]
    assert statuses.count(503) == 20 and statuses.count(200) == MOST_WAITING


def test_a_thousand_malformed_requests_leave_it_standing():
    draw, one, requests = random.Random(1), client(), []
    for _ in range(1000):
        path = draw.choice(["/api/write", "/api/answer", "/api/picture", "/api/example", "/"])
        query = "".join(
            draw.choice("model=echo&nu%ber/.0\u00e9?") for _ in range(draw.randrange(30))
        )
        method = draw.choice(["GET", "POST", "PUT", "HEAD", "PATCH", "BREW"])
        host = {} if draw.random() < 0.7 else {"host": query[:9].encode()}
        more = {"content": draw.randbytes(draw.randrange(200)), "headers": {**HEADERS, **host}}
        requests.append((method, f"{path}?{query}", more))
    statuses = [told.status_code for told in one.all(requests)]
    assert len(statuses) == 1000 and max(statuses) < 500
    assert one.all([ANSWER])[0].status_code == 200
