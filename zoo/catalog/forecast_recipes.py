"""Published results of forecasting to reproduce, see `zoo.catalog.recipes`."""

from zoo.catalog.recipe import Published, Recipe

_WITHIN = 0.02
"""Of a published error: another order of the data moves it by about so much."""
_SEGRNN = (
    "S. Lin et al., arXiv:2308.11200; numbers of its code, github.com/lss-1138/SegRNN, at "
    "look-back 96, of the version whose test leaves out no window"
)
_ETT = (
    "{name}, github.com/zhouhaoyi/ETDataset, 7 columns of 17,420 hours: give --dataset "
    "FOLDER/{name}.csv"
)
_SEGRNN_NOTE = (
    "--horizon 192, 336 and 720 train for the other horizons, a training each. Trained for 16 "
    "epochs, with the mean of the weights since the fourth, of which the least absolute error of "
    "the validation part chooses, in place of 30 that end early by the squared one; on windows "
    "drawn anew in each, those at the end also, whose targets past it do not count. Within 2 % "
    "counts as reached."
)
_MONTHS = {
    "train_steps": 8640,
    "validation_steps": 2880,
    "test_steps": 2880,
    "season": 24,
    "look_back": 96,
    "horizon": 96,
}
_M4_SOURCE = (
    "S. Makridakis et al. 2020, doi:10.1016/j.ijforecast.2019.04.014 (seasonal naive, ES-RNN), and "
    "results of Nixtla's statsforecast and of GluonTS (AutoARIMA, DeepAR)"
)
_M4 = (
    "the {name} files of the M4 competition, github.com/Mcompetitions/M4-methods, folder Dataset: "
    "give --dataset FOLDER, with {name}-train.csv and {name}-test.csv in it"
)


def _errors(rows: dict[int, tuple[float, float]]) -> tuple[Published, ...]:
    """Return squared and absolute errors of standardised values, by horizon."""
    return tuple(
        Published(f"standardised_{name}", "test", value, horizon=horizon, within=_WITHIN)
        for horizon, pair in rows.items()
        for name, value in zip(("mse", "mae"), pair)
    )


FORECAST_RECIPES = (
    Recipe(
        "segrnn-etth1",
        "A GRU over segments of the last 96 hours, ETTh1: the load of a transformer.",
        model="forecast-segrnn",
        published=_errors(
            {
                96: (0.368, 0.395),
                192: (0.408, 0.419),
                336: (0.444, 0.440),
                720: (0.446, 0.457),
            }
        ),
        source=_SEGRNN,
        data="ETTh1",
        get=_ETT.format(name="ETTh1"),
        sha256="fb1df9e894c75d5cf4428f3f5483373f9cba081fbb2e357501131fb1af9436d7",
        overrides={**_MONTHS, "learning_rate": 1e-3},
        note=_SEGRNN_NOTE,
    ),
    Recipe(
        "segrnn-etth2",
        "A GRU over segments of the last 96 hours, ETTh2: the load of another transformer.",
        model="forecast-segrnn",
        published=_errors(
            {
                96: (0.278, 0.335),
                192: (0.359, 0.389),
                336: (0.421, 0.436),
                720: (0.432, 0.455),
            }
        ),
        source=_SEGRNN,
        data="ETTh2",
        get=_ETT.format(name="ETTh2"),
        sha256="67c4c35f48b657600cc9113134d983f61454bb5f05b12c8969c6baa837da3970",
        overrides={**_MONTHS, "learning_rate": 2e-4},
        note=_SEGRNN_NOTE,
    ),
    Recipe(
        "m4-weekly",
        "A GRU over 359 weekly series of all kinds, the last 13 weeks of each to be forecast.",
        model="forecast-gru",
        published=(
            Published("mase", "test", 2.777, "seasonal naive"),
            Published("mase", "test", 2.34, "AutoARIMA"),
            Published("mase", "test", 4.62, "DeepAR"),
        ),
        source=_M4_SOURCE,
        data="M4 Weekly",
        get=_M4.format(name="Weekly"),
        sha256="dd4c154bb8ad5411bf7422b4c836d1525f424f3fd0fffb8f5989edddaa35ce10",
        overrides={"season": 1, "horizon": 13},
        minutes=3,
        note="MASE in units of the change from week to week (m = 1), as M4 has it. AutoARIMA's is "
        "2.34 to 2.36, by release.",
    ),
    Recipe(
        "m4-hourly",
        "A GRU over 414 hourly series of all kinds, the last 48 hours of each to be forecast.",
        model="forecast-gru",
        published=(
            Published("mase", "test", 1.193, "seasonal naive"),
            Published("mase", "test", 0.893, "ES-RNN"),
        ),
        source=_M4_SOURCE,
        data="M4 Hourly",
        get=_M4.format(name="Hourly"),
        sha256="f807995ae238b8bb0cbf7fefe0549996fa42143106c4d54a862cb771322f0261",
        overrides={"season": 24, "horizon": 48, "look_back": 336},
        note="MASE in units of the change from day to day (m = 24), as M4 has it. ES-RNN won M4; "
        "it is an ensemble, and fits each series by itself.",
    ),
)
