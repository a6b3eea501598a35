"""`zoo diagnose`: how far back gradients reach."""

import click

from zoo.cli.common import (
    as_json,
    data_dir,
    load_api,
    output_file,
    print_json,
    print_table,
    seed_of,
)


@click.command()
@click.argument("what", nargs=-1, required=True, metavar="CELL|MODEL|RUN...")
@click.option(
    "--task",
    "memory_task",
    default="adding",
    show_default=True,
    help="What cells are trained on: adding, copy or parity.",
)
@click.option("--parameters", default=20000, show_default=True, help="Of a cell's network.")
@click.option(
    "--length", default=100, show_default=True, help="Time steps, of cells and of streams."
)
@click.option(
    "--steps", default=600, show_default=True, help="Steps of a cell's training; 0 for none."
)
@seed_of("a cell's weights and sequences")
@output_file(
    "PNG, PDF or SVG. [plots/diagnosis.png of a single run; else diagnosis.png here, or "
    "diagnosis-1.png and so on where it is taken]"
)
@data_dir
@as_json
def diagnose(
    what: tuple[str, ...],
    memory_task: str,
    parameters: int,
    length: int,
    steps: int,
    seed: int,
    output: str | None,
    data_dir: str | None,
    as_json: bool,
) -> None:
    """Measure how far back gradients reach in cells, models of the catalog, runs and exports.

    The gradient of the last loss in the state t steps back, at the start and after training: where
    it falls under 1% of that at the last step it vanishes, where it grows more than tenfold it
    explodes. Beside it the spectral radius of the step's Jacobian, saturated gates, clipped
    updates, and what time and memory a gradient over so many steps costs. Cells are trained here,
    on a test of memory, with as many parameters each; a score of 0 is chance there, 1 is perfect.
    ./lstm is a folder, lstm the cell.

    \b
    Examples:
      zoo diagnose vanilla_rnn lstm gru min_gru
      zoo diagnose irnn ind_rnn lru --steps 0
      zoo diagnose runs/char-lstm/1 --length 200
    """
    from zoo.diagnostics.subjects import check_sizes, kind_of

    # Found wrong before TensorFlow is imported, so that the answer comes at once.
    for each in what:
        kind_of(each)
    check_sizes(memory_task, parameters, length, steps)
    api = load_api()

    options = {"parameters": parameters, "length": length, "steps": steps, "seed": seed}
    diagnoses = api.diagnose(
        *what,
        memory_task=memory_task,
        data_dir=data_dir,
        path=output,
        verbose=not as_json,
        **options,
    )
    if as_json:
        values = [diagnosis.to_json() for diagnosis in diagnoses]
        print_json({"diagnoses": values, "plot": str(diagnoses.plot)})
        return
    rows = [row for diagnosis in diagnoses for row in diagnosis.rows()]
    print_table([column for column in rows[0] if any(row[column] for row in rows)], rows)
    for diagnosis in diagnoses:
        print(f"{diagnosis.explanation}\n")
    print(diagnoses.plot)
