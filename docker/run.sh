#!/usr/bin/env bash
# Runs a target of the Makefile in a container, with this machine's folders:
#
#     docker/run.sh TARGET [VARIABLE=VALUE ...]
#
# The Makefile sets DOCKER, IMAGE, GPUS, RUNS and the folders of the data sets.
set -euo pipefail

options=(--rm --user "$(id -u):$(id -g)" --volume colornet:/cache)
if [ -t 0 ] && [ -t 1 ]; then
    options+=(--interactive --tty)
fi
gpus=()
read -ra gpus <<< "${GPUS:-}"
for name in cvcl general ilsvrc mcgill mirflickr photos; do
    variable=${name^^}
    folder=${!variable}
    folder=${folder/#\~\//$HOME/}
    [ ! -d "$folder" ] || options+=(--mount
        "type=bind,source=$(realpath "$folder"),target=/colornet/data/$name,readonly")
done
mkdir -p "$RUNS"
options+=(--mount "type=bind,source=$(realpath "$RUNS"),target=/colornet/runs")
exec "$DOCKER" run "${options[@]}" "${gpus[@]}" "$IMAGE" make "$@"
