"""The adding problem: a sequence of numbers in, the sum of the two marked ones out."""
