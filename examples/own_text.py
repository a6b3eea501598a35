"""A language model of a text of one's own: fitted, stopped, continued, and asked for more.

    python examples/own_text.py FILE [FOLDER OF RUNS]

FILE is any UTF-8 text, plain or gz; the runs go to `runs` if no other folder is named.
"""

import sys

import zoo

if len(sys.argv) < 2:
    sys.exit("Which text? python examples/own_text.py FILE [FOLDER OF RUNS]")
text, runs = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "runs"

# Truncated BPTT: an update every 32 characters (k1), whose gradient goes back over 64 (k2).
run = zoo.fit(
    "char-lstm", text, runs=runs, epochs=1, units=64, batch_size=8, window=32, truncation=64
)
# As if it had been begun with two epochs.
run = zoo.resume(run, epochs=2)

print({name: round(value, 3) for name, value in zoo.evaluate(run).items()})
for piece in zoo.generate(run, "The ", length=100, temperature=0.8, top_p=0.9, seed=1):
    print(piece, end="", flush=True)
print()
