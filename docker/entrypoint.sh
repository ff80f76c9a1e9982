#!/bin/sh
# What runs in a container: colornet with the arguments given, or make, or a
# shell.
set -eu
case ${1:-} in
    make | bash | sh | python) ;;
    *) set -- colornet "$@" ;;
esac
exec "$@"
