#!/bin/sh
# What runs in a container: colornet with the arguments given, or make, or a
# shell.
set -eu
case ${1:-} in
    make | bash | sh | python) ;;
    *) set -- colornet "$@" ;;
esac
# Each user of the volume has a folder: Theano locks its own by their names.
HOME=$COLORNET_VOLUME/$(id -u)
mkdir -p "$HOME" 2> /dev/null && [ -w "$HOME" ] || {
    echo "colornet: error: cannot write to $HOME, where compiled code is kept" >&2
    exit 2
}
export HOME
exec "$@"
