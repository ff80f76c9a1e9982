"""Trained networks that predict, by any engine (paper, 3.1)."""
