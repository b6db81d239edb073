"""Where things are."""

import sys
from pathlib import Path

LOCAL_STACK = Path(__file__).resolve().parents[1]
REPOSITORY = LOCAL_STACK.parents[1]
LOCAL = REPOSITORY / ".local"
STATE = LOCAL / "state"
RUN = LOCAL / "run"
PYTHON = Path(sys.executable)
VENV_BIN = PYTHON.parent
RELEASE = REPOSITORY / ".build" / "release"
