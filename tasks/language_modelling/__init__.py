"""Language modelling: predict the next character or word of a stream of text."""
