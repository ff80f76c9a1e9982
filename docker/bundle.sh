#!/usr/bin/env bash
# Packs colornet with its Python for a GPU host without Docker, root, network:
#
#     docker/bundle.sh [--part-size MIB] [--python PREFIX] FOLDER
#     docker/bundle.sh --check FOLDER
#
# FOLDER gets parts of at most MIB (64) megabytes, their checksums and
# unpack.sh, which is run on the host: docs/docker.rst says what that must have.
# Inside are Python 3.11 with headers (of PREFIX, or the one that .venv was
# made with), the packages that setup.py names, pygpu and libgpuarray of
# Debian 12, the weights and this checkout as it is in the working tree. Needs
# Debian 12, "make", network and
#
#     apt-get install xz-utils
#
# --check unpacks them in a bare Debian 12 with g++ and PoCL, as an ordinary
# user without network, and runs "colornet selftest" and "colorize" through
# OpenCL, that is Theano's code for GPUs on the CPU. It needs root and
#
#     apt-get install mmdebstrap
set -euo pipefail
shopt -s nullglob
cd "$(dirname "$0")/.."
export LC_ALL=C.UTF-8

fail() {
    echo "docker/bundle.sh: $*" >&2
    exit 2
}

size=64 prefix='' check=''
while [ $# -gt 0 ]; do
    case $1 in
        --part-size | --python)
            [ $# -gt 1 ] || fail "$1 needs a value"
            if [ "$1" = --python ]; then prefix=$2; else size=$2; fi
            shift ;;
        --check) check=yes ;;
        -*) fail "there is no option '$1'; the file begins with a list" ;;
        *) break ;;
    esac
    shift
done
[[ $size =~ ^[1-9][0-9]*$ ]] || fail "--part-size is no number of megabytes"
[ $# = 1 ] || fail 'name a folder for the parts'
folder=$1
work=''
trap '[ -z "$work" ] || rm -rf --one-file-system "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

need() {
    local program
    for program; do
        command -v "$program" > /dev/null || fail "needs $program"
    done
}

# What the bundle's user does, with a root of Debian 12 for a host. Mounts are
# in a name space of their own and end with it.
try_out() {
    local tar
    [ "$(id -u)" = 0 ] || fail '--check needs root'
    need mmdebstrap unshare
    [ -e "$folder/unpack.sh" ] || fail "there is no bundle in $folder"
    work=$(mktemp -d -p "${TMPDIR:-/var/tmp}")
    tar=${TMPDIR:-/var/tmp}/colornet/fresh/opencl.tar
    mkdir -p "${tar%/*}" "$work/root"
    [ -s "$tar" ] || mmdebstrap --variant=minbase --format=tar \
        --include=g++,pocl-opencl-icd,ocl-icd-libopencl1,libclblast1 \
        --include=xz-utils bookworm "$tar.part"
    [ -s "$tar" ] || mv "$tar.part" "$tar"
    tar -C "$work/root" --exclude './dev/*' -xf "$tar"
    cp -r "$folder" "$work/root/parts"
    chmod -R a+rX "$work/root/parts"
    mkdir -m 777 "$work/root/home/user"
    # shellcheck disable=SC2016  # For the shells inside.
    unshare --mount --pid --net --fork --kill-child sh -ec '
        mount -t proc proc "$1/proc"
        # PoCL reads there how much memory there is.
        mount --rbind /sys "$1/sys"
        mount --rbind /dev "$1/dev"
        exec chroot --userspec=4321:4321 "$1" /usr/bin/env -i \
            HOME=/home/user PATH=/usr/bin:/bin sh -exc "
                cd
                sh /parts/unpack.sh \"a folder\"
                run=\"a folder/colornet/run.sh\"
                \"\$run\" info
                \"\$run\" selftest --device opencl0:0
                COLORNET_DEVICE=opencl0:0 \"\$run\" colorize \
                    --colour replace \
                    --network \"a folder/colornet/app/weights/cvcl_best.h5\" \
                    \"a folder/colornet/app/demo/photos/life.jpg\" --out coloured
                ls -l coloured"' sh "$work/root"
}

if [ -n "$check" ]; then
    try_out
    exit
fi

need apt-get dpkg-deb git ldd sha256sum split tar xz
[ -x .venv/bin/python ] || fail 'run "make" first'
# shellcheck disable=SC1091  # It is the system's.
[ "$(. /etc/os-release && echo "${ID:-}${VERSION_ID:-}")" = debian12 ] ||
    fail 'needs Debian 12: its pygpu is for Python 3.11'
[ -n "$prefix" ] ||
    prefix=$(.venv/bin/python -c 'import sys; print(sys.base_prefix)')
python=$prefix/bin/python3.11
[ -x "$python" ] || fail "there is no $python: name a folder (--python)"
[ -e "$prefix/include/python3.11/Python.h" ] ||
    fail "$python has no headers (apt-get install python3-dev)"
libpython=("$prefix"/lib/libpython3.11*.so* "$prefix"/lib/*/libpython3.11*.so*)
mkdir -p "$folder"
folder=$(realpath "$folder")
old=("$folder"/colornet.tar.xz.*)
[ ${#old[@]} = 0 ] || fail "there are parts of another bundle in $folder"
work=$(mktemp -d -p "${TMPDIR:-/var/tmp}")
bundle=$work/colornet

echo 'Copying Python and the checkout'
mkdir -p "$bundle"/{app,lib,packages,python/{bin,include,lib}}
cp -L "$python" "$bundle/python/bin/"
tar -C "$prefix/lib" --exclude=__pycache__ --exclude='*.a' \
    --exclude=python3.11/{test,site-packages,dist-packages,idlelib,ensurepip} \
    -c python3.11 | tar -C "$bundle/python/lib" -x
[ ${#libpython[@]} = 0 ] || cp -P "${libpython[@]}" "$bundle/python/lib/"
for headers in "$prefix"/include{,/*-linux-gnu}/python3.11; do
    to=$bundle/python/${headers#"$prefix"/}
    mkdir -p "$to"
    cp -rL "$headers/." "$to"
done
# A stash of nothing is empty.
commit=$(git stash create)
git archive "${commit:-HEAD}" | tar -C "$bundle/app" -x

echo 'Installing the packages, a few minutes at most'
# A virtual environment has setuptools, this one by Python 3.11; Theano or pygpu
# imports its pkg_resources.
# With --target, pip would lose oneDNN's library.
.venv/bin/python -m pip install --quiet --disable-pip-version-check \
    --no-compile --ignore-installed --prefix "$bundle/packages" "$bundle/app" \
    setuptools==65.5.0 \
    > "$work/pip.log" 2>&1 || { tail -n 20 "$work/pip.log" >&2; exit 1; }
packages=$bundle/packages/lib/python3.11/site-packages
[ -d "$packages" ] || fail "pip has put nothing in $packages"
# It runs from app, where all that ships with it is.
rm -rf "$packages/colornet" "$bundle"/packages/{share,bin} \
    "$bundle"/app/{build,*.egg-info}

echo "Unpacking Debian's pygpu"
mkdir "$work/debian"
(cd "$work/debian"
    apt-get download -qq -o APT::Sandbox::User=root python3-pygpu \
        python3-mako libgpuarray3 libgpuarray-dev
    for package in *.deb; do dpkg-deb -x "$package" .; done)
mv "$work"/debian/usr/lib/python3/dist-packages/{pygpu,mako} "$packages/"
mv "$work"/debian/usr/include/* "$bundle/python/include/"
mv "$work"/debian/usr/lib/libgpuarray.so* "$bundle/python/lib/"

# Libraries that the host may not have. It has those of glibc, and with g++
# newer ones of GCC than these.
find "$bundle/python" "$packages/pygpu" -type f \
    \( -name '*.so*' -o -name python3.11 \) -exec ldd {} + 2> /dev/null |
    awk '$3 ~ "^/" {print $3}' | sort -u |
    grep -vE '/(lib(c|m|dl|rt|util|pthread|resolv|gcc_s|stdc\+\+|nsl)|ld-[^/]*|libpython3.11|libgpuarray)\.so' |
    while IFS= read -r library; do cp -L "$library" "$bundle/lib/"; done

cp docker/bundle_run.sh "$bundle/run.sh"
chmod a+x "$bundle/run.sh"
cp docker/bundle_unpack.sh "$folder/unpack.sh"

echo 'Compressing'
tar -C "$work" --owner=0 --group=0 -c colornet | xz -T0 -4 |
    split --bytes "${size}M" --suffix-length 3 --numeric-suffixes=1 - \
        "$folder/colornet.tar.xz."
(cd "$folder" && sha256sum colornet.tar.xz.* > SHA256SUMS && ls -l)
