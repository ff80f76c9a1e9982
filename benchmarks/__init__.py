"""Speed and memory of colornet beside the same network in PyTorch."""
