"""Where things are."""

import sys
import sysconfig
from pathlib import Path

LOCAL_STACK = Path(__file__).resolve().parents[1]
REPOSITORY = LOCAL_STACK.parents[1]
LOCAL = REPOSITORY / ".local"
STATE = LOCAL / "state"
RUN = LOCAL / "run"
PYTHON = Path(sys.executable)
VENV_BIN = PYTHON.parent
# Swagger UI, as its package has it.
DOCS_VIEWER = (
    Path(sysconfig.get_path("purelib"))
    / "drf_spectacular_sidecar/static/drf_spectacular_sidecar/swagger-ui-dist"
)
RELEASE = REPOSITORY / ".build" / "release"
