"""The card of an export: what the model is, where it comes from, and how good it is."""
