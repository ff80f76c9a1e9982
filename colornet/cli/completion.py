"""Completion of the command line, for shells, by shtab."""

import argparse

from ..terminal import put

__all__ = ['PrintCompletion']

SHELLS = 'bash', 'zsh', 'tcsh'

#: What options call a file or a folder.
_FILES = {'IN', 'OUT', 'FILE', 'CSV', 'PNG', 'HTML'}
_FOLDERS = {'DIR', 'FOLDER'}


class PrintCompletion(argparse.Action):
    """Print the script that completes the command line in a shell."""

    def __init__(self, option_strings, dest, **options):
        super().__init__(option_strings, argparse.SUPPRESS, choices=SHELLS,
                         default=argparse.SUPPRESS, metavar='SHELL',
                         help='print what completes the command line in %s, '
                         'to be sourced' % ', '.join(SHELLS))

    def __call__(self, parser, options, shell, option=None):
        try:
            import shtab
        except ImportError:
            parser.exit(2, 'colornet: error: --print-completion needs the '
                        "package shtab: pip install '.[completion]' in "
                        "colornet's folder\n")
        _name_files(parser, shtab)
        put(shtab.complete(parser, shell))
        parser.exit()


def _name_files(parser, shtab):
    """Tell shtab which arguments are files."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                _name_files(command, shtab)
        elif action.metavar in _FILES:
            action.complete = shtab.FILE
        elif action.metavar in _FOLDERS:
            action.complete = shtab.DIRECTORY
