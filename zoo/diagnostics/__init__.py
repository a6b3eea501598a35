"""What a cell costs, what it remembers, and how cells compare."""
