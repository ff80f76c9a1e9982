"""Speed beside the same network in PyTorch, and training by PyTorch."""
