"""Contact sheets: a row per photo, its versions side by side (Figure 5)."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ..color import as_uint8, join_channels, split_channels
from ..photos.pixels import resize
from ..photos.reading import read_photo
from ..photos.writing import save_image

__all__ = ['contact_sheet', 'fill_rows', 'grey_picture', 'save_demo_sheet',
           'save_groups', 'save_sheet', 'show_prediction', 'shrink_picture']


def grey_picture(luminance, color_space='luv'):
    """The black-and-white picture of a luminance channel.

    Parameters
    ----------
    luminance : ndarray, (rows, columns)

    Returns
    -------
    ndarray of float32, (rows, columns, 3)
    """
    return join_channels(luminance, np.zeros(luminance.shape + (2,)),
                         color_space)


def show_prediction(rgb, chromas, color_space='luv'):
    """Pictures for a row of a sheet: grey | predicted, ... | original.

    Parameters
    ----------
    rgb : ndarray, (rows, columns, 3)
        The original.
    chromas : sequence of ndarray, (rows, columns, 2)
        Predicted from its luminance, in `color_space`.

    Returns
    -------
    list of ndarray, (rows, columns, 3)
    """
    luminance, _ = split_channels(rgb, color_space)
    return ([grey_picture(luminance, color_space)] +
            [join_channels(luminance, chroma, color_space)
             for chroma in chromas] + [rgb])


def contact_sheet(rows, titles, names=None, width=960, background='white'):
    """Draw rows of photos under column titles.

    Parameters
    ----------
    rows : sequence of sequences of ndarray
        Every row holds a photo per title, grey (rows, columns) or sRGB
        (rows, columns, 3); uint8, uint16 or floating point in [0, 1]. All
        columns have one width, to which the photos are fitted.
    titles : sequence of str
        One above each column; may be empty strings.
    names : sequence of str or of sequences of str, optional
        One below each row, for instance file names, or several, each below
        its share of the columns; cut to the width.
    width : int
        Of the sheet, pixels.
    background : str
        A colour name of Pillow's.

    Returns
    -------
    PIL.Image.Image, mode RGB

    Raises
    ------
    ValueError
        If there are no rows, a row has not one photo per title, the names are
        not those of the rows, or not of equal shares of the columns, or
        `width` leaves nothing for the photos.
    """
    rows, titles = list(rows), list(titles)
    names = [[name] if isinstance(name, str) else list(name)
             for name in ([''] * len(rows) if names is None else names)]
    if not rows or not titles:
        raise ValueError('a contact sheet needs a row and a title at least')
    if len(names) != len(rows):
        raise ValueError('%d names for %d rows' % (len(names), len(rows)))
    for row_names in names:
        if not row_names or len(titles) % len(row_names):
            raise ValueError('%d names below %d columns'
                             % (len(row_names), len(titles)))
    for row in rows:
        if len(row) != len(titles):
            raise ValueError('a row of %d photos under %d titles'
                             % (len(row), len(titles)))
    margin = max(4, width // 120)
    column = (width - margin) // len(titles) - margin
    if column < 16:
        raise ValueError('%d pixels are too few for %d columns'
                         % (width, len(titles)))
    font_size = min(18, max(10, column // 14))
    title_font = ImageFont.load_default(font_size)
    name_font = ImageFont.load_default(max(9, font_size * 3 // 4))
    title_height = _line_height(title_font) if any(titles) else 0
    name_height = (_line_height(name_font) if any(map(any, names))
                   else 0)

    pictures = [[_fit(pixels, column) for pixels in row] for row in rows]
    heights = [max(picture.height for picture in row) for row in pictures]
    height = (margin + title_height
              + sum(heights) + len(rows) * (name_height + margin))
    sheet = Image.new('RGB', (width, height), background)
    draw = ImageDraw.Draw(sheet)
    ink = _ink(sheet.getpixel((0, 0)))
    lefts = [margin + number * (column + margin)
             for number in range(len(titles))]
    for left, title in zip(lefts, titles):
        draw.text((left + column // 2, margin),
                  _cut(title, title_font, column),
                  ink, title_font, anchor='ma')
    top = margin + title_height
    for row, row_names, row_height in zip(pictures, names, heights):
        for left, picture in zip(lefts, row):
            sheet.paste(picture, (left + (column - picture.width) // 2,
                                  top + (row_height - picture.height) // 2))
        share = len(titles) // len(row_names)
        for number, name in enumerate(row_names):
            first = number * share
            below = max(picture.height
                        for picture in row[first:first + share])
            draw.text((lefts[first], top + (row_height + below) // 2 + 1),
                      _cut(name, name_font,
                           share * (column + margin) - margin),
                      ink, name_font, anchor='la')
        top += row_height + name_height + margin
    return sheet


def fill_rows(groups, names, per_row):
    """Put several groups of photos into each row of a contact sheet.

    Parameters
    ----------
    groups : sequence of sequences of ndarray
        All of one length.
    names : sequence of str
        One for each group.
    per_row : int
        The last row is filled up with white.

    Returns
    -------
    rows : list of lists of ndarray
    names : list of lists of str
        For each row, those of its groups, filled up with empty ones.
    """
    blank = np.full((1, 1, 3), 255, np.uint8)
    rows, row_names = [], []
    for start in range(0, len(groups), per_row):
        row = [picture for group in groups[start:start + per_row]
               for picture in group]
        missing = per_row * len(groups[0]) - len(row)
        rows.append(row + [blank] * missing)
        row_names.append((list(names[start:start + per_row]) +
                          [''] * per_row)[:per_row])
    return rows, row_names


def save_sheet(path, rows, titles, **options):
    """Save a contact sheet, completely or not at all.

    Parameters
    ----------
    path : str or Path
        The suffix gives the format.
    rows, titles, options
        As for :func:`contact_sheet`.

    Raises
    ------
    ImageError, OSError
        As :func:`colornet.photos.writing.save_image`.
    ValueError
        As :func:`contact_sheet`.
    """
    save_image(path, contact_sheet(rows, titles, **options))


def save_groups(path, triples, names, title, per_row):
    """Save a contact sheet of one network's photos, some to a row.

    Parameters
    ----------
    path : str or Path
    triples : sequence of sequences of ndarray
        Grey, predicted, original.
    names : sequence of str
        One for each.
    title : str
        Above the predicted ones.
    per_row : int
    """
    rows, row_names = fill_rows(triples, names, per_row)
    save_sheet(path, rows, ('grey', title, 'original') * per_row,
               names=row_names, width=600 * per_row)


def save_demo_sheet(path, folder, coloured):
    """Save a contact sheet of coloured photos: grey | coloured | original.

    The widest come first, two to a row.

    Parameters
    ----------
    path : str or Path
    folder : Path
        Holds the originals.
    coloured : list of Path
        Named as the originals are.
    """
    groups = []
    for result in coloured:
        original = read_photo(folder / result.name).pixels
        groups.append((grey_picture(split_channels(original)[0]),
                       read_photo(result).pixels, original))
    # Photos of like proportions side by side leave no gaps.
    order = sorted(range(len(groups)), key=lambda number: (
        groups[number][2].shape[0] / groups[number][2].shape[1]))
    save_groups(path, [groups[number] for number in order],
                [coloured[number].name for number in order], 'coloured', 2)


def _fit(pixels, side):
    """Picture of an array, reduced or enlarged to a width of `side`.

    Photos higher than twice their width are fitted by their height instead.
    """
    picture = Image.fromarray(as_uint8(np.asarray(pixels))).convert('RGB')
    scale = min(side / picture.width, 2 * side / picture.height)
    return picture.resize((max(1, round(picture.width * scale)),
                           max(1, round(picture.height * scale))),
                          Image.LANCZOS)


def _line_height(font):
    ascent, descent = font.getmetrics()
    return ascent + descent + 4


def _ink(background):
    """Black or white, whichever is readable on the background."""
    return 'black' if sum(background) > 3 * 127 else 'white'


def _cut(text, font, width):
    """Text that fits into a width, its end dotted if it had to be cut."""
    text = text.replace('\n', ' ')  # a file name may hold one
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + '...') > width:
        text = text[:-1]
    return text + '...'


def shrink_picture(pixels, width):
    """A picture no larger than a sheet shows it.

    Parameters
    ----------
    pixels : ndarray, (rows, columns, 3)
    width : int

    Returns
    -------
    ndarray, same dtype
        At most `width` columns.
    """
    rows, columns = pixels.shape[:2]
    scale = width / columns
    return pixels if scale >= 1 else resize(
        pixels, (max(1, round(scale * rows)), width))
