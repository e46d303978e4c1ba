#!/bin/sh
set -eu
mkdir -p /tmp/health
: > /tmp/health/healthz
# Its sign of life waits for the server, as Milvus' does.
python - <<'PYTHON' &
import functools, http.server, socket, time

while socket.socket().connect_ex(("127.0.0.1", 19530)):
    time.sleep(0.2)
print("Welcome to use Milvus!", flush=True)
handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory="/tmp/health")
http.server.HTTPServer(("", 9091), handler).serve_forever()
PYTHON
exec python -m milvus_lite server --data-dir /var/lib/milvus/lite --host 0.0.0.0 --port 19530
