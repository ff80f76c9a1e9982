"""What every op of C++ code must do."""

import numpy as np
from nose.tools import assert_in, assert_raises
from numpy.testing import assert_allclose

from colornet.engine.backend import theano

#: Of results, by their type.
TOLERANCES = {'float64': 1e-10, 'float32': 1e-5}


def inplace_ops(function):
    return {type(node.op).__name__ for node in function.maker.fgraph.toposort()
            if getattr(node.op, 'inplace', False)}


def check_overwriting(op, inputs, result, kept, values):
    """`result` may take the memory of `kept`, unless that is wanted, too."""
    alone = theano.function(inputs, result)
    assert_in(op, inplace_ops(alone))
    sums = kept.sum((2, 3))
    both = theano.function(inputs, [result, sums])
    expected = theano.function(inputs, sums, on_unused_input='ignore')
    got, kept_sums = both(*values)
    assert_allclose(got, alone(*values), rtol=1e-6)
    assert_allclose(kept_sums, expected(*values), rtol=1e-6)


def rounded(array):
    """To the nearest bfloat16: the upper half of a float32's bits."""
    bits = np.ascontiguousarray(array, np.float32).view(np.uint32)
    bits = bits + 0x7fff + (bits >> 16 & 1)
    return (bits & 0xffff0000).view(np.float32)


def check_refused(error, function, *words):
    with assert_raises(error) as raised:
        function()
    for word in words:
        assert_in(word, str(raised.exception))
