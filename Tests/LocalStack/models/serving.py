"""How the models are served: one loop, one port on this machine, quiet."""

import argparse
from typing import Any

import uvicorn


def arguments(description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--port", type=int, required=True)
    return parser


def serve(application: Any, port: int) -> None:
    uvicorn.run(
        application, host="127.0.0.1", port=port, log_level="warning", access_log=False,
        timeout_graceful_shutdown=2,
    )
