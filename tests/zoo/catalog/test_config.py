"""The config of a run: from a name and overrides to JSON, to a command, and back."""

import json
import shlex
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated

import click
import pytest

import zoo
from zoo import registry
from zoo.catalog.config import RunConfig, resolve
from zoo.cli.fit import asked, fit
from zoo.errors import UserError
from zoo.task import Task
from zoo.training.objectives import Objective
from zoo.utils.fields import Range

WHERE = Path("config.json")
CHANGES = {"epochs": 3, "minutes": 1.5, "learning_rate": 0.25, "optimizer_config": {"beta_1": 0.5}}
"""Of any model."""


def parsed(command: str) -> RunConfig:
    """The config that the command line makes of a line, by its own parser."""
    program, name, *words = shlex.split(command)
    assert (program, name) == ("zoo", "fit")
    with click.Context(fit) as context:
        fit.parse_args(context, words)
    arguments = asked(**context.params)
    overrides = arguments.pop("overrides")
    return resolve(arguments.pop("name"), overrides, **arguments)


@pytest.mark.parametrize("name", zoo.list_models())
@pytest.mark.parametrize("changes", [{}, CHANGES], ids=["as it is", "changed"])
def test_a_config_comes_back_from_json_and_from_its_command(name, changes):
    config = resolve(name, changes, seed=7)
    assert RunConfig.from_json(json.loads(json.dumps(config.to_json())), WHERE) == config
    config = replace(config, decided=())
    assert replace(parsed(config.to_command()), decided=()) == config


def test_a_command_holds_what_was_set_and_nothing_else():
    config = replace(resolve("char-lstm", {"units": 9, "cell": "gru", "epochs": 2}), decided=())
    assert config.to_command() == ("zoo fit char-lstm --seed 1 --epochs 2 --set units=9 --cell gru")


@pytest.mark.parametrize(
    ("name", "overrides"),
    [
        ("translate-gru", {"source": "12", "target": "null", "unit": "subword"}),
        ("sequence-gru", {"filters": [8, 8], "frames_per_second": 3}),
        ("tagger-bilstm", {"column": "ner tags", "crf": True}),
        ("char-lstm", {"schedule": "ExponentialDecay", "schedule_config": {"decay_steps": 5}}),
    ],
)
def test_values_of_every_kind_come_back_from_a_command(name, overrides):
    config = replace(resolve(name, overrides, "my data/ü", "some where", 3, "old run"), decided=())
    assert replace(parsed(config.to_command()), decided=()) == config


def test_what_the_data_decide_is_no_part_of_the_command(run):
    assert run.config.decided == ("classes", "image_shape")
    assert run.config.options["classes"] == 10
    assert "classes" not in run.config.to_command()
    # A run of before does not say what was decided.
    old = replace(run.config, decided=None)
    assert old.to_command() == run.config.to_command()


def test_what_a_user_set_is_part_of_the_command_though_the_data_decide_it_else(forecaster):
    for overrides, words in (({}, ""), ({"scale": [2.5]}, "--set 'scale=[2.5]'")):
        config = resolve(forecaster, overrides)
        config = config.decided_by(config.make_task(), overrides)
        assert config.to_command() == f"zoo fit tides --seed 1 {words}".strip()
        assert RunConfig.from_json(json.loads(json.dumps(config.to_json())), WHERE) == config
        again = parsed(config.to_command())
        assert again.decided_by(again.make_task(), overrides) == config


def test_paths_of_a_person_can_be_left_out():
    config = resolve("char-lstm", {}, "/home/someone/text.txt", "/data", start_from="/runs/3")
    config = replace(config, decided=())
    assert config.without_paths().to_command() == (
        "zoo fit char-lstm --seed 1 --dataset text.txt --from 3"
    )
    assert config.portable().dataset == "/home/someone/text.txt"


OLD = {
    "model": "translate-gru",
    "options": {"embedding": 8, "units": 12, "cell": "gru", "source_vocab_size": 6,
                "target_vocab_size": 5},
    "task": "translation",
    "task_config": {"dataset": "cldr_phrases/en-fr", "data_dir": None, "source": "", "target": "",
                    "unit": "word", "lowercase": False, "max_length": 64, "minimum_count": 1,
                    "vocabulary_size": 0, "beam_width": 1, "source_tokens": ["a", "b"],
                    "target_tokens": ["c"]},
    "training": {
        "epochs": 2, "steps": 0, "batch_size": 64, "window": 64, "truncation": 0, "accumulate": 1,
        "reduction": "token", "optimizer": "adam", "optimizer_config": {}, "learning_rate": 0.002,
        "schedule": "cosine", "schedule_config": {}, "hold": 0, "decay": 0.5, "clip_norm": 1.0,
        "label_smoothing": 0.1, "average_from": 0, "teacher_forcing": 1.0,
        "forcing_schedule": "linear", "reward": "", "reward_from": 1, "precision": "float32",
        "patience": 10, "minutes": 0.0, "save_steps": 200, "jit_compile": True,
    },
    "seed": 1,
}  # fmt: skip
"""The config.json of a run before objectives had settings of their own."""


def test_a_config_of_before_is_read():
    config = RunConfig.from_json(OLD, WHERE)
    assert config.options["units"] == 12 and config.task_options["target_tokens"] == ["c"]
    settings = {**asdict(config.training), **config.objective}
    assert {key: settings[key] for key in ("epochs", "jit_compile")} == {
        "epochs": 2, "jit_compile": True
    }  # fmt: skip
    assert settings["label_smoothing"] == 0.1
    assert "--set label_smoothing=0.1" in config.to_command()
    assert "vocab" not in config.to_command()


def test_a_setting_that_is_gone_is_passed_over():
    now = resolve("spiral-digits", {"reward": "critic"})
    old = now.to_json()
    old["objective"]["critic_weight"] = 0.05
    assert RunConfig.from_json(old, WHERE) == now
    with pytest.raises(UserError, match="critic_height"):
        RunConfig.from_json({**old, "objective": {"critic_height": 1.0}}, WHERE)


def test_what_the_catalog_sets_only_now_a_run_of_before_has_as_it_was():
    old = resolve("sequence-gru").to_json()
    del old["options"]["mixed"]
    config = RunConfig.from_json(old, WHERE)
    assert config.options["mixed"] == 0 and config.options["units"] == 96
    assert "--set mixed=0" in config.to_command()


def test_a_model_that_starts_from_another_keeps_its_options():
    base = RunConfig.from_json(OLD, WHERE)
    config = resolve("translate-gru", {"epochs": 9, "max_length": 5}, start_from="x", base=base)
    assert config.options["units"] == 12 and config.training.epochs == 9
    assert config.task_options["max_length"] == 5
    assert config.task_options["source_tokens"] == ["a", "b"]
    # How it was trained is not how it goes on.
    assert config.training.learning_rate == resolve("translate-gru").training.learning_rate
    with pytest.raises(UserError, match="x is of translate-gru, not of char-lstm"):
        resolve("char-lstm", start_from="x", base=base)


def test_a_model_may_start_from_one_of_its_kind_and_has_data_of_its_own():
    base = resolve("dram-pairs", {"units": 64})
    config = resolve("dram-sum", start_from="x", base=base)
    assert config.dataset == "digit_sequences/sum"
    assert config.options["units"] == 64 and config.options["glimpses"] == 6
    assert resolve("dram-sum", dataset="mine.csv", base=base).dataset == "mine.csv"
    # Another cell, another task.
    for name in ("ram-digits", "caption-lstm", "draw-digits"):
        with pytest.raises(UserError, match=f"is of dram-pairs, not of {name}"):
            resolve(name, start_from="x", base=base)


@pytest.mark.parametrize(
    "change",
    [
        {"training": {"speed": 3}},
        {"training": {"epochs": 2, "label_smoothing": 0.1, "speed": 3}},
        {"objective": {"speed": 3}},
        {"task_config": {"speed": 3}},
        {"options": 3},
        {"seed": None, "task_config": None},
    ],
)
def test_a_config_of_another_version_is_refused_by_name(change):
    with pytest.raises(UserError, match=r"config\.json is damaged or of another version"):
        RunConfig.from_json({**OLD, **change}, WHERE)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"unit": 3.5}, "unit is 3.5, but str is needed"),
        ({"epochs": 2.5}, "epochs is 2.5, but int is needed"),
        ({"epochs": None}, "epochs is None, but int is needed"),
        ({"jit_compile": 1}, "jit_compile is 1, but bool is needed"),
        ({"schedule_config": [1]}, r"schedule_config is \[1\], but dict"),
        ({"tokens": "abc"}, r"tokens is 'abc', but list\[str\] or nothing is needed"),
        ({"tokens": {"a": 1}}, r"but list\[str\] or nothing"),
        ({"cell": "lstmm"}, "did you mean lstm"),
        ({"unitss": 3}, "unknown option of char-lstm 'unitss': did you mean units"),
    ],
)
def test_a_value_of_a_wrong_type_is_one_line(overrides, message):
    with pytest.raises(UserError, match=message) as error:
        resolve("char-lstm", overrides)
    assert len(str(error.value).splitlines()) == 1


def test_limits_are_typed_too():
    usual = resolve("char-lstm")
    config = usual.with_limits({"minutes": 3})
    assert config == replace(usual, training=replace(usual.training, minutes=3.0))
    with pytest.raises(UserError, match="epochs is '3', but int"):
        config.with_limits({"epochs": "3"})


def test_differences_leave_out_what_the_data_decide():
    config = replace(resolve("char-lstm", {"units": 3, "epochs": 2}), decided=("vocab_size",))
    config = replace(config, options={**config.options, "vocab_size": 7})
    other = replace(config, options={**config.options, "units": 4, "vocab_size": 8})
    assert list(config.differences(other)) == [("units", 3, 4)]
    assert list(config.differences(resolve("char-lstm"))) == [("epochs", 2, 18), ("units", 3, 384)]


@pytest.mark.parametrize("name", ["char-lstm", "translate-gru", "adding-lstm"])
def test_every_setting_is_listed_with_its_default_and_its_meaning(name):
    known = zoo.describe(name)
    settings = {**known["training"], **known["objective"]}
    config = resolve(name)
    assert settings == {**asdict(config.training), **config.objective}
    # What every task has is said by its base.
    of_task = {*known["task_options"]} - {"split_rule"}
    assert known["documentation"].keys() >= settings.keys() | of_task
    assert all(text.endswith(".") for text in known["documentation"].values())


# A task that nobody has written yet: its parts are added, and nothing else is touched.


@dataclass(frozen=True)
class Pinball(Objective):
    """Quantiles of what comes."""

    quantiles: Annotated[list[float] | None, "which ones are told."] = None
    crossing: Annotated[float, Range(0), "how much quantiles that cross cost."] = 0.5

    def losses(self, model, window, state, training):
        raise NotImplementedError

    def results(self, sums):
        raise NotImplementedError


class Forecasting(Task):
    """Tells what comes."""

    default_dataset = "tides"
    objective_class = Pinball
    learned = ("scale",)

    def __init__(
        self,
        dataset: str | None = None,
        data_dir: str | None = None,
        horizon: int = 24,
        start: str | None = None,
        calendars: list[str] | None = None,
        scale: list[float] | None = None,
    ) -> None:
        super().__init__(dataset, data_dir)
        self.options = {"horizon": horizon, "start": start, "calendars": calendars}
        self.scale = scale or [1.5]

    def get_config(self):
        return {**super().get_config(), **self.options, "scale": self.scale}

    def model_options(self):
        return {"series": len(self.scale)}

    def windows(self, split, settings, seed=None):
        raise NotImplementedError

    def endpoints(self, model):
        raise NotImplementedError

    def examples(self):
        return []


class Smoother:
    """A level and a trend."""

    def __init__(self, series: int = 1, look_back: int = 48, kernel: str | None = None) -> None:
        self.sizes = (series, look_back, kernel)


@pytest.fixture
def forecaster(monkeypatch):
    for kind in registry.KINDS:
        registry.entries(kind)
    held = {kind: dict(entries) for kind, entries in registry._registered.items()}
    monkeypatch.setattr(registry, "_registered", held)
    registry.register("objective", "pinball")(Pinball)
    registry.register("task", "tide_tables", topology="many_to_many", objective="pinball")(
        Forecasting
    )
    registry.register("architecture", "smoother", topology="many_to_many")(Smoother)
    registry.register_model(
        "tides",
        "Tides, smoothed.",
        architecture="smoother",
        task="tide_tables",
        options={"look_back": 96},
        training={"epochs": 4, "crossing": 0.25},
    )
    return "tides"


def test_an_option_of_task_and_model_is_refused_unless_the_data_decide_it(forecaster, monkeypatch):
    monkeypatch.setattr(Smoother, "__init__", lambda self, series=1, start="": None)
    with pytest.raises(UserError, match="tides and its task both have the option start"):
        resolve(forecaster)
    monkeypatch.setattr(Smoother, "__init__", lambda self, series=1, scale=(): None)
    assert resolve(forecaster, {"scale": [2]}).task_options["scale"] == [2.0]


def test_a_new_task_with_a_new_objective_needs_no_edit_of_what_is_there(forecaster):
    overrides = {"start": "2020-01-01", "quantiles": [0.1, 0.9], "horizon": 12, "kernel": "box"}
    config = resolve(forecaster, overrides, seed=3)
    assert config.objective == {"quantiles": [0.1, 0.9], "crossing": 0.25}
    assert (config.training.epochs, config.options["look_back"]) == (4, 96)
    config = config.decided_by(config.make_task(), overrides)
    assert config.task_options["scale"] == [1.5] and config.options["series"] == 1
    assert config.make_model().sizes == (1, 96, "box")
    assert RunConfig.from_json(json.loads(json.dumps(config.to_json())), WHERE) == config
    command = config.to_command()
    assert "scale" not in command and "series" not in command
    again = parsed(command)
    assert again.decided_by(again.make_task()) == config
    with pytest.raises(UserError, match=r"start is 20\.5, but str or nothing is needed"):
        resolve(forecaster, {"start": 20.5})
    with pytest.raises(UserError, match="series cannot be set: the data decide it"):
        config.decided_by(config.make_task(), {"series": 2})
    assert zoo.describe(forecaster)["objective"] == {"quantiles": None, "crossing": 0.25}


@pytest.mark.parametrize(
    ("start", "written"),
    [("/home/someone/runs/char-rnn/1", "1"), ("hf://user/name@v1", "hf://user/name@v1")],
)
def test_of_where_a_run_started_from_only_what_others_have_is_written_down(start, written):
    config = resolve("char-rnn", start_from=start)
    assert config.portable().start_from == written
    assert f"--from {written} " in config.portable().to_command() + " "
