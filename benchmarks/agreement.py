"""Whether two engines compute the same, as far as their floats let them."""

from collections import OrderedDict
from pathlib import Path

import numpy as np

from colornet.errors import ColornetError
from colornet.terminal import progress_bar

from .children import Child
from .engines import COLORNET, COLORNET_BFLOAT16, PYTORCH_BFLOAT16, REFERENCE

__all__ = ['TOLERANCES', 'BFLOAT16_TOLERANCES', 'check_agreement', 'compare',
           'kind_of', 'tolerances']

#: Kind of result -> allowed root mean square of the differences, as a part
#: of the values' own. A sum in float32 is off by some 1e-7; what is measured
#: is written behind.
TOLERANCES = {
    'scores': 1e-5,           # 4e-7
    # Batch statistics amplify; Winograd's algorithm loses a digit.
    'training scores': 1e-4,  # 6e-6
    'average': 1e-5,          # 1e-7
    # A rectifier's gradient jumps at zero: where a map is zero to within
    # rounding, a filter's gradient differs by a whole pixel's share.
    'gradient': 1e-3,         # 3e-4
    # Of several steps, by the same rule.
    'losses': 1e-6,           # 1e-8
    # Part of the pixels that are decoded to another bin: where the two
    # largest scores are equal to within rounding.
    'chrominance': 1e-3,      # 0
}

#: The same for bfloat16; behind is what is measured, PyTorch's after ours.
BFLOAT16_TOLERANCES = {
    'scores': 1e-2,           # 5e-3, 6e-3
    'training scores': 1e-2,  # 5e-3, 6e-3
    'average': 1e-3,          # 6e-4, 6e-4
    'gradient': 0.15,         # 0.07, 0.11
    'losses': 1e-3,           # 5e-4, 6e-4
    'chrominance': 2e-2,      # 9e-3, 1.5e-2
}

#: How much further from float64 than PyTorch's floats of the same size we
#: may be: where these have few bits, rounding is much alike.
FACTOR, BFLOAT16_FACTOR = 4, 2

#: Arrays count as if they were no smaller than this part of the largest of
#: their kind. Some are nothing but rounding: batch normalization after a 1x1
#: convolution takes away what the shift before it (``conv4_3_bn/beta``)
#: adds, so its gradient is zero.
FLOOR = 1e-3

#: Images in the minibatch of the check.
BATCH_SIZE = 2

#: Engine -> PyTorch's that has the same floats, what is always allowed, and
#: how much further it may be.
YARDSTICKS = {engine: ('pytorch', TOLERANCES, FACTOR) for engine in COLORNET}
YARDSTICKS[COLORNET_BFLOAT16] = (PYTORCH_BFLOAT16, BFLOAT16_TOLERANCES,
                                 BFLOAT16_FACTOR)


def check_agreement(problem, folder, num_threads, engines, on_death):
    """Compare engines with PyTorch in float64, as far as rounding lets them.

    Parameters
    ----------
    problem : str
        File of :func:`benchmarks.problem.write_problem`.
    folder : str or Path
        Gets files.
    num_threads : int
    engines : sequence of str
        Those that are colornet's are checked.
    on_death : callable
        Takes one of these that died and its message.

    Returns
    -------
    list of str
        Lines that say how well they agree.

    Raises
    ------
    ColornetError
        If they do not: the worst array. Or if PyTorch dies.
    """
    lines = []

    def results_of(engine):
        path = Path(folder, 'results.npz')
        child = Child(engine, problem, BATCH_SIZE, num_threads)
        try:
            child.write_results(path)
        finally:
            child.stop()
        if engine != REFERENCE:
            lines.append('%s: %s' % (engine, child.description))
        with np.load(path) as file:
            return dict(file)

    def compare_with_exact(engine, results, allowed):
        rows = compare(results, exact, allowed)
        name, difference, limit = rows[0]
        if not difference <= limit:
            raise ColornetError(
                '%s does not compute what PyTorch does in float64: %s differs '
                'by %.1e of its size, allowed are %.1e'
                % (engine, name, difference, limit))
        kinds = OrderedDict()
        for name, difference, _ in rows:
            kind = kind_of(name)
            kinds[kind] = max(difference, kinds.get(kind, 0.))
        lines.append('%s is as near to float64 as: %s' % (engine, ', '.join(
            '%s %.0e' % item for item in sorted(kinds.items()))))

    exact = results_of(REFERENCE)
    allowed = {}
    for engine in progress_bar([engine for engine in engines
                                if engine in COLORNET],
                               desc='agreement', unit='engine'):
        try:
            results = results_of(engine)
        except ColornetError as error:
            on_death(engine, str(error))
            continue
        yardstick, least, factor = YARDSTICKS[engine]
        if yardstick not in allowed:
            theirs = results_of(yardstick)
            allowed[yardstick] = tolerances(theirs, exact, least, factor)
            compare_with_exact(yardstick, theirs, allowed[yardstick])
        compare_with_exact(engine, results, allowed[yardstick])
    return lines


def kind_of(name):
    """'gradient' of 'gradient r4_conv/W'; 'scores' of 'scores'."""
    return name.rsplit(' ', 1)[0] if '/' in name else name


def tolerances(theirs, exact, least=TOLERANCES, factor=FACTOR):
    """How far rounding may take results, as it does the other side's, too.

    A rectifier's gradient jumps at zero, so what rounding does to a gradient
    depends on the photos, the weights and the processor. How much that is,
    the other side shows.

    Parameters
    ----------
    theirs, exact : dict of str to ndarray
        Results in floats as ours, and in float64.
    least : dict of str to float
        Kind of result -> difference that is always allowed.
    factor : float
        By which ours may be further off than theirs.

    Returns
    -------
    dict of str to float
        Kind of result -> allowed difference: `least`, or `factor` times the
        largest of theirs, but `factor` times `least` at most.
    """
    allowed = dict(least)
    for name, difference, _ in compare(theirs, exact):
        kind = kind_of(name)
        if kind in allowed and np.isfinite(difference):
            # Who is too far off himself is no yardstick.
            allowed[kind] = max(allowed[kind],
                                factor * min(difference, least[kind]))
    return allowed


def compare(ours, theirs, allowed=TOLERANCES):
    """Compare what :func:`benchmarks.engines.collect_results` collected.

    Parameters
    ----------
    ours, theirs : dict of str to ndarray
    allowed : dict of str to float
        Kind of result -> largest difference.

    Returns
    -------
    list of (str, float, float)
        Name, difference and the largest difference allowed, the worst first
        (in units of what is allowed).
    """
    floors = {}
    for name, array in theirs.items():
        size = FLOOR * _root_mean_square(array)
        floors[_family(name)] = max(size, floors.get(_family(name), 0.))
    rows = []
    for name in sorted(set(ours) | set(theirs)):
        if name not in ours or name not in theirs or (
                np.shape(ours[name]) != np.shape(theirs[name])):
            difference = float('inf')  # As far off as can be.
        elif name == 'chrominance':
            difference = np.mean(ours[name] != theirs[name])
        else:
            difference = _root_mean_square(ours[name] - theirs[name]) / max(
                _root_mean_square(theirs[name]), floors[_family(name)])
        rows.append((name, float(difference),
                     allowed.get(kind_of(name), 0.)))
    # NaN is the worst.
    return sorted(rows, reverse=True, key=lambda row: (
        row[1] / row[2] if np.isfinite(row[1]) else float('inf')))


def _family(name):
    """Arrays of one kind of result and of parameter."""
    return kind_of(name), name.rsplit('/', 1)[-1]


def _root_mean_square(array):
    return np.sqrt(np.mean(np.square(array, dtype=np.float64)))
