import pytest

import zoo
from zoo import registry
from zoo.catalog import recipes
from zoo.catalog.config import resolve
from zoo.catalog.recipes import RECIPES, Published, check_data, check_horizon
from zoo.errors import UserError

METRICS = {
    "language_modelling": {"perplexity", "bits_per_character", "accuracy", "loss"},
    "translation": {"exact_match", "accuracy", "loss", "perplexity", "bleu", "chrf"},
    "image_classification": {"accuracy", "loss"},
    "image_generation": {"bound", "reconstruction", "kl", "importance_bound"},
    "adding": {"accuracy", "loss", "mean_squared_error"},
    "forecasting": {"standardised_mse", "standardised_mae", "mase"},
}
"""The metrics that each task computes."""


@pytest.fixture(params=RECIPES.values(), ids=RECIPES)
def recipe(request):
    if request.param.model not in zoo.list_models():
        pytest.skip(f"{request.param.model} is not in the catalog yet")
    return request.param


def test_a_recipe_trains_a_model_that_there_is_with_settings_that_there_are(recipe):
    config = resolve(recipe.model, recipe.overrides)
    # Early stopping would make it another training than the one that is described; those of
    # forecasters are described with it.
    settings = config.training
    assert settings.patience >= settings.epochs or config.task == "forecasting"


def test_a_recipe_publishes_metrics_that_its_task_computes(recipe):
    computed = METRICS[registry.get("model", recipe.model).info["task"]]
    assert recipe.published and {each.name for each in recipe.published} <= computed
    assert all(each.split in ("train", "validation", "test") for each in recipe.published)


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_a_recipe_says_where_its_metrics_and_its_data_come_from(recipe):
    assert any(
        mark in recipe.source for mark in ("arXiv:", "doi:", "github.com/", "Keras'", "README")
    )
    assert recipe.summary.endswith(".") and recipe.data
    bundled = bool(recipe.dataset) and not recipe.get
    assert bundled or "--data" in recipe.get


def test_the_direction_of_a_metric_follows_from_its_name():
    assert Published("bits_per_character", "test", 2.0).reached(1.9)
    assert not Published("perplexity", "test", 100.0).reached(100.1)
    assert Published("importance_bound", "test", 81.0).reached(80.0)
    assert Published("exact_match", "test", 0.99).reached(0.99)
    assert not Published("accuracy", "test", 0.97).reached(0.96)


@pytest.mark.parametrize(
    "name",
    ["mase", "nll", "standardised_mse", "standardised_mae", "smape", "crps", "mean_squared_error"],
)
def test_of_errors_less_is_better(name):
    published = Published(name, "test", 2.34)
    assert published.reached(2.0) and published.reached(2.34) and not published.reached(2.35)


def test_a_published_metric_may_be_missed_by_a_share_of_itself():
    error = Published("standardised_mse", "test", 0.278, within=0.02)
    assert error.reached(0.2835) and not error.reached(0.2836 + 1e-4)
    accuracy = Published("accuracy", "test", 0.5, within=0.02)
    assert accuracy.reached(0.49) and not accuracy.reached(0.489)


def test_what_is_published_of_several_horizons_is_a_training_each():
    segrnn = RECIPES["segrnn-etth2"]
    assert segrnn.horizons == (96, 192, 336, 720)
    rows = {h: [each.value for each in segrnn.published_at(h)] for h in segrnn.horizons}
    assert rows == {
        96: [0.278, 0.335],
        192: [0.359, 0.389],
        336: [0.421, 0.436],
        720: [0.432, 0.455],
    }
    assert "test standardised_mse 0.359 at 192" in segrnn.target()
    with pytest.raises(UserError, match="horizon is 48, but of segrnn-etth2 those of 96, 192, 336"):
        check_horizon(segrnn, 48)
    check_horizon(segrnn, 336)
    check_horizon(RECIPES["addition"], None)


def test_an_unknown_recipe_names_the_nearest():
    with pytest.raises(
        UserError, match="unknown recipe 'zaremba-smal': did you mean zaremba-small"
    ):
        recipes.get("zaremba-smal")


def test_data_that_are_not_there_are_asked_for(tmp_path):
    zaremba, rows = RECIPES["zaremba-small"], RECIPES["mnist-rows"]
    with pytest.raises(UserError, match=r"needs the Penn Treebank .* --dataset FOLDER/ptb"):
        check_data(zaremba)
    with pytest.raises(UserError, match=r"no file .*ptb.train.txt: zaremba-small needs the Penn"):
        check_data(zaremba, str(tmp_path / "ptb.train.txt"))
    with pytest.raises(UserError, match=rf"no mnist in {tmp_path}: .*`tfds build mnist`"):
        check_data(rows, data_dir=str(tmp_path))


def test_data_that_are_there_are_not_asked_for(tmp_path):
    (tmp_path / "ptb.train.txt").write_text("words")
    check_data(RECIPES["zaremba-small"], str(tmp_path / "ptb.train.txt"))
    (tmp_path / "mnist").mkdir()
    check_data(RECIPES["mnist-rows"], data_dir=str(tmp_path))
    check_data(RECIPES["mnist-rows"], "digits")
    check_data(RECIPES["addition"])
