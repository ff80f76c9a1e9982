"""Training (paper, 5.2)."""
