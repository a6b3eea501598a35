"""What the models are for: one folder a task."""
