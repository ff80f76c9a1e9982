"""How Theano computes: nothing here changes a number.

switches, theano_mends, backend, native, kernels, blocks, convolvers, upscaled,
convolutions, speedups, function_cache
"""
