#!/usr/bin/env bash
# Runs a target of the Makefile in a container, with this machine's folders:
#
#     docker/run.sh TARGET [VARIABLE=VALUE ...]
#
# The Makefile sets DOCKER, IMAGE, GPUS, PORT, RUNS, the folders of the data sets, and
# GIVEN, those of these folders that the user has set.
set -euo pipefail

fail() {
    echo "colornet: error: $*" >&2
    exit 2
}

# bind FOLDER TARGET [,readonly]: an option, quoted for a path with commas.
bind() {
    local source
    source=$(realpath -- "$1")
    printf 'type=bind,"source=%s",target=/colornet/%s%s' \
        "${source//\"/\"\"}" "$2" "${3:-}"
}

read -ra program <<< "${DOCKER:-}"
read -ra gpus <<< "${GPUS:-}"
[ $# != 0 ] && [ -n "${RUNS:-}" ] && [ -n "${IMAGE:-}" ] ||
    fail 'run "make docker-TARGET"; IMAGE and RUNS must not be empty'
command -v "${program[0]:-}" > /dev/null ||
    fail "there is no program ${program[0]:-}: install Docker, or name it (DOCKER=)"
case $1 in
    benchmark* | clean | data-* | docker* | flicker | install | lint | python | \
        reliability | train-everyday-gpu)
        fail "make $1 is for this machine, not for a container" ;;
esac

# A training that is stopped writes its checkpoint first.
options=(--rm --stop-timeout 60 --user "$(id -u):$(id -g)"
    --volume colornet:/cache)
if [ -t 0 ] && [ -t 1 ]; then
    options+=(--interactive --tty)
fi
for name in CVCL DATA EVERYDAY EVERYDAY_TEST GENERAL ILSVRC MCGILL MIRFLICKR; do
    folder=${!name}
    target=data/${name,,}
    [ $name != DATA ] || target=data/photos
    if [ -d "$folder" ]; then
        options+=(--mount "$(bind "$folder" "$target" ,readonly)")
    elif [[ " ${GIVEN:-} " == *" $name "* ]]; then
        fail "there is no folder '$folder' ($name)"
    fi
done
mkdir -p -- "$RUNS" 2> /dev/null || fail "cannot make the folder $RUNS (RUNS)"
options+=(--mount "$(bind "$RUNS" runs)")
# To this machine only, whatever its network is.
if [ "$1" = serve ]; then
    options+=(--publish "127.0.0.1:$PORT:8000")
    set -- "$@" ADDRESS=0.0.0.0 PORT=8000
fi
exec "${program[@]}" run "${options[@]}" "${gpus[@]}" "$IMAGE" make "$@"
