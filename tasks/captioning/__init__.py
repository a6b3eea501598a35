"""Captioning: one image in, a sentence about it out."""
