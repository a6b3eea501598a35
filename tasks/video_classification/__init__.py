"""Video classification: many frames in, one label out."""
