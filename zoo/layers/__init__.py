"""What topologies are built from."""
