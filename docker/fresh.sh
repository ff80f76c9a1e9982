#!/usr/bin/env bash
# Runs the README's two commands on fresh machines:
#
#     docker/fresh.sh [--demo] [--keep] [--commit COMMIT] [SYSTEM...]
#     docker/fresh.sh --packages [SYSTEM...]
#
# Each SYSTEM (debian-12, debian-13, ubuntu-22.04, ubuntu-24.04; all if none is
# named) is a minimal root with the packages that README.rst names for it and
# nothing else, in which a user with an empty home runs "make demo", again for
# what a second start takes, and "make test" in a copy of this checkout, as it
# is in the working tree, or of COMMIT; then "pip install" of it into a virtual
# environment, and "colornet colorize" from another folder, twice.
#
#     --demo       leave "make test" out
#     --keep       leave the roots, which are removed otherwise
#     --packages   print the packages that the README names, make nothing
#
# Needs root, 4 GB below ${TMPDIR:-/var/tmp}/colornet/fresh, network and
#
#     apt-get install mmdebstrap
#
# Each step's output is in SYSTEM.log there, minimal roots are kept there as
# tar. The exit status is 1 if anything failed; a table comes last.
# shellcheck disable=SC2016  # Of the README, and for the shell in the root.
# shellcheck disable=SC2317,SC2329  # Functions are called by step and trap.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${TMPDIR:-/var/tmp}/colornet/fresh
certificates=/etc/ssl/certs/ca-certificates.crt
user=4321  # Of no account on any of them.

fail() {
    echo "docker/fresh.sh: $*" >&2
    exit 2
}

# known SYSTEM: the suite of its archive.
known() {
    case $1 in
        debian-12) echo bookworm ;;
        debian-13) echo trixie ;;
        ubuntu-22.04) echo jammy ;;
        ubuntu-24.04) echo noble ;;
        *) fail "there is no system '$1': debian-12, debian-13," \
            "ubuntu-22.04, ubuntu-24.04" ;;
    esac
}

# packages SYSTEM: what the README says to install there. It has passages such
# as "Debian 12, Ubuntu: ``apt-get install make``"; the one that names the
# version comes before one that names the distribution only.
packages() {
    local name=${1%-*} passages passage found
    name=${name^}
    passages=$(tr '\n' ' ' < README.rst | tr -s ' ' | grep -oE \
        '(Debian|Ubuntu)[A-Za-z0-9., ]*: ``apt-get install [^`]*``' || true)
    for name in "$name ${1#*-}" "$name"; do
        while IFS= read -r passage; do
            case ", ${passage%%:*}," in
                *[,\ ]" $name,"* | *" and $name,"* | *" $name and "*)
                    found=${passage#*apt-get install }
                    echo "${found%\`\`}"
                    return ;;
            esac
        done <<< "$passages"
    done
    fail "README.rst names no packages for $1"
}

keep='' demo='' commit='' print=''
while [ $# -gt 0 ]; do
    case $1 in
        --keep) keep=yes ;;
        --demo) demo=yes ;;
        --packages) print=yes ;;
        --commit) commit=${2:?"docker/fresh.sh: --commit names a commit"}
            shift ;;
        -*) fail "there is no option '$1'; the file begins with a list" ;;
        *) break ;;
    esac
    shift
done
[ $# -gt 0 ] || set -- debian-12 debian-13 ubuntu-22.04 ubuntu-24.04
for system; do
    known "$system" > /dev/null
    words=$(packages "$system")
    [ -z "$print" ] || echo "$system: $words"
done
[ -z "$print" ] || exit 0
[ "$(id -u)" = 0 ] || fail "needs root"
for program in git mmdebstrap unshare; do
    command -v $program > /dev/null || fail "needs $program"
done
# A stash of nothing is empty.
[ -n "$commit" ] || commit=$(git stash create)
commit=$(git rev-parse --verify --quiet "${commit:-HEAD}^{commit}") ||
    fail "there is no such commit"
mkdir -p "$folder"
folder=$(realpath "$folder")

# Jobs get process groups, or Ctrl-C would be ignored in all that they start.
set -m
child=''
failed=0
table=()

# Mounts are in the child's name space only and end with it.
at_the_end() {
    [ -z "$child" ] || kill -KILL -- "-$child" 2> /dev/null || true
    [ -z "$child" ] || wait "$child" 2> /dev/null || true
    [ -n "$keep" ] || [ -z "${root:-}" ] || rm -rf --one-file-system "$root"
    [ ${#table[@]} = 0 ] || printf '%s\n' '' \
        "$(printf '%-13s %-9s %9s %9s %9s %9s %9s' \
            system Python packages demo again test pip)" "${table[@]}"
}
trap at_the_end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# job COMMAND...: run it so that a signal ends it.
job() {
    local status=0
    "$@" < /dev/null >> "$log" 2>&1 &
    child=$!
    wait "$child" || status=$?
    child=''
    return "$status"
}

# inside USER COMMAND: by the shell of the root, without the host's settings.
inside() {
    job unshare --mount --pid --fork --kill-child sh -ec '
        mount -t proc proc "$1/proc"
        mount --rbind /dev "$1/dev"
        exec chroot --userspec="$2:$2" "$1" /usr/bin/env -i \
            HOME=/home/somebody DEBIAN_FRONTEND=noninteractive \
            PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
            sh -ec "$3"' sh "$root" "$1" "$2"
}

# minimal SYSTEM: its tar.
minimal() {
    local suite mirror=() tar=$folder/$1.tar
    suite=$(known "$1")
    [ ! -s "$tar" ] || return 0
    # Debian has no keys of Ubuntu; nothing of this is ever published.
    [ "${1%-*}" = debian ] || mirror=(
        "deb [trusted=yes] http://archive.ubuntu.com/ubuntu $suite main universe"
        "deb [trusted=yes] http://archive.ubuntu.com/ubuntu $suite-updates main universe")
    job mmdebstrap --variant=minbase --include=apt "$suite" "$tar.part" \
        --format=tar "${mirror[@]}" && mv "$tar.part" "$tar"
}

# fill SYSTEM: its root, from the tar. For power failures, nobody needs it. The
# host's certificates are for pip, where a proxy has some of its own.
fill() {
    rm -rf --one-file-system "$root" &&
        mkdir -p "$root" &&
        tar -C "$root" --exclude './dev/*' -xf "$folder/$1.tar" &&
        echo force-unsafe-io > "$root/etc/dpkg/dpkg.cfg.d/fresh" &&
        cp /etc/resolv.conf /etc/hosts "$root/etc/" &&
        if [ -e "$certificates" ]; then
            cp "$certificates" "$root/etc/host-certificates.crt" &&
                printf '[global]\ncert = /etc/host-certificates.crt\n' \
                    > "$root/etc/pip.conf"
        fi &&
        mkdir -p "$root/home/somebody/colornet" &&
        git archive "$commit" | tar -C "$root/home/somebody/colornet" -x &&
        echo "somebody:x:$user:$user::/home/somebody:/bin/sh" \
            >> "$root/etc/passwd" &&
        echo "somebody:x:$user:" >> "$root/etc/group" &&
        chown -R "$user:$user" "$root/home/somebody"
}

# step NAME COMMAND...: its seconds are in $took, "FAILED" if it failed. What
# follows a failure is not run. In a function, each command has to be joined to
# the next by &&: "set -e" ends nothing in a condition.
step() {
    local begun=$SECONDS name=$1
    shift
    took=-
    [ -z "$broken" ] || return 0
    echo "== $name" >> "$log"
    if "$@" 2>> "$log"; then
        took="$((SECONDS - begun)) s"
        echo "ok $system: $name ($took)"
    else
        took=FAILED broken=yes failed=1
        echo "FAILED $system: $name ($((SECONDS - begun)) s), in $log:"
        tail -n 15 "$log"
    fi
}

# Of a package in an environment; where it is not timed by make, by Python.
anywhere='
    python3 -m venv ~/venv
    ~/venv/bin/python -m pip install ~/colornet
    cd /
    cat > ~/twice.py <<END
import subprocess, time
for start in "first", "second":
    begun = time.perf_counter()
    subprocess.run(["/home/somebody/venv/bin/colornet", "colorize",
                    "/home/somebody/colornet/demo/photos/astronaut.jpg",
                    "--colour", "replace", "--out", start], check=True,
                   cwd="/home/somebody")
    print("a %s start of colornet colorize: %.2f seconds" % (
        start, time.perf_counter() - begun))
END
    ~/venv/bin/python ~/twice.py'

for system; do
    root=$folder/$system log=$folder/$system.log broken=''
    : > "$log"
    step 'a minimal root' minimal "$system"
    step 'the checkout' fill "$system"
    step "apt-get install $(packages "$system")" inside 0 \
        "apt-get update && apt-get install -y --no-install-recommends $(
            packages "$system")"
    cells=("$took")
    for target in demo demo test; do
        if [ $target = test ] && [ -n "$demo" ]; then
            cells+=(-)
            continue
        fi
        step "make $target" inside $user "cd ~/colornet && make $target"
        cells+=("$took")
    done
    step 'pip install, colorize' inside $user "$anywhere"
    cells+=("$took")
    grep -E '^(Ran [0-9]+ tests|OK|FAILED \(|[0-9]+ tests in .* left out|a second start)' \
        "$log" || true
    version=$(sed -n 's/^version = //p' \
        "$root/home/somebody/colornet/.venv/pyvenv.cfg" 2> /dev/null || true)
    table+=("$(printf '%-13s %-9s %9s %9s %9s %9s %9s' \
        "$system" "${version:--}" "${cells[@]}")")
    [ -n "$keep" ] || rm -rf --one-file-system "$root"
done
exit $failed
