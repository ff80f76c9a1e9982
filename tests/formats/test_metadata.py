"""EXIF, XMP, IPTC, comments and resolution, byte for byte."""

import io
import struct
from dataclasses import replace

import numpy as np
import tifffile
from nose.tools import assert_in, assert_not_in, assert_raises, eq_, ok_
from PIL import Image

from colornet.formats.decoding import decode_photo
from colornet.formats.metadata import (Metadata, exif_orientation,
                                       metadata_of_raw, resource_blocks)
from colornet.formats.tags import (EXIF_IFD, TagError, Tags, drop_thumbnail,
                                   exif_block, read_tags, set_upright,
                                   with_entries)
from colornet.photos.writing import encode_photo
from tests.photos.samples import photo
from tests.photos.test_profiles import swapped_rgb_profile

XMP = ('<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
       '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf='
       '"http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
       '<rdf:Description rdf:about="uuid:7" xmlns:dc='
       '"http://purl.org/dc/elements/1.1/" dc:source="Gro\xdfmutter"/>\n'
       '</rdf:RDF></x:xmpmeta>' + ' ' * 50
       + '<?xpacket end="w"?>').encode('utf-8')

IPTC = b'8BIM\4\4\0\0\0\0\0\x0a\x1c\2\x78\0\5Farm!'

COMMENT = 'gescannt f\xfcr das Archiv'.encode('utf-8')


def block(order='<', **more):
    """An EXIF block with what libraries damage."""
    exif = Tags(order, {0x9003: (2, 20, b'1931:05:04 10:00:00\0'),
                        0x927c: (7, 60, bytes(range(60))),
                        0x9286: (7, 12, b'UNICODE\0\xe9\0t\0')})
    values = {270: (2, 12, 'Gro\xdfmutter\0'.encode('utf-8')),
              315: (2, 8, b'M\xfcller\0\0'), EXIF_IFD: exif,
              0x0112: (3, 1, struct.pack(order + 'H', 6)),
              0xc4a5: (7, 30, b'PrintIM\0' + bytes(22)),
              282: (5, 1, struct.pack(order + 'II', 600, 1)),
              283: (5, 1, struct.pack(order + 'II', 600, 1)),
              296: (3, 1, struct.pack(order + 'H', 2))}
    values.update(more)
    return exif_block(Tags(order, values))


def everything(order='<'):
    return Metadata(exif=block(order), xmp=XMP, photoshop=IPTC,
                    comments=(COMMENT,), resolution=(600., 600.))


def rewritten(metadata, *suffixes, mark=False):
    """The metadata after files of several formats, one from another."""
    image = decode_photo(_plain(), 'a')
    image = replace(image, metadata=metadata,
                    orientation=exif_orientation(metadata.exif))
    for suffix in suffixes:
        content = encode_photo(image.pixels, image, suffix, mark=mark)
        image = decode_photo(content, 'a' + suffix)
    return image.metadata


def _plain():
    stream = io.BytesIO()
    photo().save(stream, 'PNG')
    return stream.getvalue()


def test_jpeg_and_png_keep_all():
    for order in '<', '>':
        for chain in (['.jpg'], ['.png'], ['.png', '.jpg'],
                      ['.jpg', '.png', '.png', '.jpg']):
            kept = rewritten(everything(order), *chain)
            eq_(replace(kept, texts=(), resolution=None),
                replace(everything(order), resolution=None))
            ok_(abs(kept.resolution[0] - 600) < .01)


def test_webp_keeps_exif_and_xmp():
    kept = rewritten(everything(), '.webp')
    eq_((kept.exif, kept.xmp), (block(), XMP))


def test_tiff_keeps_all_values():
    for order in '<', '>':
        for chain in (['.tif'], ['.tif', '.jpg'], ['.png', '.tif', '.webp'],
                      ['.tif', '.tif', '.png']):
            kept = rewritten(everything(order), *chain)
            before, after = read_tags(block(order)), read_tags(kept.exif)
            eq_(after, before)
            eq_(kept.xmp, XMP)
            if '.webp' not in chain:
                eq_(kept.photoshop, IPTC)


def test_iptc_of_a_tiff_alone():
    # As programs write it that know nothing of Photoshop.
    image = decode_photo(_plain(), 'a')
    tiff = encode_photo(image.pixels, replace(image, metadata=Metadata(
        photoshop=IPTC)), '.tif', mark=False)
    alone = tiff.replace(struct.pack('<H', 34377) + b'\1\0',
                         struct.pack('<H', 34378) + b'\1\0')
    ok_(alone != tiff)
    eq_(decode_photo(alone, 'a').metadata.photoshop, IPTC)


def test_resolution_goes_everywhere():
    for chain in (['.jpg'], ['.png'], ['.tif'], ['.webp'],
                  ['.png', '.tif', '.jpg'], ['.webp', '.png', '.webp']):
        kept = rewritten(Metadata(resolution=(300., 240.)), *chain)
        ok_(abs(kept.resolution[0] - 300) < .01, chain)
        ok_(abs(kept.resolution[1] - 240) < .01, chain)


def test_webp_has_the_resolution_in_exif():
    own = exif_block(Tags('>', {315: (2, 7, b'M\xfcller\0')}))
    for exif, mark in (b'', False), (b'', True), (own, False):
        kept = rewritten(Metadata(exif=exif, resolution=(300., 240.)),
                         '.webp', mark=mark)
        eq_(kept.resolution, (300, 240))
        eq_(315 in read_tags(kept.exif).values, exif == own)
    # Where EXIF says one, it stays.
    eq_(rewritten(replace(everything(), resolution=(72., 72.)),
                  '.webp').exif, block())


def test_centimetres():
    stream = io.BytesIO()
    photo().save(stream, 'JPEG', dpi=(118, 118))
    content = bytearray(stream.getvalue())
    content[13] = 2
    across, _ = decode_photo(bytes(content), 'a').metadata.resolution
    ok_(abs(across - 299.72) < .01)


def test_others_read_what_is_written():
    for suffix in '.jpg', '.png', '.tif', '.webp':
        image = decode_photo(_plain(), 'a')
        content = encode_photo(image.pixels, replace(
            image, metadata=replace(everything(), exif=set_upright(block()))),
            suffix)
        opened = Image.open(io.BytesIO(content))
        opened.load()
        exif = opened.getexif()
        eq_(exif.get_ifd(EXIF_IFD)[0x9003], '1931:05:04 10:00:00')
        eq_(exif.get_ifd(EXIF_IFD)[0x927c], bytes(range(60)))
        if suffix in ('.jpg', '.png'):
            ok_(abs(opened.info['dpi'][0] - 600) < .1)
        if suffix == '.jpg':
            eq_(opened.info['comment'], COMMENT)
            eq_(opened.info['photoshop'][0x0404], IPTC[12:])


def test_thumbnails_go_and_nothing_moves():
    thumbnail = b'\xff\xd8' + bytes(300) + b'\xff\xd9'
    first = block()
    at = len(first)
    second = struct.pack('<HHHIIHHIII', 2, 513, 4, 1, at + 30, 514, 4, 1,
                         len(thumbnail), 0)
    count, = struct.unpack('<H', first[8:10])
    link = 10 + 12 * count
    whole = (first[:link] + struct.pack('<I', at) + first[link + 4:] + second
             + thumbnail)
    without = drop_thumbnail(whole)
    assert_not_in(thumbnail, without)
    eq_(without[:at], first)
    eq_(drop_thumbnail(first), first)
    # Photoshop has one, too.
    own = b'8BIM\4\x0c\0\0\0\0\0\4abcd'
    eq_(rewritten(Metadata(photoshop=own + IPTC), '.jpg', '.jpg').photoshop,
        IPTC)


def test_resource_blocks_that_are_damaged():
    eq_([number for number, _ in resource_blocks(IPTC + IPTC)], [0x404] * 2)
    eq_(resource_blocks(IPTC[:-3]), [])
    eq_(resource_blocks(b'nonsense'), [])


def test_comments_in_tiff():
    several = Metadata(comments=(b'first', COMMENT + b'\0'))
    values = read_tags(rewritten(several, '.tif').exif).values
    eq_(values[270][2], b'first\n' + COMMENT + b'\0')
    # An empty place is found for one of them only.
    named = replace(several, exif=exif_block(Tags('<', {
        270: (2, 6, b'first\0')})))
    with _Notes() as notes:
        values = read_tags(rewritten(named, '.tif').exif).values
    eq_(values[270][2], b'first\0')
    assert_in('comment', notes.text)
    rewritten(replace(named, comments=(b'first',)), '.tif')


def test_descriptions_of_a_layout_that_is_no_more():
    for options, kept in (
            ({}, None), ({'metadata': None}, None),
            ({'metadata': {'author': 'me'}}, b'{"author": "me"}\0'),
            ({'imagej': True}, None),
            ({'imagej': True, 'metadata': {'unit': 'mm'}}, b'unit=mm\0'),
            ({'description': 'Grandmother', 'metadata': None},
             b'Grandmother\0'),
            ({'description': '{"shapes": 7}', 'metadata': None},
             b'{"shapes": 7}\0')):
        stream = io.BytesIO()
        tifffile.imwrite(stream, np.zeros((20, 30), np.uint8), **options)
        image = decode_photo(stream.getvalue(), 'a.tif')
        content = encode_photo(np.dstack([image.pixels] * 3), image, '.tif')
        page = tifffile.TiffFile(io.BytesIO(content)).pages[0]
        tag = page.tags.get(270)
        eq_(tag and content[tag.valueoffset:][:tag.count], kept)


def test_what_jpeg_cannot_hold_is_said():
    large = replace(everything(), xmp=XMP + b' ' * 70000)
    with _Notes() as notes:
        kept = rewritten(large, '.jpg')
    eq_(kept.xmp, b'')
    eq_(kept.exif, block())
    assert_in('XMP', notes.text)


def test_a_photo_is_written_without_metadata_that_cannot_be():
    for suffix in '.tif', '.webp':
        damaged = Metadata(exif=b'II*\0\xff\xff\xff\xff')
        if suffix == '.webp':
            damaged = Metadata(exif=7)
        image = replace(decode_photo(_plain(), 'a'), metadata=damaged,
                        orientation=6)
        with _Notes() as notes:
            content = encode_photo(image.pixels, image, suffix, 'b' + suffix,
                                   mark=False)
        assert_in('b%s: written without' % suffix, notes.text)
        eq_(len(notes.text.splitlines()), 1)
        eq_(decode_photo(content, 'a').pixels.shape, image.pixels.shape)


def test_colours_are_right_whatever_cannot_be_written():
    profile = swapped_rgb_profile()
    image = decode_photo(_plain(), 'a')
    for metadata, words, exif, kept in (
            (Metadata(exif=7, xmp=XMP), 'without EXIF,', b'', profile),
            (Metadata(exif=7, comments=(7,)), 'other metadata,', b'',
             profile),
            (Metadata(comments=(7,)), 'other metadata,', b'', profile),
            # More segments than JPEG can count.
            (Metadata(), 'its colour profile,', b'', b'')):
        long_ = profile + (b'' if kept else bytes(256 * 65519))
        damaged = replace(image, metadata=replace(metadata, profile=long_))
        with _Notes() as notes:
            content = encode_photo(image.pixels, damaged, '.jpg', 'b.jpg',
                                   mark=False)
        assert_in(words, notes.text)
        eq_(len(notes.text.splitlines()), 1)
        read = decode_photo(content, 'a')
        eq_((read.metadata.profile, read.metadata.xmp), (
            kept, metadata.xmp))
        ok_(np.abs(read.pixels - image.pixels.astype(int)).mean() < 4)


def test_a_profile_that_is_ignored_is_said():
    stream = io.BytesIO()
    photo().save(stream, 'PNG', icc_profile=b'nonsense')
    read = decode_photo(stream.getvalue(), 'a')
    with _Notes() as notes:
        encode_photo(read.pixels, read, '.png', 'b.png')
    assert_in('b.png: colour profile', notes.text)
    assert_in('ignored', notes.text)
    eq_(len(notes.text.splitlines()), 1)


def test_entries_beside_what_is_there():
    for order in '<', '>':
        before = read_tags(block(order))
        more = Tags(order, {11: (2, 3, b'ab\0'), 305: (2, 9, b'colornet\0'),
                            315: (2, 5, b'none\0')})
        changed = with_entries(block(order), more)
        eq_(changed[:4] + changed[8:len(block(order))],
            block(order)[:4] + block(order)[8:])
        before.values.update(more.values)
        eq_(read_tags(changed), before)
        eq_(exif_orientation(changed), 6)
        eq_(read_tags(with_entries(b'', more)), more)
    with assert_raises(TagError):
        with_entries(block()[:60], Tags('<'))


def test_tags_that_are_damaged():
    for content in b'', b'II*\0', b'II*\0\x08\0\0\0\xff\xff', block()[:-30]:
        try:
            read_tags(content)
        except TagError as error:
            eq_(len(str(error).splitlines()), 1)
        else:
            raise AssertionError(content)


def test_what_of_damaged_exif_can_be_read_is_kept():
    for order in '<', '>':
        whole = block(order)
        at = whole.index(struct.pack(order + 'HH', 315, 2))
        beyond = struct.pack(order + 'I', 60000)
        read = decode_photo(_with_exif(whole[:at + 8] + beyond
                                       + whole[at + 12:]), 'a')
        expected = read_tags(whole)
        del expected.values[315]
        del expected.values[EXIF_IFD].values[0x927c]
        eq_(read_tags(read.metadata.exif), expected)
        eq_(read.orientation, 6)
        eq_(read.notes, ('damaged EXIF, kept as far as it can be read',))
    # Nothing but a part of the first directory.
    cut = decode_photo(_with_exif(block()[:10 + 12 * 3 + 5]), 'a')
    eq_(sorted(read_tags(cut.metadata.exif).values), [0x0112])
    eq_(cut.orientation, 6)
    eq_(decode_photo(_with_exif(b'nonsense'), 'a').notes,
        ('damaged EXIF, ignored',))
    eq_(decode_photo(_with_exif(block()), 'a').notes, ())


def test_what_of_damaged_tags_can_be_read_is_kept():
    stream = io.BytesIO()
    photo().save(stream, 'TIFF', tiffinfo={315: 'a photographer',
                                           271: 'a maker'})
    content = stream.getvalue()
    at = content.index(struct.pack('<HH', 315, 2))
    read = decode_photo(content[:at + 8] + b'\xff\xff\xff\0'
                        + content[at + 12:], 'a')
    eq_(sorted(read_tags(read.metadata.exif).values), [271])
    eq_(read.notes, ('damaged tags, kept as far as they can be read',))


def _with_exif(exif):
    stream = io.BytesIO()
    photo().save(stream, 'JPEG', exif=b'Exif\0\0' + exif)
    return stream.getvalue()


class _Notes:
    """What is said on the standard error stream."""

    def __enter__(self):
        from unittest import mock
        self.stream = io.StringIO()
        self.patch = mock.patch('sys.stderr', self.stream)
        self.patch.__enter__()
        return self

    def __exit__(self, *error):
        self.patch.__exit__(*error)
        self.text = self.stream.getvalue()


def test_camera_raw():
    for order, start in ('<', b'II*\0'), ('<', b'IIRO'), ('>', b'MM\0*'):
        tags = read_tags(block(order))
        tags.values[50706] = 1, 4, bytes([1, 4, 0, 0])
        content = start + exif_block(tags)[4:]
        kept = metadata_of_raw(content)
        values = read_tags(kept.exif).values
        eq_(sorted(values), [270, 282, 283, 296, 315, EXIF_IFD])
        eq_(values[270], tags.values[270])
        eq_(sorted(values[EXIF_IFD].values), [0x9003, 0x9286])
        eq_((exif_orientation(kept.exif), kept.resolution), (1, (600, 600)))
    for content in b'', b'FUJIFILMCCD-RAW 0201' + bytes(100):
        eq_(metadata_of_raw(content), Metadata())
