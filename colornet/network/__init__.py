"""The networks, and their files (paper, 3)."""
