"""Whether an ONNX model would have other files read.

The runtime reads them when it opens a model, so this looks before, at the
bytes: the package onnx need not be there.
"""

__all__ = ['has_external_data']

#: Fields of ONNX's messages that lead to tensors -> the message.
_FIELDS = {
    'model': {7: 'graph', 20: 'training', 25: 'function'},
    'training': {1: 'graph', 2: 'graph'},
    'graph': {1: 'node', 5: 'tensor', 15: 'sparse'},
    'function': {7: 'node', 11: 'attribute'},
    'node': {5: 'attribute'},
    'attribute': {5: 'tensor', 6: 'graph', 10: 'tensor', 11: 'graph',
                  22: 'sparse', 23: 'sparse'},
    'sparse': {1: 'tensor', 2: 'tensor'},
    'tensor': {}}

#: Fields of a tensor: where its data are, and whether they are there.
_EXTERNAL, _LOCATION = 13, 14


def has_external_data(model):
    """Whether a tensor of a model is in another file.

    Parameters
    ----------
    model : bytes
        An ONNX file.

    Returns
    -------
    bool

    Raises
    ------
    ValueError
        If it is none.
    """
    # Messages may be within each other without end.
    left = [('model', memoryview(model))]
    while left:
        kind, content = left.pop()
        for field, value in _fields(content):
            if kind == 'tensor' and (field == _EXTERNAL or
                                     field == _LOCATION and value):
                return True
            inner = _FIELDS[kind].get(field)
            if inner and isinstance(value, memoryview):
                left.append((inner, value))
    return False


def _fields(content):
    """Numbers and values of the fields of a message of Protocol Buffers."""
    at = 0
    while at < len(content):
        tag, at = _number(content, at)
        form = tag & 7
        if form == 0:
            value, at = _number(content, at)
        else:
            if form == 2:
                size, at = _number(content, at)
            elif form in (1, 5):
                size = {1: 8, 5: 4}[form]
            else:
                raise ValueError('a field of no form')
            value = content[at:at + size]
            at += size
        if at > len(content) or not 8 <= tag < 1 << 32:
            raise ValueError('a field that ends elsewhere')
        yield tag >> 3, value


def _number(content, at):
    """A number of seven bits a byte, and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(content):
            break
        byte = content[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise ValueError('a number without an end')
