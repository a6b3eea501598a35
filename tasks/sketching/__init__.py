"""Pictures of a kind, painted by a brush from nothing."""
