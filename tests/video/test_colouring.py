"""Frames in, their colours out."""

import numpy as np
from nose.tools import assert_greater, assert_less, eq_
from numpy.testing import assert_allclose, assert_array_equal

from colornet.config import load_config
from colornet.photos.colorizer import Colorizer
from colornet.refinement.decoder import Decoder
from colornet.refinement.scores import decode_scores, keep_scores
from colornet.video import colouring
from colornet.video.colouring import FilmColorizer
from tests.tiny import EXPERIMENT, check_error
from tests.video import clips
from tests.video.clips import SHAPE, StandIn, colorizer, moving

PICTURE = slice(0, SHAPE[0]), slice(0, SHAPE[1])


def setup_module():
    clips.need_video()


def blocks(frames, made=None, state=None, picture=PICTURE, **options):
    made = made or colorizer(**options)
    return list(made.blocks(iter(frames), lambda pixels: pixels, picture,
                            state))


def chroma(frames, *arguments, **options):
    return np.array([one for block in blocks(frames, *arguments, **options)
                     for one in block.chroma])


def differences(frames):
    """Mean change of what stands still."""
    return np.abs(np.diff(frames, axis=0)).mean()


def test_without_smoothing_frames_are_photos():
    photos = moving(5)
    network = StandIn()
    config = clips.configuration()

    def predict(luminances):
        return np.stack([decode_scores(kept, (-100, 100), **config.decoding)
                         for kept in keep_scores(network(luminances))])
    photo_colorizer = Colorizer(predict, 32, 'luv', 'keep')
    made = colorizer(memory=0)
    got = chroma(photos, made)
    for pixels, one in zip(photos, got):
        assert_allclose(one, photo_colorizer.predict([pixels])[0], atol=.05)
        difference = (made.join(pixels, one, PICTURE).astype(int) -
                      np.round(255 * photo_colorizer.colorize(pixels)))
        assert_less(np.abs(difference).max(), 2)


def test_refined_as_photos_are():
    network, config = StandIn(), clips.configuration(
        'refinement.steps=total_variation guided',
        'refinement.variation_weight=20')
    decoder = Decoder(network, config)
    photo_colorizer = Colorizer(decoder, 32, 'luv', 'keep',
                                refinement=decoder.refinement)
    pixels = moving(1)[0]
    made = FilmColorizer(network, config, memory=0)
    got, = chroma([pixels], made)
    difference = (made.join(pixels, got, PICTURE).astype(int) -
                  np.round(255 * photo_colorizer.colorize(pixels)))
    assert_less(np.abs(difference).mean(), .5)
    plain = FilmColorizer(network, config, memory=0, refinement='none')
    assert_greater(np.abs(chroma([pixels], plain)[0] - got).max(), .5)
    eq_((made.settings['refinement'], plain.settings['refinement']),
        ('total_variation guided', 'none'))


def test_flicker_goes():
    still = moving(1) * 20
    each = chroma(still, outputs=StandIn(flicker=2.), memory=0)
    smooth = chroma(still, outputs=StandIn(flicker=2.), memory=.9)
    assert_greater(differences(each), 10)
    assert_less(differences(smooth), differences(each) / 8)
    # To the mean of what the network says, which is between.
    assert_less(np.abs(smooth.mean(axis=0) - each.mean(axis=0)).max(), 2)


def test_scenes_are_for_themselves():
    first, second = moving(30), moving(30, scene=1)
    together = blocks(first + second)
    eq_([block.ends_scene for block in together],
        [number in (1, 3) for number in range(4)])
    eq_([len(block.frames) for block in together], [24, 6, 24, 6])
    for frames, got in (first, together[:2]), (second, together[2:]):
        assert_allclose(np.concatenate([block.chroma for block in got]),
                        chroma(frames), atol=1e-4)


def test_blocks_are_as_one():
    frames = moving(60)
    got = chroma(frames, outputs=StandIn(flicker=1.))
    whole, ahead = colouring.BLOCK, colouring.AHEAD
    try:
        colouring.BLOCK = 100
        expected = chroma(frames, outputs=StandIn(flicker=1.))
    finally:
        colouring.BLOCK = whole
    # What lies farther ahead weighs .9 ** 24.
    assert_less(ahead, 60)
    assert_allclose(got, expected, atol=.5)
    assert_array_equal(got[-1], expected[-1])


def test_going_on():
    frames = moving(70) + moving(20, scene=1)
    options = {'every': 3, 'batch_size': 2}
    whole = blocks(frames, **options)
    eq_([len(block.frames) for block in whole], [24, 24, 22, 20])
    for number in 1, 2, 3:
        done = sum(len(block.frames) for block in whole[:number])
        rest = blocks(frames[done:], state=whole[number - 1].state, **options)
        eq_([block.ends_scene for block in rest],
            [block.ends_scene for block in whole[number:]])
        for one, other in zip(whole[number:], rest):
            assert_array_equal(one.chroma, other.chroma)


def test_every_so_many_frames():
    frames = moving(20) + moving(10, scene=1)
    for every, seen in (1, 30), (4, 5 + 3), (7, 3 + 2), (100, 2):
        network = StandIn()
        got = chroma(frames, outputs=network, every=every)
        # Once more to know how large its prediction is.
        eq_(network.seen - 1, seen)
        assert np.isfinite(got).all()
        errors = np.abs(got - chroma(frames))
        assert_less(np.median(errors), 3, every)


def test_colours_move_with_things():
    # One bright thing on black, which the network sees only at first.
    frames = []
    for number in range(9):
        pixels = moving(1, (96, 128))[0] // 3
        pixels[24:72, 8 + 6 * number:40 + 6 * number] = moving(
            1, (48, 32), scene=1)[0] // 4 + 180
        frames.append(pixels)
    picture = slice(0, 96), slice(0, 128)
    carried, truth = [
        chroma(frames, picture=picture, overrides=['data.size=64'], **options)
        for options in ({'every': 100}, {'memory': 0})]
    assert_allclose(carried[0], truth[0], atol=1)
    for number in 2, 5, 8:
        assert_less(np.abs(carried[number] - truth[number]).mean(),
                    .4 * np.abs(truth[0] - truth[number]).mean(), number)


def test_borders():
    frames = [np.pad(pixels, ((8, 8), (0, 0), (0, 0)))
              for pixels in moving(3)]
    picture = slice(8, 56), slice(0, 64)
    made = colorizer()
    got = chroma(frames, made, picture=picture)
    assert_allclose(got, chroma(moving(3)), atol=1e-4)
    joined = made.join(frames[0], got[0], picture)
    assert_array_equal(joined[:8], 0)
    assert_array_equal(joined[8:56], made.join(moving(1)[0], got[0], PICTURE))


def test_deep_frames():
    pixels = moving(1)[0].astype(np.uint16) * 257
    made = colorizer()
    got = chroma([pixels], made)[0]
    deep = made.join(pixels, got, PICTURE)
    eq_(deep.dtype, np.uint16)
    plain = made.join(moving(1)[0], got, PICTURE)
    assert_less(np.abs(deep / 257. - plain).max(), 1)


def test_blank_frames_are_grey():
    blank = [np.full(SHAPE + (3,), level, np.uint8) for level in (0, 240)]
    for method in 'mean', 'argmax':
        got = chroma(blank, memory=0, overrides=[
            'decoding.method=' + method, 'decoding.temperature=1'])
        # The middle of the nearest class, for argmax.
        assert_less(np.abs(got).max(), .1 if method == 'mean' else 2.5)
    # Without a jump, where something comes into sight.
    fog = [230 + (pixels // 90) for pixels in moving(1)] * 2
    levels = [np.abs(one).mean() for one in chroma(blank[1:] * 5 + fog)]
    assert_less(np.abs(np.diff(levels)).max(), 5)


def test_tones():
    dark = [pixels // 8 + 20 for pixels in moving(2)]
    stretched, kept = [chroma(dark, tones=tones)
                       for tones in ('stretch', 'keep')]
    assert_greater(stretched[..., 0].std(), 2 * kept[..., 0].std())


def test_a_network_of_another_colour_space():
    config = load_config(EXPERIMENT, ['network.color_space=hsv'])
    check_error(lambda: FilmColorizer(StandIn(), config), 'CIELUV', 'hsv')


def test_regression():
    def regression(luminances):
        return [np.stack([luminances[:, ::4, ::4] - 50] * 2, axis=1)]
    got = chroma(moving(3), outputs=regression, memory=0, overrides=[
        'network.kind=regression', 'objective.loss=huber',
        'decoding.method=argmax',
        'decoding.temperature=1', 'network.global_features=0',
        'network.context=0'])
    expected = 1.2 * (Colorizer(None, 32, proportions='keep').reduce(
        moving(1)[0])[::4, ::4] - 50)
    assert_allclose(got[0, ..., 0], expected, atol=.05)
