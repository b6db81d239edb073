"""python -m qdrant_server --folder F --port P; an API key comes from QDRANT__SERVICE__API_KEY."""

import argparse
import os
from pathlib import Path

import uvicorn

from qdrant_server.server import application
from qdrant_server.store import Store

parser = argparse.ArgumentParser(description="Qdrant's REST API over its embedded engine")
parser.add_argument("--folder", type=Path, required=True)
parser.add_argument("--port", type=int, default=6333)
given = parser.parse_args()
# Kept open for longer than any test holds a request back.
uvicorn.run(
    application(Store(given.folder), os.environ.get("QDRANT__SERVICE__API_KEY") or None),
    host="127.0.0.1", port=given.port, log_level="warning", access_log=False,
    timeout_graceful_shutdown=5, timeout_keep_alive=300,
)
