# Milvus Lite in Milvus' place: the same protocol, one process, one disk.
FROM python:3.11-slim-bookworm
STOPSIGNAL SIGINT
ARG PIP_INDEX_URL
ARG PIP_CERT
RUN apt-get update && apt-get install -y --no-install-recommends curl && rm -rf /var/lib/apt/lists/* \
    && python -m venv /opt/milvus && /opt/milvus/bin/pip install --no-cache-dir 'milvus-lite>=3.2.2,<4' pymilvus
ENV PATH=/opt/milvus/bin:$PATH
COPY milvus.sh /usr/local/bin/milvus
CMD ["milvus", "run", "standalone"]
