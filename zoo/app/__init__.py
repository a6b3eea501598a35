"""The playground: a page on this machine, on which models answer, write and show what they saw."""
