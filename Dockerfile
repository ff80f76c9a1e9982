# colornet for an NVIDIA GPU, or with --build-arg DEVICE=cpu for none; docs/docker.rst
# says how to use it.

# The last CUDA 11: pygpu 0.7.6 of Ubuntu 20.04 knows no newer one. "devel" has
# the names of libraries that libgpuarray opens.
ARG GPU_BASE=nvidia/cuda:11.8.0-cudnn8-devel-ubuntu20.04
ARG CPU_BASE=debian:bookworm-slim
ARG DEVICE=cuda

FROM ${GPU_BASE} AS cuda
# NVIDIA has changed the keys of its own repositories; nothing is needed of
# them. Versions of packages are the distribution's: it keeps no older ones.
# hadolint ignore=DL3008
RUN rm -f /etc/apt/sources.list.d/cuda*.list \
        /etc/apt/sources.list.d/nvidia-ml.list \
    && apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y \
        --no-install-recommends g++ libgpuarray-dev make python3-dev \
        python3-pygpu python3-venv tini \
    && rm -rf /var/lib/apt/lists/*

FROM ${CPU_BASE} AS cpu
# libdnnl-dev is for processors that pip has no oneDNN for.
# hadolint ignore=DL3008
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y \
        --no-install-recommends g++ libdnnl-dev make python3-dev python3-venv \
        tini \
    && rm -rf /var/lib/apt/lists/*

# hadolint ignore=DL3006
FROM ${DEVICE}
WORKDIR /colornet
# Python's packages change seldom: this layer needs the list of them only.
COPY Makefile setup.py ./
COPY tools tools
COPY colornet/__init__.py colornet/
# pygpu is the system's: it is not on PyPI. Its folder comes last.
RUN PIP_NO_CACHE_DIR=1 make install .venv/web \
    && for folder in .venv/lib/python3.*/site-packages; do \
        echo /usr/lib/python3/dist-packages > "$folder/system.pth"; done
COPY . .
# setup.py is newer now, and the same. Whoever runs it (--user) can read all,
# and writes compiled code to the volume.
RUN touch .venv/installed \
    && touch .venv/web \
    && find . -path ./.venv -prune -o ! -perm -a=r -exec chmod a+rX {} + \
    && .venv/bin/python -m compileall -q colornet \
    && useradd --uid 1000 --home-dir /cache --no-create-home colornet \
    && mkdir -m 1777 /cache data runs
USER 1000
VOLUME /cache
ARG DEVICE
ARG VERSION=unknown
ARG COMMIT=unknown
ENV COLORNET_COMMIT=${COMMIT} \
    COLORNET_DEVICE=${DEVICE} \
    COLORNET_VOLUME=/cache \
    PATH=/colornet/.venv/bin:${PATH} \
    PYTHONDONTWRITEBYTECODE=1
LABEL org.opencontainers.image.title="colornet (${DEVICE})" \
    org.opencontainers.image.description="Colours for black-and-white photos" \
    org.opencontainers.image.licenses="MIT AND CC-BY-4.0" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${COMMIT}"
# Stops trainings as Ctrl-C does, also below make.
STOPSIGNAL SIGINT
# Of colornet serve --host 0.0.0.0.
EXPOSE 8000
ENTRYPOINT ["/usr/bin/tini", "-g", "--", "/colornet/docker/entrypoint.sh"]
CMD ["--help"]
