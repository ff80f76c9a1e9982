"""Whether a run folder holds a training; how it ended."""

import json
import tempfile
from collections import OrderedDict
from pathlib import Path

from nose.tools import eq_

from colornet.config import load_config
from colornet.errors import Diverged
from colornet.network.parameters import save_arrays
from colornet.training.run_folder import (RESUMABLE, check_photos,
                                          find_divergence, load_checkpoint,
                                          note_divergence)
from tests import tiny


class TestRunFolder:

    def setup(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = Path(self.temporary.name)
        self.config = load_config()

    setup_method = setup

    def teardown(self):
        self.temporary.cleanup()

    teardown_method = teardown

    def save(self, config, num_epochs=2):
        """What a training leaves after some epochs, without its arrays."""
        history = [OrderedDict([('epoch', number), ('training_loss', 1.),
                                ('seconds', 9.)])
                   for number in range(1, num_epochs + 1)]
        save_arrays(self.folder / 'last.h5', {}, {
            'config': config.to_json(), 'trained_on': '7 photos',
            'progress': json.dumps({
                'history': history, 'iteration': 0, 'loss_sum': 0.,
                'num_images': 0, 'seconds': 0.})})
        if num_epochs:
            (self.folder / 'best.h5').touch()

    def test_a_divergence_is_of_its_settings(self):
        eq_(find_divergence(self.config, self.folder), '')
        note_divergence(self.config, self.folder, Diverged('the loss is nan'))
        eq_(find_divergence(self.config, self.folder), 'the loss is nan')
        eq_(find_divergence(load_config(), str(self.folder)),
            'the loss is nan')
        other = load_config(overrides=['training.learning_rate=0.1'])
        eq_(find_divergence(other, self.folder), '')

    def test_a_damaged_note_tells_no_divergence(self):
        note_divergence(self.config, self.folder, Diverged('the loss is nan'))
        note, = self.folder.iterdir()
        whole = note.read_text()
        for text in ('', whole[:-9], '[]', 'null', '{}',
                     json.dumps({'message': 'the loss is nan'})):
            note.write_text(text)
            eq_(find_divergence(self.config, self.folder), '', text)
        note.write_bytes(b'\xff')
        eq_(find_divergence(self.config, self.folder), '')
        note.write_text(whole)
        eq_(find_divergence(self.config, self.folder), 'the loss is nan')

    def test_a_folder_without_a_checkpoint_holds_nothing(self):
        eq_(load_checkpoint(self.config, self.folder / 'none'), (0, {}))
        (self.folder / 'best.h5').touch()
        eq_(load_checkpoint(self.config, self.folder), (0, {}))

    def test_a_checkpoint_tells_its_epochs_and_attributes(self):
        for num_epochs in 0, 2:
            self.save(self.config, num_epochs)
            found, attributes = load_checkpoint(self.config, self.folder)
            eq_((found, attributes['trained_on']), (num_epochs, '7 photos'))

    def test_settings_that_change_no_parameter_may_differ(self):
        self.save(self.config)
        for name, value in (('training.epochs', '99'),
                            ('training.checkpoint_minutes', '7'),
                            ('decoding.method', 'mean'),
                            ('decoding.temperature', '0.5'),
                            ('decoding.smoothing', '2'),
                            ('decoding.saturation', '1.5')):
            assert name in RESUMABLE, name
            other = load_config(overrides=['%s=%s' % (name, value)])
            eq_(load_checkpoint(other, self.folder)[0], 2)

    def test_photos_are_compared_as_far_as_they_were_noted(self):
        now = {'photos': 'a', 'photo_sizes': 'b'}
        # Checkpoints of older versions have fewer digests.
        for stored in now, {'photos': 'a'}, {}:
            check_photos(self.folder, stored, now)
        for stored, words in (({'photos': 'x'}, 'other photos'),
                              ({'photos': 'a', 'photo_sizes': 'x'},
                               'have changed')):
            tiny.check_error(lambda: check_photos(self.folder, stored, now),
                             str(self.folder), words)
