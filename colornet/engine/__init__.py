"""How Theano computes: nothing here changes a number."""
