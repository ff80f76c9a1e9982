"""Data sets and minibatches (paper, 4)."""
