#!/bin/sh
# Runs colornet out of a bundle of docker/bundle.sh, in any folder:
#
#     run.sh ARGUMENT...           as colornet ARGUMENT... does
#     run.sh python ARGUMENT...    its Python, such as -m benchmarks.step
#
# At the first start, links/ gets links to the host's libraries, by the names
# that libgpuarray opens; remove it if they have moved. Folders in
# LD_LIBRARY_PATH come before those of CUDA and of PyTorch's packages.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
links=$here/links

command -v g++ > /dev/null || {
    echo 'colornet: error: there is no C++ compiler (g++) here' >&2
    exit 2
}

# Folders that may have libraries of CUDA or OpenCL, a line each. The driver's
# are where the system looks, or containers have them; a libcuda of CUDA's
# "compat" is for other drivers than the host's, so that folder comes last.
folders() {
    echo "${LD_LIBRARY_PATH:-}" | tr : '\n'
    echo "$known" | sed -n 's|.*libcuda\.so\.1 .*=> \(.*\)/[^/]*$|\1|p' |
        grep -v '/compat$' || true
    printf '%s\n' /usr/local/nvidia/lib64 \
        "${CUDA_HOME:-/usr/local/cuda}"/lib64 /usr/local/cuda*/lib64 \
        /usr/local/cuda*/targets/x86_64-linux/lib /opt/cuda/lib64
    # Of its wheels: nvidia/cublas/lib, nvidia/cu13/lib and so on.
    for python in python3 python; do
        "$python" -c 'import glob, sys
for folder in sys.path:
    print("\n".join(glob.glob(glob.escape(folder) + "/nvidia/*/lib")))
' 2> /dev/null || true
    done
    printf '%s\n' /usr/lib/x86_64-linux-gnu /usr/lib64 /usr/lib/wsl/lib \
        /usr/local/cuda*/compat
}

make_links() {
    mkdir "$links.$$"
    known=$(PATH=$PATH:/sbin:/usr/sbin ldconfig -p 2> /dev/null) || true
    folders > "$links.$$/searched"
    for name in libcuda libnvrtc libcublas libcublasLt libOpenCL libclblast; do
        while IFS= read -r folder; do
            [ -n "$folder" ] || continue
            for file in "$folder/$name".so.[0-9]* "$folder/$name.so"; do
                [ -e "$file" ] || continue
                ln -s "$file" "$links.$$/$name.so"
                # NVRTC's builtins and so on are beside it.
                case $folder in
                    /usr/lib* | /lib*) ;;
                    *) echo "$folder" >> "$links.$$/folders" ;;
                esac
                break 2
            done
        done < "$links.$$/searched"
    done
    # An older library than the host's would break the host's compiler.
    for file in "$here"/lib/*; do
        [ -e "$file" ] || continue
        name=${file##*/}
        case $known in
            *"$name "*) ;;
            *) ln -s "$file" "$links.$$/$name" ;;
        esac
    done
    mv "$links.$$" "$links"
}

[ -d "$links" ] || make_links
path=$links:$here/python/lib
if [ -e "$links/folders" ]; then
    path=$path:$(sort -u "$links/folders" | tr '\n' :)
    path=${path%:}
fi
export LD_LIBRARY_PATH="$path${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
export CPATH="$here/python/include${CPATH:+:$CPATH}"
export LIBRARY_PATH="$here/python/lib${LIBRARY_PATH:+:$LIBRARY_PATH}"
packages=$here/packages/lib/python3.11/site-packages
export PYTHONPATH="$here/app:$packages" PYTHONNOUSERSITE=1
if [ "${1:-}" = python ]; then
    shift
    exec "$here/python/bin/python3.11" "$@"
fi
# Not a "colornet" in the current folder.
exec "$here/python/bin/python3.11" -P -m colornet "$@"
