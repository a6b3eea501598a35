import pytest

import zoo
from zoo import registry
from zoo.catalog import recipes
from zoo.catalog.config import resolve
from zoo.catalog.recipes import RECIPES, Figure, check_data
from zoo.errors import UserError

TOLD = {
    "language_modelling": {"perplexity", "bits_per_character", "accuracy", "loss"},
    "translation": {"exact_match", "accuracy", "loss", "perplexity", "bleu", "chrf"},
    "image_classification": {"accuracy", "loss"},
    "image_generation": {"bound", "reconstruction", "kl", "importance_bound"},
    "adding": {"accuracy", "loss", "mean_squared_error"},
}
"""The figures that each task tells."""


@pytest.fixture(params=RECIPES.values(), ids=RECIPES)
def recipe(request):
    if request.param.model not in zoo.list_models():
        pytest.skip(f"{request.param.model} is not in the catalog yet")
    return request.param


def test_a_recipe_trains_a_model_that_there_is_with_settings_that_there_are(recipe):
    settings = resolve(recipe.model, recipe.overrides).training
    # Early stopping would make it another training than the one that is described.
    assert settings.patience >= settings.epochs


def test_a_recipe_publishes_figures_that_its_task_tells(recipe):
    told = TOLD[registry.get("model", recipe.model).info["task"]]
    assert recipe.published and {figure.name for figure in recipe.published} <= told
    assert all(figure.split in ("train", "validation", "test") for figure in recipe.published)


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_a_recipe_says_where_its_figures_and_its_data_come_from(recipe):
    assert any(
        mark in recipe.source for mark in ("arXiv:", "doi:", "github.com/", "Keras'", "README")
    )
    assert recipe.summary.endswith(".") and recipe.data
    bundled = bool(recipe.dataset) and not recipe.get
    assert bundled or "--data" in recipe.get


def test_the_direction_of_a_figure_follows_from_its_name():
    assert Figure("bits_per_character", "test", 2.0).reached(1.9)
    assert not Figure("perplexity", "test", 100.0).reached(100.1)
    assert Figure("importance_bound", "test", 81.0).reached(80.0)
    assert Figure("exact_match", "test", 0.99).reached(0.99)
    assert not Figure("accuracy", "test", 0.97).reached(0.96)


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
