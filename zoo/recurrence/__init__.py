"""Runs any cell over time, with one gradient derived by hand for all of them."""

from zoo.recurrence.layer import Recurrence

__all__ = ["Recurrence"]
