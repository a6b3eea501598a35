"""Against a stand-in of the Hub's API, which answers what `huggingface_hub` asks."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
import pytest
from huggingface_hub import ModelCard, constants

import zoo
from zoo.api.verify import verify
from zoo.errors import UserError
from zoo.pretrained import FOLDER, find, ready_models
from zoo.utils import hub
from zoo.utils.hub import download, is_file_of_export


class Repository:
    """Files by commit, and what branches and tags stand for."""

    def __init__(self, files, refused=None):
        self.commits = {self.sha(1): files}
        self.revisions = {"main": self.sha(1)}
        self.refused = refused
        self.cut = set()
        self.sizes = {}

    @staticmethod
    def sha(number):
        return f"{number:040x}"

    def add(self, revision, files):
        sha = self.sha(len(self.commits) + 1)
        self.commits[sha] = files
        self.revisions[revision] = sha

    def resolve(self, revision):
        return revision if revision in self.commits else self.revisions.get(revision)


class StandIn(BaseHTTPRequestHandler):
    """What the Hub answers: about a model, the tree of a commit, the content of a file."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        path = unquote(urlsplit(self.path).path)
        self.server.asked.append((self.command, path))
        parts = path.strip("/").split("/")
        api = parts[:2] == ["api", "models"]
        name, rest = ("/".join(parts[2:4]), parts[4:]) if api else ("/".join(parts[:2]), parts[2:])
        repository = self.server.repositories.get(name)
        if repository is None:
            return self.refuse(401, "RepoNotFound")
        if repository.refused:
            return self.refuse(*repository.refused)
        sha = repository.resolve("/".join(rest[1:]) if rest[:1] == ["revision"] else
                                 rest[1] if len(rest) > 1 else "main")  # fmt: skip
        if sha is None:
            return self.refuse(404, "RevisionNotFound")
        files = repository.commits[sha]
        if not api:
            return self.content(repository, sha, "/".join(rest[2:]))
        sizes = {name: repository.sizes.get(name, len(each)) for name, each in files.items()}
        if rest[:1] == ["tree"]:
            listed = [
                {"type": "file", "path": name, "size": size, "oid": self.hash_of(files[name])}
                for name, size in sizes.items()
            ]
            return self.answer(json.dumps(listed).encode())
        siblings = [{"rfilename": name, "size": size} for name, size in sizes.items()]
        about = {"id": name, "modelId": name, "sha": sha, "siblings": siblings, "tags": []}
        return self.answer(json.dumps(about).encode())

    @staticmethod
    def hash_of(content):
        return hashlib.sha1(content).hexdigest()

    def content(self, repository, sha, name):
        content = repository.commits[sha].get(name)
        if content is None:
            return self.refuse(404, "EntryNotFound")
        headers = {"ETag": f'"{self.hash_of(content)}"', "X-Repo-Commit": sha}
        cut = name in repository.cut and self.command == "GET"
        return self.answer(content, headers, cut)

    def refuse(self, status, code):
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def answer(self, content, headers=(), cut=False):
        self.send_response(200)
        for key, value in dict(headers).items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content[: len(content) // 2] if cut else content)
            self.close_connection = cut


@pytest.fixture(scope="module")
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), StandIn) as server:
        server.repositories, server.asked = {}, []
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def stand_in(server, tmp_path, monkeypatch):
    """The server, which holds nothing yet, as the Hub of this process; with an empty cache."""
    server.repositories.clear()
    server.asked.clear()
    endpoint = f"http://127.0.0.1:{server.server_port}"
    # They are read from the environment once, when the package is imported.
    monkeypatch.setattr(constants, "ENDPOINT", endpoint)
    template = endpoint + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_ENDPOINT", endpoint)
    hub._downloaded.cache_clear()
    yield server
    hub._downloaded.cache_clear()


def content_of(folder):
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


@pytest.fixture
def files(export):
    return content_of(export)


@pytest.fixture
def ours(stand_in, files):
    """A repository with an export as it is, and what else people upload."""
    others = dict.fromkeys((".gitattributes", "zoo.py", "weights.pkl", "old.keras"), b"...")
    repository = Repository({**files, **others, "config.json": b"{}"})
    stand_in.repositories["user/digits"] = repository
    return repository


def message_of(what):
    with pytest.raises(UserError) as refused:
        download(what)
    message = str(refused.value)
    assert "\n" not in message
    return message


def test_a_model_is_loaded_by_its_name_on_the_hub(ours, export):
    x = np.random.default_rng(1).integers(0, 255, (2, 8, 8, 1)).astype("float32")
    ours_there, ours_here = zoo.load("hf://user/digits"), zoo.load(export)
    np.testing.assert_array_equal(ours_there(x), ours_here(x))
    picture = export / "assets.extra" / "examples" / "0.png"
    assert zoo.predict("hf://user/digits", picture) == zoo.predict(export, picture)
    assert find(Path("hf://user/digits")) == find("hf://user/digits")


def test_a_download_says_nothing_where_nobody_watches(ours, capfd):
    download("hf://user/digits")
    assert capfd.readouterr() == ("", "")


def test_nothing_is_downloaded_but_what_an_export_is_made_of(ours, stand_in, files):
    folder = download("hf://user/digits")
    assert set(content_of(folder)) == set(files)
    asked = {path.partition("/resolve/")[2] for _, path in stand_in.asked}
    assert not [path for path in asked if path.endswith((".py", ".pkl", ".keras", "config.json"))]


@pytest.mark.slow
def test_what_was_downloaded_is_verified_as_it_is(ours, data_dir):
    verified = verify("hf://user/digits", data_dir)
    assert verified.holds, [check for check in verified.checks if check.holds is False]
    assert {check.name for check in verified.checks} >= {"files", "README.md", "hub", "accuracy"}


def test_a_revision_is_a_branch_a_tag_or_a_commit(ours, files):
    ours.add("refs/pr/1", {**files, "README.md": b"another"})
    ours.add("v1", {**files, "README.md": b"first"})
    for revision, text in (("refs/pr/1", "another"), ("v1", "first"), (ours.sha(3), "first")):
        folder = download(f"hf://user/digits@{revision}")
        assert (folder / "README.md").read_text() == text
    assert (download("hf://user/digits") / "README.md").read_bytes() == files["README.md"]
    message = message_of("hf://user/digits@v2")
    assert message == "hf://user/digits has no revision v2: name a branch, a tag or a commit"


def test_of_one_process_a_name_is_asked_for_once(ours, stand_in):
    assert download("hf://user/digits") == download("hf://user/digits")
    assert [path for _, path in stand_in.asked].count("/api/models/user/digits") == 1


def test_without_a_network_what_was_downloaded_before_will_do(ours, stand_in, monkeypatch):
    folder = download("hf://user/digits")
    hub._downloaded.cache_clear()
    stand_in.repositories["user/digits"] = Repository({}, (503, "Down"))
    monkeypatch.setattr(hub, "_SECONDS", 1)
    assert download("hf://user/digits") == folder


@pytest.mark.parametrize(
    ("refused", "message"),
    [
        ((401, "RepoNotFound"), "there is no hf://user/other on the Hugging Face Hub, or it"),
        ((403, "GatedRepo"), "hf://user/other is given to those only who ask: do so at http:"),
        ((500, "Broken"), r"hf://user/other cannot be downloaded ("),
    ],
)  # fmt: skip
def test_what_may_not_be_read_is_told_in_one_line(stand_in, refused, message):
    stand_in.repositories["user/other"] = Repository({}, refused)
    assert message in message_of("hf://user/other")


def test_a_model_that_is_not_there_is_told_in_one_line(stand_in):
    message = "there is no hf://user/none on the Hugging Face Hub, or it is private"
    assert message in message_of("hf://user/none")


@pytest.mark.parametrize(
    "name",
    ["hf://", "hf://user", "hf://a/b/c", "hf://../b", "hf://a/b@", "hf://a/ b", "hf://a/b?c"],
)
def test_what_is_no_name_is_refused_without_a_question(stand_in, name):
    assert "is no name on the Hugging Face Hub: write hf://user/name" in message_of(name)
    assert not stand_in.asked


def test_a_repository_of_something_else_is_no_export(stand_in):
    stand_in.repositories["user/torch"] = Repository({"model.pt": b"...", "config.json": b"{}"})
    assert "hf://user/torch is no export of the zoo: it has no card.json" in message_of(
        "hf://user/torch"
    )
    assert not [path for _, path in stand_in.asked if "resolve" in path]


@pytest.mark.parametrize("name", ["../evil.py", "/etc/evil", "a/../../b", "examples\\..\\..\\b"])
def test_a_path_that_leads_outside_is_refused(ours, stand_in, name):
    ours.commits[ours.sha(1)][name] = b"..."
    assert "would be written outside of its folder" in message_of("hf://user/digits")
    assert not [path for _, path in stand_in.asked if "resolve" in path]


def test_what_is_too_large_is_refused_before_it_is_downloaded(ours, stand_in):
    ours.sizes["variables/variables.data-00000-of-00001"] = 2**31 + 1
    assert message_of("hf://user/digits") == "hf://user/digits is refused: it has over 2 GB"
    assert not [path for _, path in stand_in.asked if "resolve" in path]


def test_too_many_files_are_refused(ours):
    ours.commits[ours.sha(1)].update({f"examples/{number}.png": b"" for number in range(10_001)})
    assert "it has over 10,000 files" in message_of("hf://user/digits")


def test_a_download_that_breaks_off_is_told_and_goes_on(ours, files, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    ours.cut.add("variables/variables.data-00000-of-00001")
    message = message_of("hf://user/digits")
    assert message.startswith("hf://user/digits cannot be downloaded (")
    assert message.endswith("run the same again, which goes on from there")
    ours.cut.clear()
    assert content_of(download("hf://user/digits")) == files


def test_a_file_that_is_not_as_the_card_says_is_not_loaded(ours):
    name = "variables/variables.data-00000-of-00001"
    content = bytearray(ours.commits[ours.sha(1)][name])
    content[100] ^= 1
    ours.commits[ours.sha(1)][name] = bytes(content)
    with pytest.raises(UserError, match="is not as it was written"):
        zoo.load("hf://user/digits")
    with pytest.raises(UserError, match="is not as it was written"):
        zoo.predict("hf://user/digits", "any")


@pytest.mark.parametrize("folder", [False, True])
def test_a_link_in_the_cache_to_somewhere_else_is_refused(ours, tmp_path, folder):
    snapshot = download("hf://user/digits")
    hub._downloaded.cache_clear()
    (tmp_path / "elsewhere").mkdir()
    path = snapshot / ("variables" if folder else "fingerprint.pb")
    target = tmp_path / "elsewhere" / path.name
    shutil.move(path, target) if folder else shutil.copy(path, target)
    path.unlink(missing_ok=True)
    path.symlink_to(target)
    assert f"{path.name!a} is a link, not a file" in message_of("hf://user/digits")


def test_every_file_of_an_export_is_known(export):
    folders = [export, *(FOLDER / name for name in ready_models())]
    unknown = [name for folder in folders for name in content_of(folder)
               if not is_file_of_export(name)]  # fmt: skip
    assert not unknown
    assert is_file_of_export("onnx/step.onnx") and is_file_of_export("litert/model.tflite")


def test_without_the_package_it_is_told_what_to_install(stand_in, monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    assert message_of("hf://user/digits") == (
        'hf:// needs huggingface-hub: pip install "sequence-zoo[hub]"'
    )


def test_the_command_line_takes_it_and_fails_in_one_line(ours, stand_in, tmp_path):
    environment = {
        **os.environ,
        "HF_ENDPOINT": f"http://127.0.0.1:{stand_in.server_port}",
        "HF_HOME": str(tmp_path / "home"),
    }
    environment.pop("HF_HUB_CACHE", None)
    words = [sys.executable, "-c", "from zoo.cli import main; main()"]
    words += ["predict", "hf://user/nothing", "any"]
    done = subprocess.run(words, env=environment, capture_output=True, text=True)
    assert done.returncode == 2 and not done.stdout
    assert done.stderr.startswith("error: there is no hf://user/nothing on the Hugging Face Hub")
    assert done.stderr.count("\n") == 1


def test_the_hub_reads_the_front_matter(export, run):
    data = ModelCard((export / "README.md").read_text(encoding="utf-8")).data
    assert data.library_name == "sequence-zoo" and data.license == "apache-2.0"
    assert data.pipeline_tag == "image-classification"
    assert {"sequence-zoo", "image-classification", "one-to-one"} <= {*data.tags}
    (accuracy,) = [each for each in data.eval_results if each.metric_type == "accuracy"]
    card = json.loads((export / "card.json").read_text(encoding="utf-8"))
    metric = card["metrics"]["values"]["accuracy"]
    assert accuracy.metric_value == metric["value"]
    assert accuracy.metric_name == (
        f"accuracy (95% interval {metric['low']:.4g} to {metric['high']:.4g})"
    )
    assert (accuracy.dataset_type, accuracy.dataset_split) == ("digits", "test")
