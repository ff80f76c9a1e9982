"""The mark that colours are computed, whatever else a file says."""

import io
from dataclasses import replace
from unittest import mock
from xml.etree import ElementTree

from nose.tools import assert_in, assert_not_in, eq_, ok_

from colornet.formats.decoding import decode_photo
from colornet.formats.marks import LONGEST_IN_JPEG, SOFTWARE, is_marked, marked
from colornet.formats.metadata import Metadata
from colornet.formats.tags import Tags, read_tags, with_entries
from colornet.photos.writing import encode_photo
from tests.formats.test_metadata import XMP, block, everything, rewritten

RDF = '{http://www.w3.org/1999/02/22-rdf-syntax-ns#}'
EVENT = '{http://ns.adobe.com/xap/1.0/sType/ResourceEvent#}'
HISTORY = '{http://ns.adobe.com/xap/1.0/mm/}History'

#: What other programs say of themselves.
OTHERS = XMP.replace(
    b'<rdf:Description ', b'<rdf:Description xmlns:xmp='
    b'"http://ns.adobe.com/xap/1.0/" xmlns:tiff='
    b'"http://ns.adobe.com/tiff/1.0/" xmlns:Iptc4xmpExt='
    b'"http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
    b'xmp:CreatorTool="Scan" tiff:Software="Scan" '
    b'Iptc4xmpExt:DigitalSourceType="negativeFilm" ')
WITH_HISTORY = OTHERS.replace(b'dc:source="Gro\xc3\x9fmutter"/>', (
    b'xmlns:m="http://ns.adobe.com/xap/1.0/mm/" xmlns:e='
    b'"http://ns.adobe.com/xap/1.0/sType/ResourceEvent#">\n'
    b'<m:History>\n <rdf:Seq>\n  <rdf:li e:action="created" '
    b'e:softwareAgent="Scan"/>\n </rdf:Seq>\n</m:History>'
    b'</rdf:Description>'))


def agents(packet):
    """The programs in a packet's history."""
    root = ElementTree.fromstring(packet)
    return [entry.get(EVENT + 'softwareAgent').split()[0] for entry in
            root.iterfind('.//%s/%sSeq/%sli' % (HISTORY, RDF, RDF))]


def test_every_format_with_a_place_for_it():
    for metadata in Metadata(), everything(), replace(
            everything(), xmp=OTHERS), replace(everything(),
                                               xmp=WITH_HISTORY):
        for suffix in '.jpg', '.png', '.tif', '.webp':
            kept = rewritten(metadata, suffix, mark=True)
            eq_(agents(kept.xmp)[-1], 'colornet')
            if metadata.exif and suffix != '.tif':
                eq_(kept.exif, metadata.exif)
            else:
                assert_in(b'colornet', kept.exif)
            unmarked = rewritten(metadata, suffix)
            ok_(not is_marked(unmarked))


def test_who_has_named_a_program_is_left_alone():
    own = marked(everything()).xmp
    assert_in(b'CreatorTool="colornet', own)
    assert_in(b'compositeWithTrainedAlgorithmicMedia', own)
    assert_in(b'about="uuid:7"', own)
    for packet, programs in (OTHERS, ['colornet']), (
            WITH_HISTORY, ['Scan', 'colornet']):
        more = marked(Metadata(xmp=packet)).xmp
        eq_(agents(more), programs)
        assert_not_in(b'compositeWith', more)
        for text in b'CreatorTool=', b'DigitalSourceType=', b'</m:History':
            eq_(more.count(text), packet.count(text))
        # Every byte but for the room at the end is there, in its order.
        rest = iter(more)
        ok_(all(byte in rest for byte in packet.rstrip().replace(
            b' ' * 50, b'')))


def test_once_is_enough():
    for metadata in Metadata(), everything(), Metadata(xmp=WITH_HISTORY):
        once = marked(metadata)
        eq_(marked(once), once)


def test_room_that_is_left_for_it_is_used():
    packet = WITH_HISTORY.replace(b' ' * 50, b' \n' * 1000)
    more = marked(Metadata(xmp=packet)).xmp
    eq_(len(more), len(packet))
    ok_(more.endswith(b' \n<?xpacket end="w"?>'))


def test_where_xmp_cannot_take_it_exif_does():
    utf_16 = WITH_HISTORY.decode('utf-8').encode('utf-16')
    odd = [b'nonsense', utf_16, XMP.replace(b'</rdf:RDF>', b''),
           b'<!DOCTYPE x [<!ENTITY y "z">]>' + XMP,
           WITH_HISTORY.replace(b'rdf:Seq', b'rdf:Bag')]
    for packet in odd:
        for exif in b'', block():
            metadata = marked(Metadata(xmp=packet, exif=exif))
            eq_(metadata.xmp, packet)
            values = read_tags(metadata.exif).values
            ok_(values[SOFTWARE][2].startswith(b'colornet'))
            for tag, value in read_tags(exif).values.items() if exif else ():
                eq_(values[tag], value)
        again = marked(Metadata(xmp=packet, exif=metadata.exif))
        ok_(is_marked(again))


def test_another_program_in_exif_is_left_alone():
    named = with_entries(block(), Tags('<', {SOFTWARE: (2, 5, b'Scan\0')}))
    values = read_tags(marked(Metadata(xmp=b'odd', exif=named)).exif).values
    eq_(values[SOFTWARE][2], b'Scan\0')
    ok_(values[11][2].startswith(b'colornet'))


def test_a_long_packet_does_not_go_for_the_mark():
    room = LONGEST_IN_JPEG[0] - len(XMP) - 20
    packet = XMP.replace(b'Gro', b'Gro' + b'o' * room)
    kept = rewritten(Metadata(xmp=packet), '.jpg', mark=True)
    eq_(kept.xmp, packet)
    assert_in(b'colornet', kept.exif)
    assert_in(b'colornet', rewritten(Metadata(xmp=packet), '.png',
                                     mark=True).xmp)


def test_no_place_at_all_is_said():
    image = decode_photo(encode_photo(
        decode_photo(_ppm(), 'a').pixels, decode_photo(_ppm(), 'a'), '.png',
        mark=False), 'a')
    long_ = block() + bytes(LONGEST_IN_JPEG[1] - len(block()) - 3)
    with mock.patch('sys.stderr', io.StringIO()) as err:
        content = encode_photo(image.pixels, replace(
            image, metadata=Metadata(xmp=b'odd', exif=long_)), '.jpg',
            'b.jpg')
    assert_in('b.jpg: its format cannot keep: a mark', err.getvalue())
    eq_(decode_photo(content, 'a').metadata.exif, long_)


def _ppm():
    return b'P5 20 20 255\n' + bytes(range(200)) * 2
