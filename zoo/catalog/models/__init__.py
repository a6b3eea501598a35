"""The entries of the catalog, a file a kind of task."""
