"""Pictures painted by a brush, stroke by stroke."""
