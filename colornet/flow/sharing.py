"""The photos of a folder shared among the workers of a Dask scheduler.

Each worker colours a chunk of them at a time, by the command that colours
them here, and notes what became of each. Where a worker dies, another goes on
with its chunk.
"""

import contextlib
import json
import re
import shutil
import uuid
from pathlib import Path

from ..errors import ColornetError
from ..files import make_folder, write_text
from ..photos.finding import is_photo
from ..photos.folders import Steps, no_photos, run_jobs
from ..photos.naming import Targets, find_sources
from ..photos.report import Report
from ..terminal import progress_bar
from . import jobs

__all__ = ['colorize_chunk', 'colorize_shared', 'read_settings']

#: Photos in a chunk: starting a command takes as long as some of them.
_CHUNKS, _SMALLEST, _LARGEST = 16, 4, 32


def colorize_shared(scheduler, sources, out_folder, settings, options,
                    overwrite=True, report=None, progress=True):
    """Colorize files and folders on the workers of a Dask scheduler.

    Results are called as :func:`colornet.photos.folders.colorize_files` calls
    them.

    Parameters
    ----------
    scheduler : str
        Such as ``tcp://host:8786``. Its workers see the same files by the
        same names.
    sources, out_folder, overwrite, report
        As there.
    settings : dict
        What the command that a worker runs shall know; as JSON has it.
    options : Options
    progress : bool
        Show a bar.

    Returns
    -------
    Report

    Raises
    ------
    ColornetError
        As there, or if there is no such scheduler.
    Interrupted
        After the workers have ended what they did.
    """
    report = Report() if report is None else report
    found = [(path.absolute(), name) for path, name in
             find_sources(sources, out_folder, report)]
    if not found and not report.failed:
        raise no_photos(sources)
    out_folder = Path(out_folder).absolute()
    make_folder(out_folder)
    left = Targets(out_folder, options, report).assign(found, overwrite)
    chunks = _make_chunks(left)
    with _shared_folder(out_folder) as folder:
        write_text(folder / 'list', json.dumps({
            'settings': settings, 'out': str(out_folder),
            'overwrite': overwrite, 'chunks': chunks,
            'found': [[str(path), str(name)] for path, name in found]}))
        commands = [jobs.Job(str(number), [[
            'colorize', str(folder / 'list'), '--chunk', str(number)]], {})
            for number in range(len(chunks))]
        todo = dict(enumerate(chunks))
        with progress_bar(total=len(left), unit='photo',
                          disable=not progress) as bar:
            try:
                for name, message in jobs.run_jobs(
                        commands, scheduler, shared_folder=folder):
                    chunk = todo.pop(int(name))
                    _collect(folder / name, chunk, report,
                             message or 'not coloured by its worker')
                    bar.update(len(chunk))
            finally:
                for number, chunk in todo.items():
                    _collect(folder / str(number), chunk, report)
    return report


def _make_chunks(assigned):
    """Sources of jobs, for one worker each.

    Only who has read two photos, x.jpg and x.ppm, knows that both become
    x.png: one worker gives both their names.
    """
    size = min(_LARGEST, max(_SMALLEST, -(-len(assigned) // _CHUNKS)))
    rivals = {}
    for job in assigned:
        rivals.setdefault(_bare(job.target), []).append(str(job.source))
    chunks = []
    for group in rivals.values():
        if not chunks or len(chunks[-1]) + len(group) > size:
            chunks.append([])
        chunks[-1] += group
    return chunks


def _bare(path):
    """A path of a photo without what may tell it from others' results."""
    while is_photo(path):
        path = path.with_suffix('')
    name = path.name.casefold()
    return path.parent, re.sub('(-coloured)?(-[2-9])?$', '', name)


@contextlib.contextmanager
def _shared_folder(out_folder):
    """A hidden folder that all workers see, for as long as it is needed."""
    folder = out_folder / ('.colornet-%s' % uuid.uuid4().hex[:12])
    make_folder(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _collect(notes, chunk, report, why=None):
    """Report what became of a chunk; `why` the rest of it failed."""
    done = _read_notes(notes)
    for source in chunk:
        entry = done.get(source, {})
        path, status = Path(source), entry.get('status')
        for text in entry.get('notes', ()):
            report.add_note(path, text)
        if status == 'written':
            report.add_written(path, Path(entry['output']),
                               entry.get('first_only', False))
        elif status == 'skipped':
            report.add_skipped(path, Path(entry['output']))
        elif status == 'in colour':
            report.add_in_colour(path)
        elif status == 'failed':
            report.add_failed(path, entry['reason'])
        elif why:
            report.add_failed(path, why)
        else:
            report.add_undone(path)


def _read_notes(notes):
    """Entries of a chunk by their sources; a line may have been cut."""
    done = {}
    with contextlib.suppress(FileNotFoundError):
        for line in notes.read_text().splitlines():
            with contextlib.suppress(ValueError):
                entry = json.loads(line)
                done[entry['source']] = entry
    return done


def read_settings(file):
    """The settings of :func:`colorize_shared`, where a worker reads them.

    Parameters
    ----------
    file : str or Path
        The list of its photos.

    Returns
    -------
    dict

    Raises
    ------
    ColornetError
    """
    return _read_list(file)['settings']


def _read_list(file):
    try:
        return json.loads(Path(file).read_text())
    except (OSError, ValueError) as error:
        raise ColornetError('%s is no list of photos: %s' % (file, error))


def colorize_chunk(colorizer, file, number, options, batch_size=4):
    """Colorize one of the chunks, where a worker does.

    What an earlier try has noted is not done again.

    Parameters
    ----------
    colorizer : Colorizer
    file : str or Path
        The list of its photos.
    number : int
    options : Options
    batch_size : int

    Raises
    ------
    ColornetError
    """
    content = _read_list(file)
    notes = Path(file).with_name(str(number))
    chunk = set(content['chunks'][number]).difference(_read_notes(notes))
    with open(notes, 'a') as stream:
        def take_note(entry):
            if entry['source'] in chunk and entry['status'] != 'not done':
                # After a line that was cut, on a line of its own.
                stream.write('\n%s\n' % json.dumps(entry))
                stream.flush()
        report = Report(listener=take_note)
        targets = Targets(content['out'], options, report)
        # All of them, so that names are the same on all workers.
        assigned = targets.assign([
            (Path(path), Path(name)) for path, name in content['found']],
            content['overwrite'])
        run_jobs([job for job in assigned if str(job.source) in chunk],
                 Steps(colorizer, options, report, targets), report,
                 batch_size)
