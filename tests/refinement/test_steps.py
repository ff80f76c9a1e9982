"""Names of steps."""

from nose.tools import assert_raises, eq_

from colornet.errors import ColornetError
from colornet.refinement.steps import (OF_SCORES, STEPS, check_steps,
                                       parse_steps, step_of)
from colornet.schema import SCHEMA


def test_names_come_in_the_order_of_the_work():
    eq_(parse_steps('guided total_variation'), ('total_variation', 'guided'))
    eq_(parse_steps('fade, crf'), ('crf', 'fade'))
    eq_(parse_steps(' '.join(reversed(STEPS))), STEPS)
    for text in 'none', '', ' ':
        eq_(parse_steps(text), ())
    eq_(set(OF_SCORES) - set(STEPS), set())


def test_what_is_no_name():
    for text in 'None', 'segment', 'none fade', 'fade fade', 'fade;crf':
        assert_raises(ValueError, parse_steps, text)
        with assert_raises(ColornetError) as caught:
            check_steps(text)
        for word in ('total_variation', repr(text)):
            assert word in str(caught.exception), caught.exception
    for value in 3, ['fade'], True:
        assert_raises(ColornetError, check_steps, value)


def test_settings_are_of_steps():
    steps = [step_of(setting) for setting in SCHEMA['refinement']]
    eq_(steps[0], None)
    eq_(list(dict.fromkeys(steps[1:])), list(STEPS))
