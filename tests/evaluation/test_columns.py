"""Tables of numbers as text."""

from collections import OrderedDict

from nose.tools import eq_

from colornet.evaluation.columns import Column, format_columns, metric_columns

ROWS = OrderedDict([('paper', {'acc_u': 34.64, 'sat_diff': 6.5}),
                    ('ours', {'acc_u': 19.907, 'sat_diff': 11.86,
                              'ssim': 0.9}),
                    ('nothing', {'other': 1})])


def test_numbers_are_below_their_headings():
    columns = metric_columns(['acc_u', 'sat_diff', 'ssim'])
    eq_(format_columns('system ', ROWS, columns, ['paper']), [
        'system   Acc U, % sat diff, %   SSIM',
        'paper       34.64         6.5      -',
        'ours        19.91       +11.9  0.900'])


def test_a_table_may_have_columns_of_its_own():
    columns = metric_columns(['psnr_grey', 'acc_u'],
                             acc_u=Column(heading='U', form='%4.0f'))
    eq_({name: (column.heading, column.form)
         for name, column in columns.items()},
        {'psnr_grey': ('psnr_grey', '%9.2f'), 'acc_u': ('U', '%4.0f')})
    eq_(format_columns('', {'': {'acc_u': 3.2}}, columns),
        [' psnr_grey    U', '         -    3'])
