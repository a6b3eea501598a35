"""What stops a training as Ctrl-C does."""

import keras


class StopAfter(keras.callbacks.Callback):
    """Stops a training before its next update.

    Args:
        updates: how many there are before; None to never stop.
    """

    def __init__(self, updates=None):
        super().__init__()
        self.left = updates

    def on_train_batch_begin(self, batch, logs=None):
        if self.left == 0:
            raise KeyboardInterrupt
        if self.left:
            self.left -= 1
