"""What colornet depends on: versions, licences, known advisories.

``python -m reliability.supply`` lists the packages that ``setup.py`` names for
each Python, and those of ``reliability/packages.csv`` that these bring along,
with their licences, and asks the public database OSV for advisories. Where
that cannot be reached, or with ``--offline``, those of
``reliability/advisories.csv`` are listed, which also says what of them
colornet is touched by; other versions that are installed here are named. The
exit status is 1 if there is an advisory that nobody has judged, or if a
package is installed here that no list has.
"""

import argparse
import csv
import json
import runpy
import sys
import urllib.request
from collections import OrderedDict, namedtuple
from importlib import metadata
from pathlib import Path
from unittest import mock

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from benchmarks.tables import format_table
from colornet.cli import report_errors
from colornet.terminal import note

__all__ = ['Advisory', 'Companion', 'ask_osv', 'installed', 'known_advisories',
           'known_companions', 'licence', 'list_packages', 'main',
           'not_looked_up', 'touching']

ROOT = Path(__file__).resolve().parent.parent

PYTHONS = '3.8', '3.9', '3.10', '3.11', '3.12', '3.13'

OSV = 'https://api.osv.dev/v1/'

#: One that is known: of which versions, what it is, and what it means here.
Advisory = namedtuple('Advisory', 'package versions id what here')

#: What packages that are named bring along: the version that pip takes, the
#: Pythons and the extras that it comes with.
Companion = namedtuple('Companion', 'package version pythons extras licence')


def list_packages(pythons=PYTHONS):
    """The packages that ``setup.py`` names, on Linux on x86-64.

    Parameters
    ----------
    pythons : sequence of str
        Versions, such as '3.8'.

    Returns
    -------
    OrderedDict of (str, str) to dict of str to str
        Name and extra ('' for those that are always installed) -> Python ->
        version.
    """
    # Environments of Python 3.12 and later have none.
    setuptools = mock.Mock()
    with mock.patch.dict('sys.modules', setuptools=setuptools), \
            mock.patch('os.getcwd', lambda: str(ROOT)):
        runpy.run_path(str(ROOT / 'setup.py'))
    options = setuptools.setup.call_args[1]
    found = OrderedDict()
    for extra, lines in [('', options['install_requires'])] + list(
            options['extras_require'].items()):
        for requirement in map(Requirement, lines):
            for python in pythons:
                if requirement.marker and not requirement.marker.evaluate({
                        'python_version': python, 'sys_platform': 'linux',
                        'platform_machine': 'x86_64', 'extra': extra}):
                    continue
                version, = [specifier.version for specifier in
                            requirement.specifier] or ['any']
                found.setdefault((canonicalize_name(requirement.name), extra),
                                 {})[python] = version
    return found


def licence(package):
    """What a package says of its licence; '' if it is not installed."""
    try:
        told = metadata.metadata(package)
    except metadata.PackageNotFoundError:
        return ''
    if told.get('License-Expression'):
        return told['License-Expression']
    # Some give the whole text.
    lines = (told.get('License') or '').strip().splitlines()
    names = [line for line in lines if len(lines) == 1]
    names += [line.split(' :: ')[-1] for line in
              told.get_all('Classifier') or ()
              if line.startswith('License :: ')]
    names = [name for name in names if name not in (
        'OSI Approved', 'Other/Proprietary License')]
    return ', '.join(OrderedDict.fromkeys(names)) or 'not told'


def installed(names):
    """Packages that are installed here, and those that they ask for.

    Parameters
    ----------
    names : iterable of str

    Returns
    -------
    OrderedDict of str to str
        Name -> version.
    """
    found, seen, left = OrderedDict(), set(), [(name, '') for name in names]
    while left:
        name, extra = asked = left.pop()
        if asked in seen:
            continue
        seen.add(asked)
        try:
            package = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        found[name] = package.version
        for requirement in map(Requirement, package.requires or ()):
            if not requirement.marker or requirement.marker.evaluate(
                    {'extra': extra}):
                left += [(canonicalize_name(requirement.name), wanted)
                         for wanted in {''} | requirement.extras]
    return found


def not_looked_up(packages, companions):
    """What is installed here, but is not in the lists.

    Parameters
    ----------
    packages : dict
        As list_packages() returns them.
    companions : list of Companion

    Returns
    -------
    list of (str, str)
        Names and versions.
    """
    versions = {}
    for (name, _), named in packages.items():
        versions.setdefault(name, set()).update(named.values())
    for companion in companions:
        versions.setdefault(companion.package, set()).add(companion.version)
    # PyTorch's versions end with what they were built for.
    return [(name, version) for name, version in
            installed({name for name, _ in packages}).items()
            if version.partition('+')[0] not in versions.get(name, ())]


def known_advisories():
    """Those of ``reliability/advisories.csv``, a list of Advisory."""
    return _read('advisories.csv', Advisory)


def known_companions():
    """Those of ``reliability/packages.csv``, a list of Companion."""
    return _read('packages.csv', Companion)


def _read(name, kind):
    with open(ROOT / 'reliability' / name, newline='',
              encoding='utf-8') as file:
        return [kind(**row) for row in csv.DictReader(file)]


def touching(advisories, package, version):
    """Those of a list that are of a version of a package."""
    return [advisory for advisory in advisories
            if advisory.package == package and
            SpecifierSet(advisory.versions).contains(version)]


def ask_osv(versions, seconds=20):
    """Ask for the advisories of packages.

    Parameters
    ----------
    versions : sequence of (str, str)
        Names and versions.
    seconds : float
        To wait.

    Returns
    -------
    list of list of str
        Names of advisories for each.

    Raises
    ------
    OSError
        If the database cannot be reached.
    """
    queries = [{'package': {'name': name, 'ecosystem': 'PyPI'},
                'version': version} for name, version in versions]
    try:
        results = _ask('querybatch', seconds, {'queries': queries})['results']
        return [[entry['id'] for entry in result.get('vulns', ())]
                for result in results]
    except (KeyError, TypeError, AttributeError) as error:
        raise OSError('OSV answers what nobody understands (%s)' % error)


def _ask(path, seconds=20, question=None):
    """The answer of OSV."""
    content = question and json.dumps(question).encode('ascii')
    request = urllib.request.Request(OSV + path, content, {
        'Content-Type': 'application/json'})
    try:
        with urllib.request.urlopen(request, timeout=seconds) as answer:
            return json.loads(answer.read().decode('utf-8'))
    except ValueError as error:
        raise OSError('OSV answers no JSON (%s)' % error)


def _is_judged(name, advisories):
    """Whether one of a list has this name, or another of the same."""
    names = {word for advisory in advisories for word in advisory.id.split()}
    return name in names or bool(
        names & set(_ask('vulns/' + name).get('aliases', ())))


def _run(options):
    packages = list_packages()
    rows = [(name, extra or '-', '; '.join(_ranges(versions)),
             licence(name) or 'not installed here')
            for (name, extra), versions in packages.items()]
    print(format_table(('package', 'extra', 'version (Python)', 'licence'),
                       rows))
    companions = known_companions()
    print()
    print(format_table(('brought along', 'version', 'Python', 'with',
                        'licence'), companions))
    asked = list(OrderedDict.fromkeys(
        [(name, version) for (name, _), versions in packages.items()
         for version in versions.values()] +
        [companion[:2] for companion in companions]))
    listed = {name for name, _ in asked}
    unknown = not_looked_up(packages, companions)
    asked += unknown
    known = known_advisories()
    rows, unjudged = [], []
    for name, version in asked:
        for advisory in touching(known, name, version):
            rows.append((name, version, advisory.id.split()[0],
                         advisory.what, advisory.here))
    was_asked = False
    if not options.offline:
        try:
            for (name, version), ids in zip(asked, ask_osv(asked)):
                unjudged += ['%s %s: %s' % (name, version, found)
                             for found in ids if not _is_judged(
                                 found, touching(known, name, version))]
            was_asked, unknown = True, []
            note('OSV was asked about %d packages' % len(asked))
        except OSError as error:
            note('OSV cannot be reached (%s): only what was known is listed'
                 % getattr(error, 'reason', error))
    print()
    print(format_table(('package', 'version', 'advisory', 'what', 'here'),
                       rows))
    for line in unjudged:
        print('NOT JUDGED %s' % line)
    for each in unknown:
        print('NOT LOOKED UP %s %s' % each)
    print('%d packages, %d advisories, %d not looked up, %s'
          % (len(listed), len(rows), len(unknown),
             '%d not judged' % len(unjudged) if was_asked else
             'OSV not asked for others'))
    # Others than those of the lists are there after each of their releases.
    return bool(unjudged or {name for name, _ in unknown} - listed)


def _ranges(versions):
    """A version, and the Pythons that it is for, in words."""
    found = OrderedDict()
    for python, version in versions.items():
        found.setdefault(version, []).append(python)
    return ['%s (%s)' % (version, pythons[0] if len(pythons) == 1 else
                         '%s - %s' % (pythons[0], pythons[-1]))
            for version, pythons in found.items()]


def main(arguments=None):
    """Print tables of packages and of advisories."""
    parser = argparse.ArgumentParser(prog='python -m reliability.supply',
                                     description=__doc__.splitlines()[0])
    parser.add_argument('--offline', action='store_true',
                        help='do not ask OSV')
    return int(report_errors(_run, parser.parse_args(arguments),
                             program='reliability'))


if __name__ == '__main__':
    sys.exit(main())
