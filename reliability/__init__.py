"""Figures for faults: what was tried, how often, and what was lost."""
