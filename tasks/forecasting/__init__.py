"""Forecasting: at each step of a series, what its next values will be."""
