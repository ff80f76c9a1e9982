"""The steps together, and photos that are refined."""

import copy
from unittest import mock

import numpy as np
from nose.tools import assert_in, assert_is, assert_raises, eq_, ok_
from numpy.testing import assert_allclose, assert_array_equal

from colornet.color import split_channels
from colornet.config import load_config
from colornet.errors import ColornetError
from colornet.photos.colorizer import Colorizer, proportional_shape
from colornet.photos.reading import read_photo
from colornet.refinement import refiner
from colornet.refinement.decoder import Decoder
from colornet.refinement.refiner import Refinement
from colornet.refinement.scores import decode_scores
from colornet.refinement.steps import OF_SCORES, STEPS
from colornet.resources import find_resource
from colornet.schema import MAX_SIZE

LIMITS = -100., 100.
REGRESSION = ['network.kind=regression', 'objective.loss=l2']
#: Total variation that is seen on small grids.
STRONG = ['refinement.variation_weight=0.5', 'refinement.variation_slope=20']
PHOTO = find_resource('demo/photos/picosdeeuropa.jpg')


def configured(*overrides):
    return load_config(overrides=overrides)


def taking(*steps):
    return Refinement.of(configured(
        'refinement.crf_weight=5', 'refinement.crf_reach=0.2',
        *STRONG)).replaced(
            ' '.join(steps))


def draw_outputs(rows=16, columns=24, seed=0):
    """Scores of blotches that two colours compete in."""
    random = np.random.RandomState(seed)
    scores = random.normal(-6, 1, (2, 50, rows, columns))
    scores[:, [20, 32]] = random.normal(0, 1, (2, 2, rows, columns))
    return list(scores.astype(np.float32))


def draw_luminance(rows=64, columns=96):
    light = np.full((rows, columns), 30., np.float32)
    light[:, columns // 2:] = 75.
    return light + np.random.RandomState(1).normal(
        0, 0.5, light.shape).astype(np.float32)


def test_without_steps_it_is_decoded_only():
    for changes in (), ['decoding.method=mean', 'decoding.smoothing=1']:
        decoding = configured(*changes).decoding
        for steps in ('none',), ('guided',):
            assert_array_equal(
                taking(*steps)(draw_outputs(), draw_luminance(), LIMITS,
                               decoding),
                decode_scores(draw_outputs(), LIMITS, **decoding))


def test_each_step_makes_colours_more_even():
    scores, luminance = draw_outputs(), draw_luminance()

    def unevenness(chroma):
        halves = np.split(chroma, 2, axis=1)
        return sum(half.std(axis=(0, 1)).sum() for half in halves)
    for step in STEPS[:-1]:
        # The random field sharpens probabilities, and so the mean's colours.
        decoding = configured('decoding.method=' + (
            'argmax' if step == 'crf' else 'mean')).decoding
        plain, found = [taking(steps)(scores, luminance, LIMITS, decoding)
                        for steps in ('none', step)]
        eq_((found.shape, found.dtype), (plain.shape, np.float32))
        ok_(unevenness(found) < 0.9 * unevenness(plain), step)
    together = taking(*STEPS)(scores, luminance, LIMITS, decoding)
    ok_(unevenness(together) < 0.3 * unevenness(plain))


def test_only_steps_that_ask_how_sure_a_network_is_wait_for_it():
    with mock.patch.object(refiner, 'predicted_spread',
                           wraps=refiner.predicted_spread) as spread:
        for step, number in (('segments', 0), ('crf', 0), ('fade', 1),
                             ('total_variation', 2)):
            taking(step)(draw_outputs(), draw_luminance(), LIMITS,
                         configured().decoding)
            eq_(spread.call_count, number, step)


def test_the_most_likely_bins_are_refined_too():
    decoding = configured().decoding
    for step in 'segments', 'crf':
        found = taking(step)(draw_outputs(), draw_luminance(), LIMITS,
                             decoding)
        # The middles of bins, as of the paper.
        ok_(set(np.unique(found)) <= set(np.arange(-98., 100., 4)), step)


def test_large_grids_become_small():
    for shape, scale in (((56, 84), 1), ((112, 128), 1), ((224, 224), 2),
                         ((224, 672), 4), ((1024, 3072), 8)):
        eq_(refiner.grid_scale(shape), scale)
    decoding = configured('decoding.method=mean').decoding
    scores = draw_outputs(128, 160)
    fine = taking('total_variation')(scores, draw_luminance(128, 160), LIMITS,
                                     decoding)
    eq_(fine.shape, (64, 80, 2))
    weights = [np.exp(channel) / np.exp(channel).sum(axis=0)
               for channel in scores]
    means = [sum(part[:, row::2, column::2] for row in (0, 1)
                 for column in (0, 1)) / 4 for part in weights]
    for channel, mean in zip(scores, means):
        assert_allclose(np.exp(refiner.coarser_scores(channel, 2)), mean,
                        atol=1e-5)
    chroma = [np.random.RandomState(0).normal(0, 9, (2, 128, 160)).astype(
        np.float32)]
    regression = Refinement.of(configured(*REGRESSION))
    eq_(regression.replaced('total_variation')(
        chroma, draw_luminance(128, 160), LIMITS,
        configured(*REGRESSION).decoding).shape, (64, 80, 2))


def test_grids_of_all_sizes():
    """Those that the schema takes, and all strides."""
    def check(size, stride, photo):
        rows, columns = [side // stride
                         for side in proportional_shape(photo, size)]
        scale = refiner.grid_scale((rows, columns))
        eq_((rows % scale, columns % scale), (0, 0))
        ok_(rows * columns <= 4 * refiner.GRID_PIXELS * scale ** 2,
            (rows, columns))
        return rows, columns
    for stride in 1, 2, 4:
        for size in range(16, MAX_SIZE + 1, 8):
            for longer in 100, 133, 150, 241, 300, 999:
                check(size, stride, (100, longer))
    chroma = np.random.RandomState(0).normal(0, 9, (2, 500, 760)).astype(
        np.float32)
    regression = configured(*REGRESSION)
    refinement = Refinement.of(regression).replaced('total_variation')
    for size, stride, photo in ((1000, 2, (1, 1)), (1000, 4, (1, 1)),
                                (1000, 4, (1, 3)), (640, 4, (100, 241))):
        rows, columns = check(size, stride, photo)
        scale = refiner.grid_scale((rows, columns))
        eq_(refinement([chroma[:, :rows, :columns]],
                       draw_luminance(rows * stride, columns * stride),
                       LIMITS, regression.decoding).shape,
            (rows // scale, columns // scale, 2))
    # Of scores, too, by all steps.
    eq_(taking(*STEPS)(draw_outputs(122, 126), draw_luminance(488, 504),
                       LIMITS, configured().decoding).shape, (61, 63, 2))
    eq_(refiner.on_grid(draw_outputs(250, 250))[0][0].shape, (50, 125, 125))


def vary(scores, luminance, *overrides):
    """Chrominance by the mean and total variation."""
    config = configured('decoding.method=mean', *overrides)
    return Refinement.of(config).replaced('total_variation')(
        scores, luminance, LIMITS, config.decoding)


def draw_halves():
    """Scores of two colours, one for each half, as unsure as networks are."""
    centres = np.arange(-98., 100., 4)[:, np.newaxis, np.newaxis]
    target = np.where(np.arange(24) < 12, -20., 20.)
    plane = -((centres - target) / 20) ** 2 / 2
    return 2 * [np.broadcast_to(plane, (50, 16, 24)).astype(np.float32)]


def test_what_counts_as_an_edge():
    """Colours stay apart along edges of more than the contrast."""
    apart = []
    for contrast in 4, 1000:
        found = vary(draw_halves(), draw_luminance(),
                     'refinement.variation_contrast=%d' % contrast,
                     'refinement.variation_weight=2',
                     'refinement.variation_slope=10')
        apart.append(found[:, 12:].mean() - found[:, :12].mean())
    ok_(apart[0] > 38 and apart[1] < 20, apart)


def test_finer_grids_are_no_more_even():
    coarse = draw_outputs(32, 48)
    fine = [channel.repeat(2, axis=1).repeat(2, axis=2) for channel in coarse]
    light = np.full((128, 192), 50., np.float32)
    plain = decode_scores(coarse, LIMITS, 'mean')
    found = vary(coarse, light)
    other = vary(fine, light)
    eq_(other.shape, (64, 96, 2))
    other = refiner.block_means(np.moveaxis(other, -1, 0), 2)
    other = np.moveaxis(other, 0, -1)
    changed = np.abs(found - plain).mean()
    ok_(changed > 1)
    ok_(np.abs(other - found).mean() < 0.1 * changed,
        (np.abs(other - found).mean(), changed))


def test_steps_that_suit():
    regression = configured(*REGRESSION)
    hsv = configured('network.color_space=hsv')
    eq_([Refinement.of(config).suited for config in (
        configured(), regression, hsv)],
        [STEPS, ('total_variation', 'guided'), ()])
    eq_(Refinement.of(hsv).steps, ())
    for config, step in [(regression, step) for step in OF_SCORES] + [
            (hsv, 'guided')]:
        with assert_raises(ColornetError) as caught:
            Refinement.of(config).replaced(step)
        assert_in(step, str(caught.exception))
    assert_raises(ColornetError, configured, *REGRESSION,
                  'refinement.steps=crf')
    with assert_raises(ColornetError) as caught:
        configured('network.color_space=hsv', 'refinement.steps=fade guided')
    assert_in('refinement.steps = fade guided is not for',
              str(caught.exception))
    hsv.override_decoding(['refinement.steps=none'])
    eq_(configured('network.color_space=hsv',
                   'refinement.steps=none').refinement['steps'], ())
    own = Refinement.of(configured('refinement.steps=fade guided'))
    eq_(own.steps, ('fade', 'guided'))
    assert_is(own.replaced(None), own)
    eq_(own.replaced('none').steps, ())


def test_settings_of_steps_that_are_not_taken():
    crf = 'refinement.crf_weight=3'
    for steps, changes in (('crf fade', [crf, 'refinement.fade_spread=9']),
                           ('segments', ['refinement.segmentation=slic']),
                           ('none', ['saturation=2', 'decoding.method=mean',
                                     'refinement.steps=none'])):
        taking(steps).check_changes(changes)
    for steps in 'total_variation', 'none':
        with assert_raises(ColornetError) as caught:
            taking(steps).check_changes(['refinement.steps=' + steps, crf])
        for word in 'refinement.crf_weight', 'step crf', steps:
            assert_in(word, str(caught.exception))
    for steps, given in ('crf', 'none'), ('none', 'crf'), ('crf', 'crf fade'):
        with assert_raises(ColornetError) as caught:
            taking(steps).check_changes(['refinement.steps=' + given])
        eq_(str(caught.exception), 'refinement.steps=%s does nothing: '
            'refinement is %s' % (given, steps))


class FakeNetwork:
    """Scores of colours that are in the luminance, and noise."""

    def __init__(self, seed=0):
        self.random = np.random.RandomState(seed)
        self.batches = []

    def __call__(self, luminance):
        self.batches.append(len(luminance))
        small = luminance[:, 2::4, 2::4]
        centres = np.arange(-98., 100., 4)[:, np.newaxis, np.newaxis]
        outputs = []
        for sign in 1, -1:
            target = sign * (small[:, np.newaxis] / 2 - 20)
            target = target + self.random.normal(0, 8, target.shape)
            outputs.append((-((centres - target) / 12) ** 2).astype(
                np.float32))
        return outputs


def colorizer_of(*overrides):
    decoder = Decoder(FakeNetwork(), configured('decoding.method=mean',
                                                *overrides))
    return Colorizer(decoder, 64, proportions='keep',
                     refinement=decoder.refinement)


def test_photos_of_any_size_are_refined():
    pixels = read_photo(PHOTO).pixels
    actual = {}
    for steps in 'none', 'total_variation', ' '.join(STEPS):
        chroma, = colorizer_of(
            'refinement.steps=' + steps, *STRONG).predict([pixels])
        actual[steps] = np.abs(np.diff(chroma, axis=0)).mean()
    ok_(actual[' '.join(STEPS)] < actual['total_variation'] <
        0.7 * actual['none'], actual)


def test_the_option_replaces_the_network_s_own_steps():
    pixels = read_photo(PHOTO).pixels[:200, :300]
    plain, even = colorizer_of('refinement.steps=none'), colorizer_of()
    eq_(even.refinement.steps, load_config().refinement['steps'])
    assert_array_equal(even(pixels, refinement='none'), plain(pixels))
    assert_is(even.refined(None), even)
    before = copy.copy(even.refinement)
    crf = colorizer_of().refined('crf')
    eq_(crf.refinement.steps, ('crf',))
    eq_(even.refinement, before)
    ok_(abs(crf(pixels).astype(float) - plain(pixels)).max() > 2)
    for text in 'blur', 'guided guided':
        assert_raises(ColornetError, even, pixels, refinement=text)
    assert_raises(ColornetError, Colorizer(FakeNetwork(), 64).refined, 'fade')


def test_batches_are_refined_photo_by_photo():
    photos = [read_photo(PHOTO).pixels[top:top + 160, :240]
              for top in (0, 200, 400)]
    colorizer = colorizer_of('refinement.steps=total_variation fade')
    together = colorizer.predict(photos)
    eq_(colorizer.predict_chroma._outputs.batches, [3])
    again = Colorizer(Decoder(lambda _: both, colorizer.predict_chroma.config),
                      64, proportions='keep', refinement=colorizer.refinement)
    network = FakeNetwork()
    outputs = network(np.stack([colorizer.reduce(one) for one in photos]))
    for number, photo in enumerate(photos):
        both = [channel[number:number + 1] for channel in outputs]
        assert_allclose(again.predict([photo])[0], together[number],
                        atol=1e-4)


def test_guided_strips_have_no_seams_and_borders_stay_neutral():
    pixels = read_photo(PHOTO).pixels
    colorizer = colorizer_of('refinement.steps=guided')
    chroma, = colorizer.predict([pixels])
    whole = colorizer.join(pixels, chroma)
    from colornet.photos import colorizer as module
    before, module._STRIP_PIXELS = module._STRIP_PIXELS, 7 * pixels.shape[1]
    try:
        assert_allclose(colorizer.join(pixels, chroma), whole, atol=2e-4)
    finally:
        module._STRIP_PIXELS = before
    bicubic = colorizer.refined('none').join(pixels, chroma)
    # Luminance is the photo's, but where sRGB lacks the colour.
    ok_(np.median(abs(split_channels(whole)[0] -
                      split_channels(bicubic)[0])) < 0.01)
    ok_(abs(whole - bicubic).max() > 0.02)
    framed = np.full((pixels.shape[0] + 200, pixels.shape[1] + 200, 3), 244,
                     np.uint8)
    framed[100:-100, 100:-100] = pixels
    rgb = colorizer.colorize(framed)
    ok_(np.ptp(rgb[:90], axis=-1).max() < 0.01)
    ok_(np.ptp(rgb[150:-150, 150:-150], axis=-1).max() > 0.1)
