"""Figures for faults, bad input and load."""
