"""Sequence labelling: a tag for each word of a sentence that is known as a whole."""
