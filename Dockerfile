# One image for every process; they differ by command (compose.yaml, deploy/kubernetes).
#
#   docker build -t ladderbase .
#   docker run --rm --read-only -v /tmp --env-file settings.env ladderbase ladderbase migrate
#
# Needs BuildKit (Docker 23 or newer, or DOCKER_BUILDKIT=1). A package index of your own is told as pip and uv are told
# everywhere: --build-arg PIP_INDEX_URL=... --build-arg UV_DEFAULT_INDEX=..., its certificate by PIP_CERT and SSL_CERT_FILE
# (a file of the base image), its password by --secret id=netrc,src=$HOME/.netrc, which leaves no trace in any layer.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS tools
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ARG PIP_CERT
ENV NETRC=/run/secrets/netrc
COPY requirements-uv.lock /build/
RUN --mount=type=secret,id=netrc \
    python -m venv /build/venv \
    && /build/venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r /build/requirements-uv.lock

# What rarely changes: a layer that stays in registries and on nodes from one version to the next.
FROM tools AS libraries
ARG UV_DEFAULT_INDEX
ARG UV_INDEX
ARG SSL_CERT_FILE
COPY requirements-server.lock /build/
# The tests that pandas brings along are a tenth of the image.
RUN --mount=type=secret,id=netrc \
    python -m venv --without-pip /opt/ladderbase \
    && /build/venv/bin/uv pip sync --no-cache --link-mode copy --require-hashes \
       --python /opt/ladderbase/bin/python /build/requirements-server.lock \
    && rm -rf /opt/ladderbase/lib/python3*/site-packages/pandas/tests \
    && python -m compileall -q -j 0 /opt/ladderbase/lib

FROM libraries AS product
WORKDIR /build/source
# What builds the wheel is pinned and hashed as well: its versions stand in the developers' lock file.
COPY pyproject.toml README.md LICENSE requirements.lock ./
COPY src src
RUN --mount=type=secret,id=netrc \
    /build/venv/bin/uv build --no-cache --wheel --require-hashes --build-constraints requirements.lock --out-dir /build/wheels \
    && /build/venv/bin/uv pip install --no-cache --no-deps --no-index --compile-bytecode \
       --python /opt/ladderbase/bin/python --prefix /build/product /build/wheels/*.whl

FROM ${PYTHON_IMAGE}
# Nobody installs anything here any more; what could is what scanners complain about.
RUN rm -rf /usr/local/lib/python3*/site-packages/* /usr/local/lib/python3*/ensurepip /usr/local/bin/pip* \
    && groupadd --gid 10001 ladderbase \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin ladderbase
COPY --from=libraries /opt/ladderbase /opt/ladderbase
COPY --from=product /build/product /opt/ladderbase
# PYTHONSAFEPATH: a module that somebody leaves in the working folder is not imported.
ENV PATH=/opt/ladderbase/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONSAFEPATH=1 \
    PYTHONUNBUFFERED=1
# By number: Kubernetes cannot tell of a name that it is not root.
USER 10001:10001
EXPOSE 8000
# Of the API. Other commands name their own check, or none.
HEALTHCHECK --interval=10s --timeout=10s --start-period=60s --retries=6 CMD ["python", "-m", "entrypoints.healthcheck", "api"]
CMD ["python", "-m", "entrypoints.api.main"]
