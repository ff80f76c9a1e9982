"""Names of what makes colours even; quick to import."""

from ..errors import ColornetError

__all__ = ['OF_SCORES', 'STEPS', 'check_steps', 'parse_steps', 'step_of']

#: What may be done, in this order.
STEPS = ('segments', 'crf', 'total_variation', 'fade', 'guided')

#: Those that need class scores, which regression networks do not have.
OF_SCORES = ('segments', 'crf', 'fade')

#: How names of the settings of each begin.
_PREFIXES = {'segments': 'segment', 'crf': 'crf_',
             'total_variation': 'variation_', 'fade': 'fade_',
             'guided': 'guided_'}


def step_of(setting):
    """The step that a setting of ``[refinement]`` is of.

    Parameters
    ----------
    setting : str
        Such as ``'crf_weight'``.

    Returns
    -------
    str, or None
        None for ``'steps'``.
    """
    return next((step for step, prefix in _PREFIXES.items()
                 if setting.startswith(prefix)), None)


def parse_steps(text):
    """Understand the names of steps.

    Parameters
    ----------
    text : str
        Such as ``'total_variation guided'``; empty or ``'none'``: no step.

    Returns
    -------
    tuple of str
        In the order of :data:`STEPS`.

    Raises
    ------
    ValueError
        If one is unknown, or there twice.
    """
    names = text.replace(',', ' ').split()
    if names in ([], ['none']):
        return ()
    if len(set(names)) < len(names) or set(names) - set(STEPS):
        raise ValueError('must be none, or one or several of '
                         + ', '.join(STEPS))
    return tuple(step for step in STEPS if step in names)


def check_steps(text):
    """:func:`parse_steps` for users.

    Raises
    ------
    ColornetError
        If one is unknown.
    """
    try:
        return parse_steps(text)
    except (AttributeError, ValueError):
        raise ColornetError('refinement must be none, or one or several of '
                            '%s, not %r' % (', '.join(STEPS), text))
