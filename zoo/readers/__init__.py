"""Reads what people have: text, pictures, videos, numbers; whole, or as a stream."""
