"""Truncated BPTT over windows of parallel streams."""
