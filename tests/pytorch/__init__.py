"""Tests of colornet/pytorch, left out where PyTorch is not installed."""
