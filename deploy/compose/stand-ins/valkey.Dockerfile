# Valkey 8 of Debian under the names of the valkey and redis images.
FROM debian:trixie-slim
RUN apt-get update && apt-get install -y --no-install-recommends valkey-server && rm -rf /var/lib/apt/lists/* \
    && mkdir /data && chown valkey:valkey /data
USER valkey
WORKDIR /data
CMD ["valkey-server", "--protected-mode", "no"]
