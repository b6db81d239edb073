"""Pages indexed as in a deployment: `admin` syncs a git repository, `ingest` works it off."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from stack import engines, materials, postgres
from stack.component import Component, Stack, StackError, answers, base_environment
from stack.paths import LOCAL, REPOSITORY
from stack.ports import find_free
from stack.settings import read_file

VECTORS = LOCAL / "evaluation" / "vectors.sqlite"
BINARIES = REPOSITORY / ".build" / "debug"
# 1,400 abstracts at 1.5 passages a second, and as much again for a machine that is busy.
INDEXING_SECONDS_MAX = 2400
DATABASE = "evaluation"
# Settings that may be tried out: make eval RRF_K=2
TRIED = ("RRF_K", "RRF_WEIGHTS")


class Servers:
    """Postgres, the vector engine and the embedding models, with a state that goes with them."""

    def __init__(self, folder: Path, binaries: Path = BINARIES) -> None:
        self.folder = folder
        self.binaries = binaries
        self.stack = Stack(folder)
        self.database_port = find_free()
        self.qdrant_port = find_free()

    def start(self) -> None:
        self.stack.start(
            postgres.component(self.folder / "postgres", self.database_port, is_durable=False),
            engines.qdrant(self.folder / "qdrant", self.qdrant_port),
        )
        self.questions = self._embeddings("query")
        self.passages = self._embeddings("passage")

    def stop(self) -> None:
        self.stack.stop()
        postgres.forget(self.folder / "postgres")

    def _embeddings(self, kind: str) -> str:
        """The model, and the memory before it: a vector is the same today as yesterday."""
        model, memory = find_free(), find_free()
        self.stack.start(engines.embeddings(kind, model))
        self.stack.start(
            Component(
                name=f"remembered-{kind}",
                command=engines.module(
                    "evaluation.vectors", "--port", str(memory), "--file", str(VECTORS),
                    "--upstream", f"http://127.0.0.1:{model}",
                ),
                environment=engines.OUR_MODULES,
                is_ready=answers(f"http://127.0.0.1:{memory}/health"),
            )
        )
        return f"http://127.0.0.1:{memory}/v1"

    def settings(self, database: str) -> dict[str, str]:
        return {
            "APP_ENV": "dev",
            "LOG_LEVEL": "info",
            "DATABASE_URL": postgres.url(self.database_port, database),
            "QDRANT_URL": f"http://127.0.0.1:{self.qdrant_port}",
            "QDRANT_COLLECTION": database,
            "OPENAI_BASE_URL": self.questions,
            "OPENAI_EMBED_BASE_URL": self.passages,
            "OPENAI_EMBED_MODEL": "e5-passage",
            "OPENAI_EMBED_QUERY_BASE_URL": self.questions,
            "OPENAI_EMBED_QUERY_MODEL": "e5-query",
            "OPENAI_EMBED_DIMENSIONS": "384",
            "EMBED_BATCH_SIZE": "2",
        } | {name: os.environ[name] for name in TRIED if name in os.environ}

    @contextlib.contextmanager
    def indexed(self, name: str, pages: dict[str, str]) -> Iterator[dict[str, str]]:
        """The settings by which the pages' index is found. They are given by path."""
        database = f"{DATABASE}_{name}"
        folder = self.folder / name
        repository = folder / "repository"
        write_repository(repository, pages)
        postgres.ensure_database(self.database_port, database)
        settings = self.settings(database)
        services = settings | {
            "UPLOADS_URI": f"file://{folder / 'uploads'}",
            "TRAINING_MATERIALS_REPO_URL": f"file://{repository}",
            "TRAINING_MATERIALS_PATH": str(folder / "clone"),
            "TRAINING_MATERIALS_ALLOW_PRIVATE": "true",
            "TRAINING_MATERIALS_SYNC_ON_START": "true",
        } | self._keys(folder)
        self._run("admin", "migrate", environment=services)
        workers = Stack(folder)
        try:
            workers.start(self._service("ingest", services, folder))
            workers.start(self._service("admin", services, folder))
            self._await_sync(workers, database, len(pages))
        finally:
            workers.stop()
        yield settings

    def _keys(self, folder: Path) -> dict[str, str]:
        file = folder / "keys.env"
        file.write_text(self._run("gateway", "generate-keys", environment={}))
        return {k: v for k, v in read_file(file).items() if k != "INTERNAL_AUTH_KEY"}

    def _service(self, name: str, settings: dict[str, str], folder: Path) -> Component:
        port = find_free()
        return Component(
            name=name,
            command=[str(self.binaries / name)],
            environment=settings | {"HTTP_HOST": "127.0.0.1", "HTTP_PORT": str(port)},
            is_ready=answers(f"http://127.0.0.1:{port}/internal/health"),
            folder=folder,
            ready_seconds=90,
        )

    def _run(self, name: str, *arguments: str, environment: dict[str, str]) -> str:
        done = subprocess.run(
            [str(self.binaries / name), *arguments], env=base_environment() | environment,
            capture_output=True, text=True, timeout=120, check=False,
        )
        if done.returncode != 0:
            raise StackError(f"{name} {' '.join(arguments)} failed:\n{done.stderr}")
        return done.stdout

    def _await_sync(self, workers: Stack, database: str, page_count: int) -> None:
        """The database is fresh, so there is one sync, which is done when every page is shown."""
        deadline = time.monotonic() + INDEXING_SECONDS_MAX
        while time.monotonic() < deadline:
            if ended := workers.ended():
                raise StackError(f"{ended} ended.\n{workers.tail(ended)}")
            state, pending, failed = self._progress(database)
            if state in ("done", "failed"):
                if state == "failed" or failed:
                    raise StackError(f"{failed} pages failed.\n{workers.tail('ingest')}")
                return
            show_progress(page_count - pending, page_count)
            time.sleep(0.5)
        raise StackError(f"the pages were not indexed in {INDEXING_SECONDS_MAX} s")

    def _progress(self, database: str) -> tuple[str, int, int]:
        query = """
            SELECT json_build_array(state, failed_count, (
                SELECT count(*) FROM celine_assistant.training_sync_pages p
                WHERE p.state = 'pending'
            )) FROM celine_assistant.training_syncs
            """
        asked = subprocess.run(
            [
                str(postgres.binaries() / "psql"), "-XAtq", "-c", query,
                postgres.url(self.database_port, database),
            ],
            capture_output=True, text=True, check=True,
        ).stdout.strip()
        if not asked:
            return "", 0, 0
        state, failed, pending = json.loads(asked)
        return state, pending, failed


def write_repository(folder: Path, pages: dict[str, str]) -> None:
    """A git repository with exactly these pages on `main`."""
    shutil.rmtree(folder, ignore_errors=True)
    for path, text in pages.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    materials.git(folder, "init", "--quiet", "--initial-branch", "main")
    materials.git(folder, "add", "--all")
    materials.git(folder, "commit", "--quiet", "--message", "Pages to be found")


def show_progress(done: int, of: int) -> None:
    if sys.stderr.isatty():
        print(f"\r  {done} of {of} pages indexed", end="", file=sys.stderr, flush=True)
