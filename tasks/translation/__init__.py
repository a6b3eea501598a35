"""Translation: one phrase in, the same phrase in another language out."""
