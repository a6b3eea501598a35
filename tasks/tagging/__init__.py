"""Tagging: a class for every character of a stream, while the stream is still being read."""
