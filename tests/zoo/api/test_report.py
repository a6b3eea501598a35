import json
import re
import shutil
from html.parser import HTMLParser

import pytest

import zoo as package
from zoo.errors import UserError
from zoo.exporting.report.page import Section, page
from zoo.exporting.report.sections import examples_section, metrics_section
from zoo.task import Case

VOID = {"meta", "img", "br", "link", "input", "hr"}


class Page(HTMLParser):
    """Checks that elements are nested, and gathers what a page refers to."""

    def __init__(self, text):
        super().__init__()
        self.open, self.images, self.links, self.tags, self.titles = [], [], [], set(), []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.tags.add(tag)
        self.links += [values[key] for key in ("src", "href", "srcset", "action") if key in values]
        self.images += [values] if tag == "img" else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "h2":
            self.titles.append(data)


def checked(path):
    """The page in a file, found whole, readable everywhere and without a network."""
    text = path.read_text(encoding="utf-8")
    read = Page(text)
    assert text.startswith("<!DOCTYPE html>") and 'lang="en"' in text
    assert all(link.startswith(("#", "data:image/")) for link in read.links)
    assert all(image["alt"].strip() for image in read.images)
    assert not {"script", "link", "iframe"} & read.tags and "url(" not in text
    assert not re.search(r"https?:", text)
    assert "prefers-color-scheme: dark" in text and "@media print" in text
    assert 'name="viewport"' in text
    return text, read


@pytest.fixture(scope="module")
def reports(run, export, tmp_path_factory):
    """The page of a run, and that of its export."""
    path = tmp_path_factory.mktemp("reports") / "new" / "export.html"
    return package.report(run), package.report(export, path=path)


def test_a_run_is_told_on_one_page(run, reports):
    assert reports[0] == run.path / "report.html"
    text, read = checked(reports[0])
    titles = ["What it is", "How it was made", "Metrics", "Curves", "Examples", "All answers"]
    assert read.titles == [*titles, "Each class or kind", "Versions"]
    assert "zoo fit digits-mlp --seed 1" in text and ">naive<" in text
    accuracy = run.evaluate()["accuracy"]
    assert f"<td>{accuracy:.4f}</td>" in text and 'class="right"' in text
    # Curves, all answers, and a picture of each example.
    assert len(read.images) == 2 + text.count("<article")


def test_of_an_export_sizes_and_certificate_are_told(reports):
    text, read = checked(reports[1])
    assert "Export" in read.titles and "saved_model" in text
    assert "Largest difference to the Keras model" in text and "Curves" in read.titles


def test_what_texts_and_labels_hold_is_shown_and_not_run():
    evil = "<script>alert(1)</script>"
    values = {f"recall/{evil}": {"value": 1.0, "low": None, "high": None}, evil: {"value": 2}}
    metrics = {
        "split": "test",
        "examples": 1,
        "counted": evil,
        "interval": {"level": 0.95, "method": "bootstrap", "resamples": 1},
        "values": {name: {"low": None, "high": None, **each} for name, each in values.items()},
        "told": {evil: evil},
    }
    sections = [
        metrics_section(metrics),
        metrics_section({}, evil),
        examples_section([(Case(evil, evil), evil, None, "")]),
        Section(evil, "<p></p>"),
    ]
    read = Page(page(evil, evil, sections))
    assert "script" not in read.tags and evil in read.titles


def test_runs_are_compared_by_metrics_and_by_what_was_set(zoo, run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    other = shutil.copytree(run.path, tmp_path / "other")
    config = json.loads((other / "config.json").read_text())
    config["training"]["epochs"] = 7
    # As in a run of before there were folds.
    assert config["task_config"].pop("fold") == ""
    (other / "config.json").write_text(json.dumps(config))
    code, out, _ = zoo("compare", run.path, other, "--json")
    answer = json.loads(out)
    assert code == 0 and answer["page"] == "comparison.html"
    assert [one["options"] for one in answer["runs"]] == [{"epochs": 2}, {"epochs": 7}]
    one, two = (each["metrics"]["accuracy"] for each in answer["runs"])
    assert one == two and one["low"] <= one["value"] <= one["high"]
    text, read = checked(tmp_path / "comparison.html")
    assert "naive/accuracy" in text and "recall/" not in text
    assert {"Metrics of the test split", "Options that differ", "Curves"} <= {*read.titles}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["compare", "lstm", "gru"], "say zoo compare cells lstm gru"),
        (["compare", "char-lstm"], "one run cannot be compared"),
        (["compare", "char-lstm", "char-lstmm"], "did you mean char-lstm"),
        (["report", "runs/none/1"], "no folder runs/none/1"),
    ],
)
def test_a_mistake_gets_one_line(zoo, arguments, message):
    code, _, err = zoo(*arguments)
    assert code == 2 and err.count("\n") == 1 and message in err


def test_a_page_of_another_ending_is_refused(run):
    with pytest.raises(UserError, match="let it end with"):
        package.report(run, path="report.pdf")
