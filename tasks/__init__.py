"""The tasks that models are for: one folder a task."""
