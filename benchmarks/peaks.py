"""What shows the most that a machine can compute in a second."""

from collections import OrderedDict

__all__ = ['MATRIX_SIZE', 'CONVOLUTION', 'PEAKS']

#: What shows the machine's peak: a product of matrices with so many rows and
#: columns, by BLAS,
MATRIX_SIZE = 4096

#: and, as no BLAS may be the best that a processor can do, a convolution with
#: 3x3 filters: images, channels (and filters), rows (and columns).
CONVOLUTION = 6, 512, 28

#: Engine -> what it does to show it, and the multiply-adds in that.
PEAKS = OrderedDict([
    ('colornet', ("matrix product, Theano's BLAS", MATRIX_SIZE ** 3)),
    ('pytorch', ('matrix product, PyTorch', MATRIX_SIZE ** 3)),
    ('pytorch channels_last', ('direct convolution, PyTorch',
                               CONVOLUTION[0] * CONVOLUTION[1] ** 2 * 9 *
                               CONVOLUTION[2] ** 2)),
])
