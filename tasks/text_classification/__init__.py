"""Text classification: a text in, one label out."""
