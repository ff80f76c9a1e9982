"""The mark that colours are computed, beside all that a file says.

In XMP: an entry of the photo's history, which there may be however many
programs have named themselves before; and the program and IPTC's type of such
pictures, where none are named. In EXIF, where XMP cannot take it.
"""

import re
from dataclasses import replace
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

from .. import __version__
from .tags import TagError, Tags, exif_block, read_tags, with_entries

__all__ = ['LONGEST_IN_JPEG', 'SOFTWARE', 'is_marked', 'marked',
           'software_value']

#: Bytes of XMP and of EXIF in a segment of JPEG.
LONGEST_IN_JPEG = 65504, 65527

#: The tags that name the program which made a file, and which changed it.
SOFTWARE, _PROCESSING_SOFTWARE = 0x0131, 0x000b

_PROGRAM = 'colornet ' + __version__

#: What IPTC calls pictures of which a trained model made a part.
_SOURCE_TYPE = ('http://cv.iptc.org/newscodes/digitalsourcetype/'
                'compositeWithTrainedAlgorithmicMedia')

_RDF = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#'
_HISTORY = 'http://ns.adobe.com/xap/1.0/mm/'
_EVENT = 'http://ns.adobe.com/xap/1.0/sType/ResourceEvent#'

# What is said where nobody has: name, where it is defined, text.
_FIELDS = [('xmp', 'CreatorTool', 'http://ns.adobe.com/xap/1.0/', _PROGRAM),
           ('Iptc4xmpExt', 'DigitalSourceType',
            'http://iptc.org/std/Iptc4xmpExt/2008-02-29/', _SOURCE_TYPE)]

#: An event of the history. Without a time: the same photo gives the same
#: file.
_ENTRY = ('<rdf:li xmlns:rdf="%s" xmlns:stEvt="%s" stEvt:action="edited" '
          'stEvt:softwareAgent="%s" stEvt:changed="/" stEvt:parameters='
          '"colours computed by a trained network"/>'
          % (_RDF, _EVENT, _PROGRAM)).encode()

_PACKET = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="%s"></rdf:RDF>'
    '</x:xmpmeta><?xpacket end="w"?>' % _RDF).encode('utf-8')

_END = re.compile(rb'</(?:[\w.-]+:)?RDF\s*>')
_ABOUT = re.compile(rb'[\s:]about\s*=\s*("[^"<]*"|\'[^\'<]*\')')
_END_OF_HISTORY = re.compile(
    rb'<(?:[\w.-]+:)?History\b[^>]*>\s*<(?:[\w.-]+:)?Seq\b.*?'
    rb'(?=</(?:[\w.-]+:)?Seq\s*>)', re.DOTALL)


def marked(metadata, longest=(None, None)):
    """Metadata with a mark that colours are computed.

    Parameters
    ----------
    metadata : Metadata
    longest : (int, int)
        Bytes that XMP and EXIF may have; None: any number.

    Returns
    -------
    Metadata
        What was said is kept, byte for byte. As it was, if nothing can be
        added: see :func:`is_marked`.
    """
    xmp = _marked_xmp(metadata.xmp or _PACKET)
    if xmp is not None and len(xmp) <= (longest[0] or len(xmp)):
        # Readers that know no XMP see the program, if there is no other.
        return replace(metadata, xmp=xmp, exif=metadata.exif or exif_block(
            Tags('<', {SOFTWARE: software_value()})))
    exif = _marked_exif(metadata.exif)
    if exif is not None and len(exif) <= (longest[1] or len(exif)):
        return replace(metadata, exif=exif)
    return metadata


def is_marked(metadata):
    """Whether something in metadata says that colornet was at work."""
    program = _PROGRAM.encode()
    return program in metadata.xmp or program in metadata.exif


def software_value():
    """The value of the tag that names the program."""
    content = _PROGRAM.encode() + b'\0'
    return 2, len(content), content


def _marked_exif(block):
    """EXIF that names the program beside another, or None."""
    try:
        order, values = '<', {}
        if block:
            tags = read_tags(block)
            order, values = tags.order, tags.values
        named = _PROCESSING_SOFTWARE if SOFTWARE in values else SOFTWARE
        return with_entries(block, Tags(order, {named: software_value()}))
    except TagError:
        return None


def _marked_xmp(packet):
    """An XMP packet with the mark, or None if it is too odd for that."""
    if _ENTRY in packet:
        return packet
    root = _parse(packet)
    end = _END.search(packet)
    if root is None or end is None:
        return None
    names = {name for element in root.iter()
             for name in (element.tag, *element.attrib)}
    fields = ''.join(
        ' xmlns:%s="%s" %s:%s=%s' % (prefix, space, prefix, name,
                                     quoteattr(text))
        for prefix, name, space, text in _FIELDS
        if '{%s}%s' % (space, name) not in names).encode()
    content, history = b'', None
    if '{%s}History' % _HISTORY in names:
        history = _END_OF_HISTORY.search(packet)
        if history is None:
            return None
    else:
        content = (b'<xmpMM:History xmlns:xmpMM="%s"><rdf:Seq>%s</rdf:Seq>'
                   b'</xmpMM:History>' % (_HISTORY.encode(), _ENTRY))
    about = _ABOUT.search(packet)
    added = (b'<rdf:Description xmlns:rdf="%s" rdf:about=%s%s>%s'
             b'</rdf:Description>' % (
                 _RDF.encode(), about.group(1) if about else b'""', fields,
                 content) if fields or content else b'')
    result = packet[:end.start()] + added + packet[end.start():]
    if history:
        # The history is before the end of what it is a part of.
        result = result[:history.end()] + _ENTRY + result[history.end():]
    # Programs leave room for what is added later.
    start, closing, end = result.rpartition(b'<?xpacket end')
    if closing:
        room = len(start) - len(start.rstrip())
        start = start[:len(start) - min(room, len(result) - len(packet))]
    result = start + closing + end
    return result if _has_entry(_parse(result)) else None


def _parse(packet):
    """The root of a packet, or None; no entities, which may explode."""
    if b'<!' in packet.replace(b'<!--', b''):
        return None
    try:
        return ElementTree.fromstring(packet.strip(b'\0 \t\r\n'))
    except (ElementTree.ParseError, ValueError, LookupError):
        return None


def _has_entry(root):
    agent = '{%s}softwareAgent' % _EVENT
    path = './/{%s}History/{%s}Seq/{%s}li' % (_HISTORY, _RDF, _RDF)
    return root is not None and any(
        entry.get(agent) == _PROGRAM for entry in root.iterfind(path))
