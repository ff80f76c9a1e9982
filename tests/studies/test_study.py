"""Studies as files: what they vary, and the folders of their trainings."""

import tempfile
from pathlib import Path
from unittest import mock

from nose.tools import assert_in, assert_not_in, assert_raises, eq_, ok_

from colornet.config import load_config
from colornet.errors import ColornetError
from colornet.studies.study import (SCALES, find_studies, load_study,
                                    plan_study, scale_file)
from tests import tiny

STUDY = '''
[study]
title = Two sums
section = 5.2
claim = Nothing.
plot = acc_u sat_diff
columns = acc_u edge_error peak_mb
finding = None.
agrees = partly

[settings]
training.seed = 3
[quick]
data.size = 32
[full]
training.epochs = 40

[variant one]
[variant the  other, = 2]
network.tail = 8 8
training.seed = 4
[variant smooth]
decoding.smoothing = 2
'''


def study_of(text):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'sums.ini'
        path.write_text(text)
        return load_study(path)


def test_a_study_has_variants_over_its_settings_and_those_of_the_scale():
    study = study_of(STUDY)
    eq_((study.name, study.title, study.agrees), ('sums', 'Two sums',
                                                  'partly'))
    eq_(study.columns, ['acc_u', 'edge_error', 'peak_mb'])
    eq_((study.evaluate, study.curve), ('validation', ['epoch']))
    one, other, smooth = plan_study(study, 'quick')
    eq_([variant.name for variant in (one, other, smooth)],
        ['one', 'the other, = 2', 'smooth'])
    eq_(one.overrides, ['data.size=32', 'training.seed=3'])
    eq_(other.overrides, ['data.size=32', 'network.tail=8 8',
                          'training.seed=4'])
    eq_(one.run, 'size=32,seed=3')
    eq_(other.run, 'size=32,tail=8-8,seed=4')
    # A decoding needs no training of its own.
    eq_((smooth.run, smooth.overrides), (one.run, one.overrides))
    eq_((smooth.decoding, one.decoding), (['decoding.smoothing=2.0'], []))
    eq_(smooth.config.decoding['smoothing'], 2)
    full = plan_study(study, 'full')[0]
    eq_(full.config.data['size'], 224)
    eq_(full.overrides, ['training.epochs=40', 'training.seed=3'])


def test_the_users_settings_win():
    for variant in plan_study(study_of(STUDY), 'quick', ['training.seed=9']):
        eq_(variant.config.training['seed'], 9)


def test_what_is_as_the_scale_has_it_is_not_in_the_name():
    size = load_config(scale_file('quick')).data['size']
    study = study_of(STUDY.replace('data.size = 32', 'data.size = %d' % size))
    eq_(plan_study(study, 'quick', ['training.seed=2016'])[0].run, 'baseline')


def test_long_names_are_cut_but_stay_different():
    names = {plan_study(study_of(STUDY), 'quick', [
        'training.start_from=' + 'x' * 200 + end])[0].run for end in 'ab'}
    eq_(len(names), 2)
    ok_(all(len(name) < 140 for name in names))


def test_environments_make_trainings_of_their_own():
    study = study_of(STUDY + '[variant slow]\nenvironment.A_B = x = y\n')
    plan = plan_study(study, 'quick')
    eq_(dict(plan[-1].environment), {'A_B': 'x = y'})
    eq_(plan[-1].overrides, plan[0].overrides)
    eq_(plan[0].run, 'size=32,seed=3')
    ok_(plan[-1].run.startswith('size=32,seed=3,A_B=x-=-y'))
    eq_(dict(plan[0].environment), {})


def test_settings_that_differ_have_folders_of_their_own():
    names = [plan_study(study_of(STUDY), 'quick', [
        'training.start_from=' + path])[0].run
        for path in ('a b', 'a-b', 'a,b', 'a/b', 'é', 'è', 'a  b')]
    eq_(len(set(names)), len(names))


def test_bad_studies_are_refused():
    for old, new, words in [
            ('plot =', 'curve = weeks\nplot =', ['weeks', 'seconds']),
            ('plot =', 'curve = minibatch\nplot =', ['minibatch']),
            ('plot =', 'curve =\nplot =', ['curve names nothing', 'epoch']),
            ('training.seed = 4', 'environment.A B = 4', ['environment.A B']),
            ('[study]', '[stuby]', ['no study']),
            ('title = Two sums', '', ['title']),
            ('plot = acc_u', 'plot = acc_w', ['acc_w', 'acc_v']),
            ('columns = acc_u', 'columns = acc_w', ['acc_w', 'peak_mb']),
            ('agrees = partly', 'agrees = mostly', ['agrees', 'partly']),
            ('section = 5.2', 'sections = 5.2', ['sections']),
            ('[full]', '[huge]', ['[huge]', '[full]']),
            ('[variant one]', '[variant ]', ['[variant ]']),
            ('[variant one]', '[variant one]\n[variant  one ]',
             ['two variants', 'one']),
            ('[variant one]\n', '[variant one\n', ['sums.ini'])]:
        assert_in(old, STUDY)
        tiny.check_error(lambda: study_of(STUDY.replace(old, new)), *words)
    tiny.check_error(lambda: study_of(STUDY.partition('[variant')[0]),
                     'variant')
    tiny.check_error(lambda: load_study('aggregatoin'), 'aggregatoin')
    tiny.check_error(lambda: load_study('no/such.ini'), 'no/such.ini')


def test_a_wrong_setting_is_named_with_its_variant():
    study = study_of(STUDY.replace('network.tail', 'network.trail'))
    tiny.check_error(lambda: plan_study(study, 'quick'), 'sums', 'the other',
                     'network.trail')
    study = study_of(STUDY.replace('network.tail = 8 8',
                                   'training.epochs = x'))
    with assert_raises(ColornetError) as caught:
        plan_study(study, 'quick')
    text = str(caught.exception)
    assert_in('training.epochs = x: must be a whole number', text)
    assert_not_in('--set', text)
    tiny.check_error(lambda: plan_study(study, 'quick', ['a.b=c']), '--set',
                     'a.b')


def settings_of(study, *names):
    """What the variants of a study that ships have for some settings."""
    return {tuple(variant.config[name.partition('.')[0]][
        name.partition('.')[2]] for name in names)
            for variant in plan_study(load_study(study), 'full')}


def test_the_studies_that_ship_vary_what_the_paper_did():
    for study, names, values in [
            ('batch-normalization', ['network.batch_norm'],
             [(True,), (False,)]),
            ('losses', ['objective.loss'], [('l2',), ('huber',)]),
            ('overfit', ['data.num_images', 'data.hold_out'], [(270, 0)]),
            ('learning-rate', ['training.learning_rate', 'data.num_images'],
             [(rate, 270) for rate in (.1, .01, .001, .0001, .00001)]),
            ('learning-rate-whole',
             ['training.learning_rate', 'data.num_images', 'data.hold_out'],
             [(rate, 0, .1) for rate in (.001, .0003)]),
            ('update-rules', ['training.update_rule', 'training.beta1',
                              'training.beta2', 'training.momentum'],
             [('adam', .9, .99, .9), ('adam', .9, .999, .9),
              ('nesterov', .9, .999, .9)]),
            ('batch-sizes', ['training.batch_size'],
             [(4,), (6,), (8,), (12,)]),
            ('initialization', ['network.initialization'], [('glorot',)]),
            ('aggregation', ['network.aggregation'], [('concat',), ('sum',)]),
            ('residual-units', ['network.residual_units', 'data.num_images',
                                'data.hold_out'],
             [(True, 300, 0), (False, 300, 0)]),
            ('head-depth', ['network.tail'],
             [((256, 64, 64),), ((256, 64),), ((64, 64),), ((256,),),
              ((64,),)]),
            ('color-space', ['network.color_space', 'network.kind'],
             [(space, kind) for space in ('luv', 'hsv')
              for kind in ('classification', 'regression')]),
            ('smoothing', ['decoding.smoothing'], [(0,), (1,)]),
            ('bins', ['network.num_bins'], [(50,), (100,)])]:
        ok_(set(values) <= settings_of(study, *names), study)


def test_learning_rates_are_compared_over_as_many_iterations():
    for name in 'learning-rate', 'learning-rate-whole':
        for scale in SCALES:
            plan = plan_study(load_study(name), scale)
            eq_(len({variant.config.training['learning_rate']
                     for variant in plan}), len(plan))
            # Nothing else differs, neither epochs nor minibatches.
            eq_(len({tuple(line for line in variant.overrides if not
                           line.startswith('training.learning_rate='))
                     for variant in plan}), 1, (name, scale))


def test_other_files_among_the_studies():
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / 'a.ini').write_text('[study]\n')
        (root / 'latin.ini').write_bytes(b'; \xe9\n[study]\n')
        (root / 'folder.ini').mkdir()
        with mock.patch('colornet.studies.study.find_resource',
                        lambda name: root):
            eq_([path.name for path in find_studies()], ['a.ini', 'latin.ini'])
            tiny.check_error(lambda: load_study('latin'), 'latin.ini')


def test_the_studies_that_ship_can_be_planned():
    shipped = [load_study(path) for path in find_studies()]
    names = [study.name for study in shipped]
    for name in ('overfit', 'learning-rate', 'learning-rate-whole',
                 'update-rules', 'batch-sizes', 'initialization',
                 'batch-normalization', 'losses', 'aggregation',
                 'residual-units', 'head-depth', 'color-space', 'smoothing',
                 'bins', 'seeds'):
        assert_in(name, names)
    for study in shipped:
        for scale in SCALES:
            plan = plan_study(study, scale)
            if study.name == 'smoothing':
                eq_({variant.run for variant in plan}, {'baseline'})
            variants = {(variant.run, tuple(variant.decoding))
                        for variant in plan}
            # No two variants are the same.
            eq_(len(variants), len(plan), (study.name, scale))
