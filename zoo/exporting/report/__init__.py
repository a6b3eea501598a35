"""One page that says what came of a run, or of several side by side."""
