"""A file in, a coloured file out; no Theano."""
