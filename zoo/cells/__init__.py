"""Recurrent cells: the maths of one time step, one file a family."""
