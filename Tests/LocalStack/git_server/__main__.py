"""python -m git_server --root FOLDER --port P --fault-file F

Serves the repositories below the folder to fetchers. The fault file's word, read at every request,
says what goes wrong: see `faults.py`; empty or missing, nothing does.
"""

import argparse
from http.server import ThreadingHTTPServer
from pathlib import Path

from git_server.handler import GitHandler

parser = argparse.ArgumentParser(description="git's smart HTTP, with faults")
parser.add_argument("--root", type=Path, required=True)
parser.add_argument("--port", type=int, required=True)
parser.add_argument("--fault-file", type=Path, required=True)
given = parser.parse_args()
server = ThreadingHTTPServer(("127.0.0.1", given.port), GitHandler)
server.daemon_threads = True
server.root = given.root.resolve()
server.fault_file = given.fault_file
server.serve_forever()
