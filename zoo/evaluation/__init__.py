"""How good a model is: sums over a split, metrics with their intervals, and plots."""
