#!/bin/sh
# What runs in a container: colornet with the arguments given, or make, a shell
# and the like.
set -eu
case ${1:-} in
    /* | bash | colornet | env | make | python* | sh) ;;
    *) set -- colornet "$@" ;;
esac
# Each user of the volume has a folder: Theano locks its own by their names.
HOME=${COLORNET_VOLUME:-/cache}/$(id -u)
mkdir -p "$HOME" 2> /dev/null && [ -w "$HOME" ] || {
    echo "colornet: error: cannot write to $HOME, where compiled code is kept" >&2
    exit 2
}
export HOME
exec "$@"
