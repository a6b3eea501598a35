"""Image classification: one picture in, one label out."""
