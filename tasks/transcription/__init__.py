"""A picture to the sequence of its labels."""
