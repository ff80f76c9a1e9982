"""Colour profiles: applied, ignored, dropped."""

import struct
import sys
from unittest import mock

import numpy as np
from nose.tools import assert_not_in, eq_, ok_
from numpy.testing import assert_array_equal
from PIL import Image, ImageCms

from colornet.formats import profiles
from colornet.photos.reading import read_photo
from colornet.photos.writing import write_photo
from tests.photos.samples import InFolder, grey, photo


class TestProfiles(InFolder):

    def test_srgb_is_left_alone(self):
        profile = ImageCms.ImageCmsProfile(
            ImageCms.createProfile('sRGB')).tobytes()
        path = self.saved(photo(), 'a.png', icc_profile=profile)
        assert_array_equal(read_photo(path).pixels, np.array(photo()))

    def test_a_name_says_nothing(self):
        profile = swapped_rgb_profile().replace(b'swapped', b'sRGB  B')
        path = self.saved(photo(), 'a.png', icc_profile=profile)
        difference = (read_photo(path).pixels[..., [1, 0, 2]]
                      - np.array(photo(), float))
        ok_(np.abs(difference).mean() < 1)

    def test_cmyk_is_converted_by_its_profile(self):
        # Three inks would be black without it.
        for name in 'a.tif', 'a.jpg':
            path = self.saved(Image.new('CMYK', (128, 96), (255, 255, 255, 0)),
                              name, icc_profile=cmyk_profile())
            pixels = read_photo(path).pixels
            eq_(pixels.shape, (96, 128, 3))
            ok_(np.abs(pixels - 188.).max() < 4, pixels[0, 0])

    def test_other_rgb_becomes_srgb(self):
        # Red and green exchanged, which nobody can miss.
        profile = swapped_rgb_profile()
        path = self.saved(photo(), 'a.png', icc_profile=profile)
        difference = (read_photo(path).pixels[..., [1, 0, 2]]
                      - np.array(photo(), float))
        ok_(np.abs(difference).mean() < 1)

    def test_grey_stays_grey(self):
        path = self.saved(grey(), 'a.png', icc_profile=grey_profile(1.5))
        pixels = read_photo(path).pixels
        eq_(pixels.shape, (96, 128))
        linear = (np.array(grey()) / 255.) ** 1.5
        expected = np.where(linear > .0031308,
                            1.055 * linear ** (1 / 2.4) - .055,
                            12.92 * linear) * 255
        ok_(np.abs(pixels - expected).mean() < .5)

    def test_profiles_that_do_not_fit_are_ignored(self):
        for profile in b'nonsense', grey_profile(1.):
            path = self.saved(photo(), 'a.png', icc_profile=profile)
            assert_array_equal(read_photo(path).pixels, np.array(photo()))

    def test_the_output_has_none(self):
        path = self.saved(grey(), 'a.png', icc_profile=grey_profile(2.2))
        write_photo(path, np.array(photo()), read_photo(path))
        assert_not_in('icc_profile', Image.open(path).info)

    def test_a_profile_is_judged_once_and_not_kept(self):
        profile = grey_profile(1.625)
        references = sys.getrefcount(profile)
        with mock.patch.object(profiles, '_changes_nothing',
                               return_value=True) as judge:
            for _ in range(3):
                assert_array_equal(
                    profiles.to_srgb(np.array(grey()), profile),
                    np.array(grey()))
            eq_(judge.call_count, 1)
            judge.reset_mock()  # it has kept the profile itself
        profiles._answers.clear()
        profiles.to_srgb(np.array(grey()), profile)
        eq_(sys.getrefcount(profile), references)


def _profile(color_space, tags):
    """A minimal ICC display profile, version 2."""
    offset = 128 + 4 + 12 * len(tags)
    table, data = b'', b''
    for name, content in tags:
        content += b'\0' * (-len(content) % 4)
        table += name + struct.pack('>II', offset + len(data), len(content))
        data += content
    body = struct.pack('>I', len(tags)) + table + data
    return struct.pack('>I4sI4s4s4s12s4s28s12s48s', 128 + len(body), b'none',
                       0x02100000, b'mntr', color_space, b'XYZ ', b'\0' * 12,
                       b'acsp', b'\0' * 28,
                       struct.pack('>iii', 0xf6d6, 0x10000, 0xd32d),
                       b'\0' * 48) + body


def _xyz(x, y, z):
    return b'XYZ \0\0\0\0' + struct.pack(
        '>iii', *[int(round(value * 65536)) for value in (x, y, z)])


def _text(text):
    return (b'desc\0\0\0\0' + struct.pack('>I', len(text) + 1) + text + b'\0'
            + b'\0' * 78)


def grey_profile(gamma):
    curve = b'curv\0\0\0\0' + struct.pack('>IH', 1, int(gamma * 256))
    return _profile(b'GRAY', [(b'desc', _text(b'grey')),
                              (b'cprt', b'text\0\0\0\0none\0'),
                              (b'wtpt', _xyz(.9642, 1, .8249)),
                              (b'kTRC', curve)])


def swapped_rgb_profile():
    levels = np.arange(1024) / 1023.
    linear = np.where(levels > .04045, ((levels + .055) / 1.055) ** 2.4,
                      levels / 12.92)
    curve = (b'curv\0\0\0\0' + struct.pack('>I', 1024)
             + (linear * 65535).round().astype('>u2').tobytes())
    return _profile(b'RGB ', [(b'desc', _text(b'swapped')),
                              (b'cprt', b'text\0\0\0\0none\0'),
                              (b'wtpt', _xyz(.9642, 1, .8249)),
                              (b'rXYZ', _xyz(.3851, .7169, .0971)),
                              (b'gXYZ', _xyz(.4361, .2225, .0139)),
                              (b'bXYZ', _xyz(.1431, .0606, .7141)),
                              (b'rTRC', curve), (b'gTRC', curve),
                              (b'bTRC', curve)])


def cmyk_profile():
    """Inks of which any two are the same grey: Lab 76, 0, 0."""
    table = b'mft1\0\0\0\0' + bytes([4, 3, 2, 0]) + struct.pack(
        '>9i', 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x10000)
    table += bytes(range(256)) * 4 + bytes([255, 128, 128])
    table += bytes([194, 128, 128]) * 15
    table += bytes(range(256)) * 3
    profile = _profile(b'CMYK', [(b'desc', _text(b'inks')),
                                 (b'cprt', b'text\0\0\0\0none\0'),
                                 (b'wtpt', _xyz(.9642, 1, .8249)),
                                 (b'A2B0', table)])
    return profile[:12] + b'prtr' + profile[16:20] + b'Lab ' + profile[24:]
