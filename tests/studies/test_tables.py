"""Results of studies as tables of text."""

from collections import OrderedDict

from nose.tools import eq_

from colornet.studies.study import load_study
from colornet.studies.tables import (format_number, format_result,
                                     format_results, study_table)


def test_numbers_have_four_digits():
    for text, shown in (('5.36495', '5.365'), ('35771282.1', '35771282'),
                        ('-12345.6', '-12346'), ('9999', '9999'),
                        ('0.0000123456', '1.235e-05'), ('nan', 'nan'),
                        ('yes', 'yes'), ('', '')):
        eq_(format_number(text), shown)


def test_shares_are_in_percent_and_numbers_of_the_training_are_not():
    for name, text, shown in (
            ('acc_u', '0.204512', '20.45'), ('psnr', '22.7198', '22.72'),
            ('sat_diff', '-0.273', '-27.3'), ('psnr', '', ''),
            ('training_loss', '0.12061', '0.1206'),
            ('num_parameters', '2405348', '2405348')):
        eq_(format_result(name, text), shown)


def test_a_table_has_the_columns_of_its_study():
    study = load_study('initialization')
    rows = [OrderedDict([('variant', 'Glorot'), ('scale', 'full'),
                         ('status', 'done'), ('size', '224'),
                         ('acc_u', '0.5'), ('training_loss', '4.25')]),
            OrderedDict([('variant', 'He'), ('scale', 'full'),
                         ('status', 'training diverged'), ('size', '224'),
                         ('acc_u', ''), ('training_loss', '')])]
    eq_(study_table(study, rows), {
        'header': ['variant (full)', 'training loss', 'acc u'],
        'rows': [['Glorot', '4.25', '50'], ['He', 'training diverged', '']]})


def test_a_table_is_in_the_units_of_papers():
    study = load_study('seeds')
    text = format_results(study, 'quick', OrderedDict([
        ('a', {'status': 'done', 'validation_loss': 5.43606, 'acc_u': 0.2045}),
        ('b', {'status': 'the disk is full'})]))
    lines = text.split('\n')
    eq_(lines[0], '%s (%s; quick)' % (study.title, study.section))
    eq_(lines[1].split(), ['variant'] + study.columns)
    values = dict(zip(study.columns, lines[2].split()[1:]))
    eq_((values['validation_loss'], values['acc_u']), ('5.436', '20.45'))
    eq_(lines[3:], ['b: the disk is full'])
