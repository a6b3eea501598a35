"""`zoo reproduce`: published results, published against measured."""

from typing import Any

import click

from zoo import registry
from zoo.catalog.recipes import RECIPES, check_data, check_horizon, get
from zoo.cli.common import (
    NOT_EMPTY,
    as_json,
    check_folder,
    data_dir,
    load_api,
    print_json,
    print_table,
    refuse_what_resume_keeps,
    seed_of,
)
from zoo.errors import UserError


@click.command()
@click.argument("name", required=False)
@click.option(
    "--dataset",
    type=NOT_EMPTY,
    help="A tensorflow-datasets name, or a path where the task takes one.",
)
@data_dir
@click.option(
    "--horizon", type=int, help="Steps of a forecast, where several horizons were published."
)
@click.option("--epochs", type=int, help="Passes over the training data, at most.")
@click.option("--steps", type=int, help="Updates of the weights, at most.")
@click.option("--minutes", type=float, help="Stop training after this time.")
@click.option(
    "--resume",
    type=NOT_EMPTY,
    metavar="RUN",
    help="Go on with this run's folder, or measure it.",
)
@seed_of("weights, dropout and data order")
@click.option(
    "--runs", type=NOT_EMPTY, default="runs", show_default=True, help="Folder of all runs."
)
@as_json
@click.pass_context
def reproduce(
    context: click.Context,
    name: str | None,
    dataset: str | None,
    data_dir: str | None,
    horizon: int | None,
    epochs: int | None,
    steps: int | None,
    minutes: float | None,
    resume: str | None,
    seed: int,
    runs: str,
    as_json: bool,
) -> int:
    """Train as the recipe NAME says, and print published against measured.

    Without NAME, list the recipes. The run folder also keeps the result, as reproduced.json.

    Exits with 0 if the metrics of validation and test are as good as the published ones,
    and with 1 if they are not. Other data than the recipe's, a shorter training or other settings
    cannot be held to a target: the exit code is then 0, and it is said what was different.

    \b
    Examples:
      zoo reproduce
      zoo reproduce addition
      zoo reproduce mnist-rows --data-dir ~/tensorflow_datasets
      zoo reproduce zaremba-small --dataset ptb/ptb.train.txt
      zoo reproduce segrnn-etth2 --dataset ETT/ETTh2.csv --horizon 192
      zoo reproduce adding --resume runs/adding-lstm/1
    """
    if not name:
        _list(as_json)
        return 0
    recipe = get(name)
    # Found wrong before TensorFlow is imported, so that the answer comes at once.
    if resume:
        refuse_what_resume_keeps(context, "name")
        check_folder(resume)
    else:
        check_data(recipe, dataset, data_dir)
    if horizon is not None and not recipe.horizons:
        raise UserError(f"--horizon is for recipes of several horizons: {name} has none")
    check_horizon(recipe, horizon)
    registry.get("model", recipe.model)
    overrides = {"horizon": horizon, "epochs": epochs, "steps": steps}
    load_api()
    from zoo.api.reproduce import reproduce as run_recipe

    result = run_recipe(
        name,
        dataset=dataset,
        data_dir=data_dir,
        seed=seed,
        runs=runs,
        minutes=minutes,
        resume=resume,
        verbose=not as_json,
        **{key: value for key, value in overrides.items() if value is not None},
    )
    if as_json:
        print_json(result.as_dict())
    else:
        _tell(recipe, result)
    return 0 if result.reached or result.differences else 1


def _list(as_json: bool) -> None:
    rows = [
        {
            "name": recipe.name,
            "model": recipe.model,
            "data": recipe.data,
            "published": recipe.target(),
            "summary": recipe.summary,
        }
        for recipe in RECIPES.values()
    ]
    if as_json:
        print_json([{**row, "source": RECIPES[row["name"]].source} for row in rows])
    else:
        print_table(["name", "data", "published", "summary"], rows)


def _tell(recipe: Any, result: Any) -> None:
    rows = [
        {
            **row,
            "published": f"{row['published']:g}",
            "measured": f"{row['measured']:.4f}",
        }
        for row in result.metrics
    ]
    methods = ["method"] if any(row["method"] for row in rows) else []
    print_table(["metric", "split", *methods, "published", "measured", "reached"], rows)
    print(f"Published by: {recipe.source}.")
    if recipe.note:
        print(recipe.note)
    for difference in result.differences:
        print(f"Not as published: {difference}.")
    print(result.run.path)
