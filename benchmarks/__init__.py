"""Measurements side by side; each prints ratios and writes a table to benchmarks/results/."""
