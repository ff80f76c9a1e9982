"""Time colornet beside the same network in PyTorch: ``make benchmark``.

Checks first that both sides compute the same; then, for each work, the
engines take turns, so that whatever else slows the machine down slows all of
them down. ``--works`` does some of it only, ``--table`` formats what was
measured before, as it stands in the documentation.
"""

import argparse
import importlib.util
import statistics
import sys
import tempfile
from collections import OrderedDict
from pathlib import Path

import numpy as np

from colornet.cli import report_errors
from colornet.errors import ColornetError
from colornet.files import make_folder
from colornet.resources import num_processors
from colornet.terminal import on_terminal, progress_bar

from .agreement import check_agreement
from .children import Children, write_problem
from .engines import COLORNET_BFLOAT16, ENGINES, ONNX
from .peaks import PEAKS
from .processes import (COLD, FOLDER, WARM, is_process, list_programs,
                        measure_processes)
from .report import format_report, read_rows, write_rows

__all__ = ['WORKS', 'check_packages', 'engines_of', 'measure', 'run_driver']

#: A task, and the images in its minibatch; whole commands.
WORKS = ('train_6', 'predict_1', 'predict_8', 'everyday_1', 'everyday_8',
         COLD, WARM, FOLDER + '200')

#: Engines that do not do all tasks -> those that they do.
TASKS = {'colornet, obvious graph': ('train',),
         ONNX: ('predict', 'everyday'),
         COLORNET_BFLOAT16: ('train', 'predict', 'everyday'),
         # The default network is in one layout, and as it is written.
         'pytorch': ('train', 'predict', 'peak'),
         'pytorch compile': ('train', 'predict')}

#: May die without making the benchmark fail, unless asked for by name.
OPTIONAL = ('pytorch compile', ONNX, COLORNET_BFLOAT16)

#: Repetitions that do not count: the first one compiles.
WARM_UPS = 2


def engines_of(task, engines):
    """Those of some engines that do a task."""
    return [engine for engine in engines
            if task in TASKS.get(engine, (task,))]


def measure(problem, batch_size, task, engines, num_rounds, num_threads,
            on_death):
    """Time a task in several engines by turns.

    Parameters
    ----------
    problem : str
        File of :func:`benchmarks.problem.write_problem`.
    batch_size : int
    task : 'train', 'predict', 'everyday' or 'peak'
    engines : sequence of str
    num_rounds, num_threads : int
    on_death : callable
        Takes an engine that died and its message.

    Returns
    -------
    OrderedDict of str to (list of float, float)
        For each engine that lives: seconds, peak memory in MB.
    """
    seconds = OrderedDict((engine, []) for engine in engines)
    bar = progress_bar(total=len(engines) * (WARM_UPS + num_rounds),
                       desc='%s_%d' % (task, batch_size), unit='run')
    with bar, Children(problem, batch_size, num_threads, on_death) as group:
        # One after the other, as the first repetition takes most memory.
        for engine in engines:
            bar.set_postfix(engine=engine, refresh=on_terminal())
            group.start(engine)
            for _ in range(WARM_UPS):
                group.run(engine, task)
                bar.update()
        for _ in range(num_rounds):
            for engine in engines:
                bar.set_postfix(engine=engine, refresh=on_terminal())
                seconds[engine].append(group.run(engine, task))
                bar.update()
        return OrderedDict(
            (engine, (seconds[engine], child.peak_memory_mb))
            for engine, child in group.children.items())


def describe_machine(num_threads):
    """Processor and threads, in a line."""
    try:
        with open('/proc/cpuinfo') as file:
            model = next(line.split(':')[1].strip() for line in file
                         if line.startswith('model name'))
    except (OSError, StopIteration):
        model = 'unknown processor'
    return '%s, %d threads' % (model, num_threads)


def _measure_peak(problem, options, on_death):
    """The most multiply-adds per second, and a line about it."""
    found = measure(problem, 1, 'peak', [
        engine for engine in PEAKS
        if not _is_pytorch(engine) or _is_installed('torch')],
        4 * options.rounds, options.threads, on_death)
    if not found:
        raise ColornetError('no engine can show what the machine can do')
    rates = {engine: PEAKS[engine][1] / min(seconds)
             for engine, (seconds, _) in found.items()}
    return max(rates.values()), 'float32 GFLOP/s, the best of %d: %s' % (
        4 * options.rounds, ', '.join(
            '%s %.0f' % (PEAKS[engine][0], 2e-9 * rate)
            for engine, rate in rates.items()))


def _measure_networks(works, options, on_death_in):
    """Rows of the works of networks, and lines about them."""
    lines, rows = [], []
    with tempfile.TemporaryDirectory() as folder:
        problem = str(Path(folder, 'problem.npz'))
        write_problem(problem, options.size)
        with np.load(problem) as file:
            multiply_adds = {name.split('/')[1]: int(file[name])
                             for name in file
                             if name.startswith('multiply_adds/')}
        if options.check and not _is_installed('torch'):
            lines.append('not checked: PyTorch, which decides, is not '
                         'installed')
        elif options.check:
            lines += check_agreement(problem, folder, options.threads,
                                     options.engines,
                                     on_death_in('agreement'))
        peak, line = _measure_peak(problem, options, on_death_in('peak'))
        lines.append(line)
        lines.append(
            '"of peak" is nominal: %.1f (prediction), %.1f (training) and '
            '%.1f (everyday)\n  GFLOP per image, as the convolutions of the '
            'networks\' graphs take them, by the\n  fastest of these. '
            'Algorithms that need fewer products can be above 1.'
            % tuple(2e-9 * multiply_adds[task]
                    for task in ('predict', 'train', 'everyday')))
        for work in works:
            task, batch_size = work.rsplit('_', 1)
            found = measure(problem, int(batch_size), task,
                            engines_of(task, options.engines), options.rounds,
                            options.threads, on_death_in(work))
            for engine, (seconds, memory) in found.items():
                seconds = statistics.median(seconds) / int(batch_size)
                rows.append((work, engine, seconds, memory,
                             multiply_adds[task] / seconds / peak))
    return rows, lines


def _run(options):
    if options.table:
        print(format_report(read_rows(options.table)))
        return False
    # Those that are asked for by name have to live.
    may_die = () if options.engines else OPTIONAL
    options.engines = options.engines or ENGINES
    left_out = []

    def on_death_in(work):
        return lambda engine, message: left_out.append(
            (engine, '%s: %s' % (work, message)))
    networks = [work for work in options.works if not is_process(work)]
    if networks and any(map(_is_pytorch, options.engines)):
        check_packages('torch')
    make_folder(options.out.parent)  # Fail now, not in half an hour.
    rows, lines = [], [describe_machine(options.threads)]
    if networks:
        rows, more = _measure_networks(networks, options, on_death_in)
        lines += more
    programs = list_programs(options.engines, options.beside)
    for work in filter(is_process, options.works):
        found = measure_processes(work, programs, options.rounds,
                                  options.threads, on_death_in(work))
        rows += [(work, program, seconds, memory, None)
                 for program, (seconds, memory) in found.items()]
    write_rows(options.out, rows)
    print('\n'.join(['- ' + line for line in lines]))
    print('- "times faster": than the fastest float32 PyTorch; of commands, '
          'than the other\n  version.\n'
          '- Seconds are medians of %d (of a folder 3, of a first start '
          'one); memory is the\n  peak of the process.\n' % options.rounds)
    print(format_report(rows))
    for _, line in left_out:
        print('- left out: %s' % line)
    return any(engine not in may_die for engine, _ in left_out)


def _is_pytorch(engine):
    return engine.startswith('pytorch')


def _is_installed(package):
    return importlib.util.find_spec(package) is not None


def check_packages(*names):
    """Refuse to start without packages that are needed in half an hour."""
    for name in names:
        if not _is_installed(name):
            raise ColornetError("%s is not installed: pip install "
                                "'.[pytorch]' in colornet's folder, or make "
                                "benchmark" % name)


def run_driver(function, parser, arguments=None, num_rounds=5):
    """Run a driver, with errors and Ctrl-C in one line.

    Parameters
    ----------
    function : callable
        Takes the options, returns whether something failed.
    parser : ArgumentParser
        Gets ``--threads`` and ``--rounds``.
    arguments : list of str, optional
    num_rounds : int
        Default of ``--rounds``.

    Returns
    -------
    int
        The exit status.
    """
    parser.add_argument('--threads', type=int, metavar='N',
                        default=num_processors(),
                        help='of each engine (default: %(default)s)')
    parser.add_argument('--rounds', type=int, default=num_rounds,
                        metavar='N', help='repetitions that count '
                                          '(default: %(default)s)')
    return int(report_errors(function, parser.parse_args(arguments),
                             program='benchmark'))


def main(arguments=None):
    parser = argparse.ArgumentParser(prog='benchmarks.run',
                                     description=__doc__.split(':')[0])
    parser.add_argument('--out', type=Path, metavar='CSV',
                        default=Path('runs/benchmark.csv'),
                        help='(default: %(default)s)')
    parser.add_argument('--size', type=int, default=224, metavar='N',
                        help='rows and columns of the images '
                             '(default: %(default)s)')
    parser.add_argument('--works', nargs='+', default=WORKS, metavar='WORK',
                        help='a task and the images in its minibatch, or '
                             'a command; %sN for N photos (default: %%(default'
                             ')s)' % FOLDER)
    parser.add_argument('--beside', type=Path, metavar='FOLDER',
                        help='another version of colornet, a clone, whose '
                             'commands are timed by turns with ours')
    parser.add_argument('--table', type=Path, metavar='CSV',
                        help='only format what was measured before')
    parser.add_argument('--engines', nargs='+', choices=ENGINES,
                        metavar='ENGINE',
                        help='none of which may fail then (default: all; of '
                             'these, %s may)' % ', '.join(OPTIONAL))
    parser.add_argument('--no-check', dest='check', action='store_false',
                        help='do not check first that they compute the same, '
                             'which needs PyTorch')
    return run_driver(_run, parser, arguments)


if __name__ == '__main__':
    sys.exit(main())
