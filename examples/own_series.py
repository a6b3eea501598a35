"""Series of one's own: written to a file, learned from, judged beside the naive forecast, forecast.

    python examples/own_series.py [FOLDER]

FOLDER gets the table, the run and the forecasts; it is `runs` if none is named.
"""

import sys
from pathlib import Path

import numpy as np

import zoo

folder = Path(sys.argv[1] if len(sys.argv) > 1 else "runs")
folder.mkdir(exist_ok=True)

# Three shops with a week, sales that drift, and a day that is missing.
random, days = np.random.default_rng(1), np.datetime64("2024-01-01") + np.arange(300)
lines = ["unique_id,ds,y"]
for shop in ("north", "south", "west"):
    week, drift = 20 + 5 * random.normal(size=7), random.normal(size=300).cumsum() / 5
    sales = week[np.arange(300) % 7] + drift + random.normal(size=300)
    lines += [f"{shop},{day},{value:.2f}" for day, value in zip(days, sales)]
del lines[42]
table = folder / "sales.csv"
table.write_text("\n".join(lines) + "\n")

run = zoo.fit("forecast-gru", str(table), runs=folder, steps=20, units=16, horizon=7)
metrics = zoo.evaluate(run)
print({name: round(metrics[name], 3) for name in ("mase", "naive/mase", "skill")})
print(metrics["verdict"])
for forecast in zoo.predict(run, table):
    print(forecast["unique_id"], forecast["ds"][0], forecast["text"])
