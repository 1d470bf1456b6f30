# docker build -t resformer .                                           NVIDIA GPU, run with --gpus all
# docker build -t resformer --build-arg BASE=debian:bookworm-slim \
#   --build-arg TORCH_INDEX=https://download.pytorch.org/whl/cpu .      CPU; without TORCH_INDEX 4 GB of CUDA come along
# docker run --rm --name resformer -p 8080:8080 resformer
# docker exec resformer resformer keys show                             the keys that calls need
ARG BASE=nvidia/cuda:13.0.2-base-ubuntu22.04

FROM ${BASE} AS base
# Debian 12 and images of Python have Python 3.11; Ubuntu 22.04 has only a release candidate of it.
RUN set -eu; \
    export DEBIAN_FRONTEND=noninteractive; \
    apt-get update; \
    if ! command -v python3.11; then \
      if grep -qx ID=ubuntu /etc/os-release; then \
        apt-get install -y --no-install-recommends software-properties-common gpg-agent; \
        add-apt-repository -y ppa:deadsnakes/ppa; \
        apt-get purge -y --auto-remove software-properties-common gpg-agent; \
      fi; \
      apt-get install -y --no-install-recommends python3.11; \
    fi; \
    apt-get install -y --no-install-recommends ca-certificates nginx-light tini; \
    rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log

FROM base AS build
ENV PATH=/opt/venv/bin:$PATH PIP_DISABLE_PIP_VERSION_CHECK=1
RUN set -eu; \
    if ! python3.11 -c 'import ensurepip'; then \
      apt-get update; \
      apt-get install -y --no-install-recommends python3.11-venv; \
    fi; \
    python3.11 -m venv /opt/venv
COPY locks/serve.txt /build/
# Where wheels of torch without CUDA are. They have other hashes than the locked ones, which bring CUDA.
ARG TORCH_INDEX
WORKDIR /build
RUN set -eu; \
    if [ -n "$TORCH_INDEX" ]; then \
      grep -oE '^torch(vision)?==[^ ]+' serve.txt > torch.txt; \
      pip install --no-cache-dir --no-deps --index-url "$TORCH_INDEX" -r torch.txt; \
      awk '/^[a-z0-9]/ { left_out = /^(torch|torchvision|triton|nvidia-[^=]+|cuda-[^=]+)==/ } !left_out' serve.txt > rest.txt; \
      mv rest.txt serve.txt; \
    fi; \
    pip install --no-cache-dir --no-deps -r serve.txt
COPY . .
# The archive is a function of the sources: the same bytes as `make archive` gives outside.
RUN set -eu; \
    pip install --no-cache-dir --no-deps --no-build-isolation .; \
    cd /tmp; \
    resformer archive --out /srv/resformer/model_store/resformer.mar; \
    pip uninstall -y pip

FROM base
LABEL org.opencontainers.image.title="Resformer" \
      org.opencontainers.image.description="Product photos to structured values, served by TorchServe behind nginx" \
      org.opencontainers.image.licenses="Apache-2.0"
# The folder of an empty volume gets this one's owner.
RUN set -eu; \
    useradd --system --uid 10001 --user-group --no-create-home --home-dir /run/resformer --shell /usr/sbin/nologin resformer; \
    install -d -o resformer -g resformer -m 0700 /run/resformer /var/lib/resformer /var/lib/resformer/keys
COPY --from=build /opt/venv /opt/venv
COPY --from=build /srv/resformer /srv/resformer
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/run/resformer
# Whatever is written is written here and in /tmp: the root file system may be read-only.
USER 10001:10001
WORKDIR /run/resformer
VOLUME ["/run/resformer", "/tmp"]
# Predictions, metrics, probes. Management (8081) and gRPC (8083) stay inside.
EXPOSE 8080 8082 8084
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=240s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8084/ready', timeout=4)"]
ENTRYPOINT ["tini", "--", "resformer", "serve", "--foreground", "--archive", "/srv/resformer/model_store/resformer.mar", "--expose", "predictions,metrics,probes"]
