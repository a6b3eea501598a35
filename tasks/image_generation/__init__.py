"""Pictures of the kind of a data set: how likely each is, and new ones."""
