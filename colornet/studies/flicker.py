"""Films coloured frame by frame and smoothed: how much they flicker."""

import contextlib
import time
from collections import OrderedDict
from pathlib import Path

import numpy as np

from ..color import as_float_rgb, as_uint8, luminance, split_channels
from ..errors import ColornetError
from ..evaluation.columns import Column, format_columns
from ..evaluation.sheets import grey_picture
from ..files import write_rows
from ..further_metrics import colourfulness, peak_signal_to_noise
from ..photos.pixels import resize
from ..photos.prints import find_picture
from ..terminal import note, progress_bar
from ..video.colouring import FilmColorizer
from ..video.flicker import (FLOWS, ColourConsistency, WarpingError,
                             find_visible)
from ..video.reading import Clip, Frame

__all__ = ['METHODS', 'find_clips', 'score_flicker']

#: Name -> what a FilmColorizer is given.
METHODS = OrderedDict([
    ('frame by frame', {'memory': 0.}), ('smoothed', {}),
    ('smoothed, every 4th', {'every': 4})])

#: Longer side of the frames that are scored.
_SIDE = 640

_SUFFIXES = {'.avi', '.m4v', '.mkv', '.mov', '.mp4', '.mpg', '.webm'}

#: What the columns of the file are to people.
_TABLE = OrderedDict([
    ('warp', Column('UV', '%7.2f')), ('times', Column('times', '%5.1f')),
    ('warp_farneback', Column('UV, F.', '%7.2f')),
    ('e_warp', Column('E_warp', '%8.5f')), ('cdc', Column('CDC', '%8.5f')),
    ('cdc_distance', Column('to own', '%8.5f')),
    ('psnr', Column('PSNR', '%6.2f')), ('gain', Column('gain', '%+6.2f')),
    ('colourfulness', Column('colours', '%7.1f')),
    ('fps', Column('frames/s', '%8.2f'))])


def find_clips(sources):
    """Clips in files and folders.

    Parameters
    ----------
    sources : sequence of str or Path

    Returns
    -------
    list of Path

    Raises
    ------
    ColornetError
        If there are none, or one does not exist.
    """
    found = []
    for source in map(Path, sources):
        if not source.exists():
            raise ColornetError('%s does not exist' % source)
        found += (sorted(path for path in source.rglob('*')
                         if path.suffix.lower() in _SUFFIXES)
                  if source.is_dir() else [source])
    if not found:
        raise ColornetError('no clips (%s) in %s' % (
            ' '.join(sorted(_SUFFIXES)), ', '.join(map(str, sources))))
    return found


def score_flicker(sources, out_file, outputs, config, max_frames=48):
    """Score films coloured in several ways, against their own colours.

    Parameters
    ----------
    sources : sequence of str or Path
        Clips in colour, and folders of them.
    out_file : str or Path
        CSV file: for each clip and each of :data:`METHODS`, ``warp``, the
        mean squared error of U and V along the flow, by DIS, and
        ``warp_farneback``, by Farneback's; ``times``, what frame by frame has
        of the first, over it; ``e_warp``, the squared error of RGB in [0, 1]
        (Lai et al., 2018), by DIS; ``cdc`` and ``cdc_distance``, how far it
        is from that of the clip's own colours; ``psnr`` and what it is above
        that of grey frames, in dB; the mean ``colourfulness``; and frames a
        second, without reading and writing files. The clips' own colours,
        and none, are two more rows. No pair of frames spans a cut.
    outputs, config
        Of :func:`colornet.prediction.engines.load_outputs`.
    max_frames : int
        Of each clip, from its beginning.

    Returns
    -------
    str
        The table to print.

    Raises
    ------
    ColornetError
        If there are no clips.
    """
    rows, lines = [], []
    for path in find_clips(sources):
        try:
            frames, picture = _read(path, max_frames)
        except ColornetError as error:
            note('left out: %s' % error)
            continue
        if len(frames) < 2:
            note('left out: %s has one frame only' % path)
            continue
        scores = _score_clip(path.name, frames, picture, outputs, config)
        for row in scores.values():
            rows.append(row)
        lines += ['', '%s: %d frames of %d x %d' % (
            path.name, len(frames), frames[0].shape[1], frames[0].shape[0])]
        lines += format_columns('%-19s' % 'colours', scores, _TABLE)
        # What was found is not lost with what comes.
        write_rows(out_file, ['clip', 'method', 'frames'] + list(_TABLE), rows)
    if not rows:
        raise ColornetError('none of the clips can be scored')
    return '\n'.join(lines[1:])


def _read(path, max_frames):
    """Frames of a clip as 8-bit pixels, small, and where the picture is."""
    frames = []
    with contextlib.closing(Clip(path)) as clip:
        scale = min(1., _SIDE / max(clip.shape))
        shape = [max(1, round(side * scale)) for side in clip.shape]
        for item in clip.items():
            if isinstance(item, Frame):
                frames.append(as_uint8(resize(clip.pixels(item), shape)))
                if len(frames) == max_frames:
                    break
    boxes = [find_picture(frame) for frame in frames]
    return frames, tuple(slice(min(box[axis].start for box in boxes),
                               max(box[axis].stop for box in boxes))
                         for axis in (0, 1))


class _Remembering:
    """A network that looks at a frame once, and says how long it took."""

    def __init__(self, outputs):
        self.outputs = outputs
        self.known, self.seconds, self.asked = {}, 0., 0

    def __call__(self, luminances):
        keys = [light.tobytes() for light in luminances]
        new = [number for number, key in enumerate(keys)
               if key not in self.known]
        if new:
            start = time.perf_counter()
            outputs = self.outputs(luminances[new])
            self.seconds += time.perf_counter() - start
            for place, number in enumerate(new):
                self.known[keys[number]] = [array[place] for array in outputs]
        self.asked += len(keys)
        return [np.stack(arrays) for arrays in zip(
            *(self.known[key] for key in keys))]


def _score_clip(name, frames, picture, outputs, config):
    network = _Remembering(outputs)
    scores, cuts = OrderedDict(), set()
    coloured = OrderedDict()
    with progress_bar(total=len(METHODS) * len(frames), unit='frame',
                      desc=name) as bar:
        for method, options in METHODS.items():
            network.asked, looked = 0, network.seconds
            start, result = time.perf_counter(), []
            colorizer = FilmColorizer(network, config, **options)
            for block in colorizer.blocks(frames, lambda pixels: pixels,
                                          picture):
                result += [colorizer.join(pixels, chroma, picture) for
                           pixels, chroma in zip(block.frames, block.chroma)]
                if block.ends_scene:
                    cuts.add(len(result))
                bar.update(len(block.frames))
            seconds = (time.perf_counter() - start -
                       (network.seconds - looked))
            # As if each had looked at its frames itself.
            seconds += (network.asked * network.seconds / len(network.known))
            coloured[method] = result, len(frames) / seconds
    flows = _Flows(frames, cuts)
    coloured['their own'] = frames, None
    coloured['none'] = [as_uint8(grey_picture(luminance(frame)))
                        for frame in frames], None
    for method, (result, fps) in coloured.items():
        row = flows.score(result)
        row.update(clip=name, method=method, frames=len(frames))
        if fps:
            row['fps'] = fps
        scores[method] = row
    for row in scores.values():
        row['gain'] = row['psnr'] - scores['none']['psnr']
        row['cdc_distance'] = abs(row['cdc'] - scores['their own']['cdc'])
        if 'fps' in row:
            row['times'] = scores['frame by frame']['warp'] / row['warp']
    return scores


class _Flows:
    """What moves in a clip, by its own luminance."""

    def __init__(self, frames, cuts):
        self.frames, self.cuts = frames, cuts
        light = [luminance(frame) for frame in frames]
        self.pairs = {flow: {
            number: find_visible(light[number - 1], light[number], flow)
            for number in range(1, len(frames)) if number not in cuts}
            for flow in FLOWS}

    def score(self, result):
        """Scores of a clip's colours."""
        errors = {flow: WarpingError() for flow in FLOWS}
        whole, consistency = WarpingError(), ColourConsistency()
        psnr, colours, before = [], [], None
        for number, (pixels, actual) in enumerate(zip(result, self.frames)):
            chroma, rgb = split_channels(pixels)[1], as_float_rgb(pixels)
            if number in self.cuts:
                consistency.cut()
            consistency.add(pixels)
            for flow, pairs in self.pairs.items():
                if number in pairs:
                    errors[flow].add(before[0], chroma, *pairs[number])
            if number in self.pairs['dis']:
                whole.add(before[1], rgb, *self.pairs['dis'][number])
            before = chroma, rgb
            psnr.append(peak_signal_to_noise(pixels, actual))
            colours.append(colourfulness(pixels))
        return {'warp': errors['dis'].mean(),
                'warp_farneback': errors['farneback'].mean(),
                'e_warp': whole.mean(), 'cdc': consistency.mean(),
                'psnr': float(np.mean(psnr)),
                'colourfulness': float(np.mean(colours))}
