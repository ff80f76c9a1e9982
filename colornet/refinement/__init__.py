"""Scores of a network become colours, and these even (paper, 6)."""
