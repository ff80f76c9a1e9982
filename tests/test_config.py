"""Configurations: defaults, overrides, and everything that is refused."""

import json
import pathlib
import shutil
import tempfile

from nose.tools import assert_raises, eq_, ok_

from colornet.config import Config, load_config
from colornet.errors import ColornetError
from colornet.schema import BELONGING, SCHEMA
from colornet.studies.study import find_studies
from tests.tiny import check_error

EXPERIMENTS = pathlib.Path(__file__).parent.parent / 'experiments'
REGRESSION = ['network.kind=regression', 'objective.loss=l2']


class TestFiles:
    """Configurations in a temporary folder."""

    def setup(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())

    def teardown(self):
        shutil.rmtree(str(self.folder))

    def write(self, content):
        path = self.folder / 'experiment.ini'
        path.write_bytes(content if isinstance(content, bytes)
                         else content.encode('utf-8'))
        return path

    def refused(self, path, *words):
        """Loading raises one line that has the words in it."""
        check_error(lambda: load_config(path), *words)

    def test_a_file_replaces_only_what_it_holds(self):
        config = load_config(self.write('[training]\nepochs = 3\n'))
        eq_(config.training['epochs'], 3)
        config.training['epochs'] = load_config().training['epochs']
        eq_(config, load_config())

    def test_overrides_win_over_files(self):
        path = self.write('[training]\nepochs = 3\nseed = 4\n')
        config = load_config(path, ['training.epochs = 5'])
        eq_((config.training['epochs'], config.training['seed']), (5, 4))

    def test_a_byte_order_mark_and_comments_and_case(self):
        config = load_config(self.write(
            b'\xef\xbb\xbf# \xc3\xa9\r\n[training]\r\nEpochs = 3\r\n; no\r\n'))
        eq_(config.training['epochs'], 3)

    def test_an_empty_file_is_the_defaults(self):
        eq_(load_config(self.write('')), load_config())

    def test_unknown_settings(self):
        self.refused(self.write('[training]\nepoch = 3\n'),
                     'experiment.ini', 'unknown', 'training.epoch')
        self.refused(self.write('[trainer]\nepochs = 3\n'),
                     'unknown', 'trainer.epochs')
        # configparser's own section of defaults is none of ours.
        self.refused(self.write('[DEFAULT]\nepochs = 3\n'),
                     'unknown', 'DEFAULT.epochs')

    def test_files_that_are_none(self):
        self.refused(self.folder / 'none.ini', 'none.ini', 'No such file')
        self.refused(self.folder, 'directory')
        self.refused(self.write(b'\x89HDF\r\n\x1a\n\x00\xff'),
                     'experiment.ini')
        self.refused(self.write(b'\x00' * 100), 'experiment.ini')

    def test_broken_files(self):
        self.refused(self.write('epochs = 3\n'), 'no section', 'line: 1')
        self.refused(self.write('[training]\nepochs\n'), 'parsing errors')
        self.refused(self.write('[training]\nseed = 1\nseed = 2\n'), 'seed')
        self.refused(self.write('[training]\n[training]\n'), 'training')

    def test_values_that_span_lines(self):
        config = load_config(self.write('[network]\ntail = 8\n  9\n'))
        eq_(config.network['tail'], (8, 9))
        self.refused(self.write('[training]\nepochs = 3\n  seed = 4\n'),
                     'training.epochs')

    def test_percent_signs_are_nothing_special(self):
        self.refused(self.write('[data]\nhold_out = 10%\n'),
                     'data.hold_out', '10%')
        self.refused(self.write('[data]\ndataset = %(kind)s\n'),
                     'data.dataset', '%(kind)s')

    def test_regression_refuses_settings_of_classification(self):
        for setting in ('tail=8', 'num_bins=7', 'aggregation=sum',
                        'residual_units=no'):
            check_error(lambda: load_config(overrides=REGRESSION + [
                'network.' + setting]), 'network.' + setting.split('=')[0])
        for setting in ('method=mean', 'temperature=2', 'smoothing=1'):
            check_error(lambda: load_config(overrides=REGRESSION + [
                'decoding.' + setting]), 'decoding.' + setting.split('=')[0])

    def test_a_trained_network_takes_other_decodings_only(self):
        config = load_config()
        config.override_decoding(['decoding.method=mean',
                                  'temperature=0.38'])
        eq_(list(config.decoding.values()), ['mean', 0.38, 0, 1])
        for text, words in [('network.num_bins=7', ['decoding.key=value']),
                            ('decoding.method=median', ['argmax, mean']),
                            ('decoding.smoothing=-1', ['smoothing'])]:
            check_error(lambda: config.override_decoding([text]), *words)
        own = load_config(overrides=['decoding.method=mean',
                                     'decoding.temperature=0.7'])
        own.override_decoding(['decoding.method=argmax'])
        check_error(lambda: own.override_decoding(
            ['decoding.temperature=0.5']), 'decoding.temperature is of '
            'decoding.method = mean, and decoding.method = argmax')
        # As the section of decoding may be left out.
        check_error(lambda: own.override_decoding(
            ['method=argmax', ' temperature = 0.5']), 'decoding.temperature')
        own.override_decoding(['decoding.temperature=1'])
        hsv = load_config(overrides=['network.color_space=hsv'])
        for text in 'decoding.saturation=2', 'decoding.method=mean':
            check_error(lambda: hsv.override_decoding([text]), 'hsv')
            hsv = load_config(overrides=['network.color_space=hsv'])
        regression = load_config(overrides=REGRESSION)
        regression.override_decoding(['decoding.saturation=2'])
        check_error(lambda: regression.override_decoding(
            ['decoding.method=mean']), 'classification network')

    def test_files_may_not_mix_classification_and_regression(self):
        self.refused(self.write('[network]\nkind = regression\n'),
                     'experiment.ini', 'cross_entropy', 'regression')

    def test_what_is_written_is_what_is_read(self):
        config = load_config(overrides=[
            'network.tail=7 5', 'network.batch_norm=off', 'data.flip=on',
            'training.learning_rate=1.2345678901234567e-7',
            'network.residual_units=no'])
        eq_(load_config(self.write(config.to_ini())), config)

    def test_a_damaged_stored_configuration(self):
        check_error(lambda: Config.from_json('{"data": '), 'damaged')


def test_defaults_are_the_paper():
    config = load_config()
    eq_([config.data[key] for key in ('size', 'proportions', 'hold_out')],
        [224, 'squash', 0.1])
    eq_([config.network[key] for key in
         ('kind', 'color_space', 'num_bins', 'aggregation', 'residual_units',
          'batch_norm', 'output_stride', 'global_features', 'context',
          'fine_tune', 'tail', 'initialization')],
        ['classification', 'luv', 50, 'concat', True, True, 1, 0, 0, False,
         (256, 64, 64), 'glorot'])
    eq_(config.objective['loss'], 'cross_entropy')
    eq_([config.training[key] for key in
         ('update_rule', 'learning_rate', 'beta1', 'beta2', 'momentum',
          'batch_size')], ['adam', 0.0003, 0.9, 0.999, 0.9, 6])
    eq_([config.decoding[key] for key in
         ('method', 'temperature', 'smoothing', 'saturation')],
        ['argmax', 1, 0, 1])


def test_defaults_hold_every_setting():
    config = load_config()
    eq_({section: set(values) for section, values in config.items()},
        {section: set(values) for section, values in SCHEMA.items()})


def test_shipped_experiments_load():
    paths = sorted(path for path in EXPERIMENTS.glob('*.ini')
                   if path not in find_studies())
    assert len(paths) > 1, paths
    for path in paths:
        yield load_config, path


def test_sections_are_attributes():
    config = load_config()
    assert config.training is config['training']
    assert not hasattr(config, 'trainer')


def check_parsed(override, value):
    section, key = override.partition('=')[0].split('.')
    got = load_config(overrides=[override])[section][key]
    eq_((got, type(got)), (value, type(value)))


def test_values_get_their_types():
    for case in [('training.epochs=0', 0), ('training.beta1=0', 0.),
                 ('training.learning_rate=1e-5', 1e-5),
                 ('training.seed=4294967295', 2 ** 32 - 1),
                 ('network.tail=64', (64,)), ('network.tail=8, 4', (8, 4)),
                 ('network.batch_norm=NO', False),
                 ('network.fine_tune=true', True),
                 ('network.color_space=hsv', 'hsv'), ('data.size=64', 64),
                 ('network.num_bins=2', 2), ('network.output_stride=4', 4),
                 ('network.global_features=0', 0), ('network.context=3', 3),
                 ('data.proportions=keep', 'keep'),
                 ('training.drop_epochs=', ()),
                 ('training.drop_epochs=20, 25', (20, 25)),
                 ('training.start_from=', ''),
                 ('training.start_from=runs/a b', 'runs/a b')]:
        yield (check_parsed,) + case


def check_refused(override):
    name, _, text = override.partition('=')
    check_error(lambda: load_config(overrides=[override]), name, text)


def test_bad_values_are_refused():
    for override in [
            'data.dataset=imagenet', 'data.size=100', 'data.size=8',
            'data.size=-32', 'data.size=64.0', 'data.hold_out=1',
            'data.hold_out=-0.1', 'data.hold_out=nan', 'data.flip=maybe',
            'data.proportions=crop', 'data.min_crop=0', 'data.min_crop=1.1',
            'data.min_crop=nan', 'data.test_share=1', 'data.test_share=-0.1',
            'data.flip=', 'network.kind=Regression', 'network.color_space=lab',
            'network.chroma_scale=0', 'network.chroma_scale=inf',
            'network.num_bins=1', 'network.aggregation=mean',
            'network.tail=', 'network.tail=1 2 3 4', 'network.tail=8 0',
            'network.tail=8 x', 'network.output_stride=3',
            'network.output_stride=0', 'network.output_stride=two',
            'network.global_features=-1', 'network.global_features=4097',
            'network.context=17', 'network.context=1.5',
            'data.proportions=crop', 'objective.loss=l1',
            'objective.huber_threshold=0', 'objective.huber_threshold=nan',
            'training.update_rule=sgd', 'training.learning_rate=0',
            'training.learning_rate=fast', 'training.learning_rate=-1',
            'training.beta1=1', 'training.beta2=1', 'training.momentum=1.5',
            'training.batch_size=0', 'training.batch_size=6.5',
            'training.epochs=-1', 'training.seed=-1',
            'training.drop_epochs=0', 'training.drop_epochs=two',
            'training.drop_factor=0', 'training.weight_decay=-1',
            'decoding.temperature=1e-40', 'decoding.smoothing=100',
            'training.schedule=linear', 'training.warm_up=1',
            'training.average=1', 'training.average=-0.1',
            'training.encoder_rate=0', 'training.gradient_clip=-1',
            'training.seed=4294967296', 'training.checkpoint_minutes=-1']:
        yield check_refused, override


def test_long_values_are_cut():
    for value in 'x' * 5000, '9' * 5000 + 'x':
        with assert_raises(ColornetError) as caught:
            load_config(overrides=['training.epochs=' + value])
        message = str(caught.exception)
        ok_(len(message) < 300 and 'training.epochs' in message, message)


def check_override_refused(override, word):
    check_error(lambda: load_config(overrides=[override]), '--set', word)


def test_bad_overrides_are_refused():
    for case in [('training.epochs', 'section.key=value'),
                 ('epochs=3', 'section.key=value'), ('', 'section.key=value'),
                 ('training.epoch=3', 'training.epoch'),
                 ('trainer.epochs=3', 'trainer.epochs'),
                 ('training.=3', 'unknown')]:
        yield (check_override_refused,) + case


def test_loss_and_kind_must_fit():
    eq_(load_config(overrides=REGRESSION).objective['loss'], 'l2')
    for override in ['network.kind=regression', 'objective.loss=huber']:
        check_error(lambda: load_config(overrides=[override]),
                    'network.kind', 'objective.loss')


def test_settings_that_do_not_fit_others_are_refused():
    cycle, fine_tune = 'training.schedule=cycle', 'network.fine_tune=yes'
    load_config(overrides=[cycle, fine_tune, 'training.encoder_rate=0.1'])
    check_error(lambda: load_config(overrides=['data.min_crop=0.5']),
                'data.min_crop', 'data.proportions = keep')
    check_error(lambda: load_config(overrides=[
        cycle, 'training.drop_epochs=3']), 'training.drop_epochs', 'cycle')
    check_error(lambda: load_config(overrides=['training.encoder_rate=0.1']),
                'training.encoder_rate', fine_tune.replace('=', ' = '))


def test_size_must_suit_the_network():
    for size in 24, 1024:
        eq_(load_config(overrides=['data.size=%d' % size]).data['size'], size)
    for text in '1032', '1000000', '8':
        check_error(lambda: load_config(overrides=['data.size=' + text]),
                    'data.size = ' + text, 'from 16 to 1024')
    check_error(lambda: load_config(overrides=[
        'data.size=24', 'network.residual_units=no']), 'data.size', '16')


def test_what_needs_residual_units():
    for setting in ('network.global_features=8', 'network.context=1',
                    'data.proportions=keep'):
        load_config(overrides=[setting])
        check_error(lambda: load_config(overrides=[
            setting, 'network.residual_units=no']), setting.split('=')[0],
                    'residual_units')
    load_config(overrides=['network.output_stride=4',
                           'network.residual_units=no'])


def test_variants_are_of_both_kinds():
    load_config(overrides=REGRESSION + [
        'network.output_stride=4', 'network.global_features=8',
        'network.context=1', 'data.proportions=keep'])


def test_json_is_read_back():
    config = load_config(overrides=[
        'network.tail=7 5', 'network.batch_norm=no',
        'training.learning_rate=1.2345678901234567e-7'])
    text = config.to_json()
    assert '\n' not in text
    got = Config.from_json(text)
    eq_(got, config)
    eq_(type(got.network['tail']), tuple)


def test_json_of_an_older_version_gets_the_new_defaults():
    stored = json.loads(load_config(overrides=['training.seed=7']).to_json())
    del stored['training']['momentum'], stored['network']['aggregation']
    del stored['data']['proportions']
    for name in 'output_stride', 'global_features', 'context':
        del stored['network'][name]
    config = Config.from_json(json.dumps(stored))
    eq_(config, load_config(overrides=['training.seed=7']))


def test_photos_are_drawn_by_the_seed_of_the_training_unless_given():
    for overrides, seed in (([], 2016), (['training.seed=7'], 7),
                            (['training.seed=7', 'data.draw_seed=0'], 0)):
        config = load_config(overrides=overrides)
        eq_(config.draw_seed, seed)
        eq_(Config.from_json(config.to_json()).draw_seed, seed)
    for text in '-1', '3.5', 'abc', '4294967296':
        check_error(lambda: load_config(overrides=['data.draw_seed=' + text]),
                    'data.draw_seed = ' + text)


def test_json_is_checked():
    for section, key, value in [('network', 'tial', [1]),
                                ('training', 'epochs', -1),
                                ('training', 'epochs', None),
                                ('network', 'kind', 'regression')]:
        stored = json.loads(load_config().to_json())
        stored[section][key] = value
        check_error(lambda: Config.from_json(json.dumps(stored)),
                    'stored configuration', key)


def test_differences():
    one = load_config(overrides=['training.epochs=3', 'data.flip=yes'])
    two = load_config(overrides=['training.seed=1'])
    eq_(one.differences(one), [])
    eq_(sorted(one.differences(two)),
        ['data.flip: True, not False', 'training.epochs: 3, not 10',
         'training.seed: 2016, not 1'])
    eq_(one.differences(two, ignore=['training.epochs', 'data.flip']),
        ['training.seed: 2016, not 1'])


def test_one_text_is_one_change():
    config = load_config(overrides='decoding.method=mean')
    config.override_decoding('saturation=1.5')
    eq_((config.decoding['method'], config.decoding['saturation']),
        ('mean', 1.5))
    for wrong in ({'saturation': 2}, {'saturation=2': 2}, 2, None, [2],
                  [b'saturation=2']):
        check_error(lambda: config.override_decoding(wrong),
                    'decoding takes a list of KEY=VALUE, not ' + repr(wrong))
        check_error(lambda: load_config(overrides=wrong), 'a list of')


def test_settings_that_would_do_nothing_are_refused():
    for name, other, value in BELONGING:
        check_error(lambda: load_config(overrides=[name + '=0.3']), name,
                    other)


def test_settings_of_a_discriminator():
    weight = 'adversarial.weight=0.5'
    load_config(overrides=[weight, 'adversarial.crop=112'])
    for key in SCHEMA['adversarial']:
        if key != 'weight':
            check_error(lambda: load_config(overrides=[
                'adversarial.%s=%s' % (key, 16 if key == 'crop' else 0.3)]),
                'adversarial.' + key, 'adversarial.weight')
    for setting in ('data.size=16', 'adversarial.crop=16',
                    'data.size=64,network.output_stride=4'):
        check_error(lambda: load_config(overrides=[
            weight] + setting.split(',')), '24 rows', setting.split('=')[1][
                :2])
    for text in '20', '-8', '1032':
        check_error(lambda: load_config(overrides=[
            weight, 'adversarial.crop=' + text]), 'divisible by 8')
    check_error(lambda: load_config(overrides=[
        weight, 'network.color_space=hsv']), weight.split('=')[0], 'hsv')


def test_classes_in_balance_are_of_classification_in_cieluv():
    balance = 'objective.balance=yes'
    load_config(overrides=[balance, 'objective.uniform_share=1'])
    for settings in REGRESSION, ['network.color_space=hsv']:
        check_error(lambda: load_config(overrides=[balance] + settings),
                    'objective.balance')
    check_error(lambda: load_config(overrides=[
        balance, 'objective.uniform_share=0']), 'at most 1')
