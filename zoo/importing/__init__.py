"""Recurrent layers of PyTorch and Keras as layers of the zoo."""
