#!/bin/sh
# Unpacks a bundle of docker/bundle.sh, of which this is a part, into a folder:
#
#     sh unpack.sh [FOLDER]
#     FOLDER/colornet/run.sh selftest
#
# All parts and SHA256SUMS are beside this file. It needs tar, and xz or a
# Python 3 that has lzma.
set -eu

fail() {
    echo "colornet: error: $*" >&2
    exit 2
}

mkdir -p "${1:-.}"
to=$(cd "${1:-.}" && pwd)
cd "$(dirname "$0")"
[ ! -e "$to/colornet" ] || fail "$to/colornet is there already"
sha256sum --quiet -c SHA256SUMS ||
    fail 'parts of the bundle are missing or damaged'
if command -v xz > /dev/null; then
    cat colornet.tar.xz.* | xz -dc | tar -C "$to" -x
elif command -v python3 > /dev/null; then
    cat colornet.tar.xz.* | python3 -c 'import lzma, shutil, sys
shutil.copyfileobj(lzma.open(sys.stdin.buffer), sys.stdout.buffer)' |
        tar -C "$to" -x
else
    fail 'needs xz or python3'
fi
"$to/colornet/run.sh" --version
