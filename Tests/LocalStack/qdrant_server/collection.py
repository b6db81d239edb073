"""One collection: a shard of the engine in a folder of its own."""

import json
import os
import shutil
import threading
import time
from pathlib import Path

import qdrant_edge as engine

from qdrant_server import configuration
from qdrant_server.errors import no_collection
from qdrant_server.points import JSON
from qdrant_server.queries import Queries

# The background work waits until a collection has been left in peace so long.
PEACE_SECONDS = 1.0
# But under lasting writes no longer than this, or the log would grow without bound.
FLUSH_SECONDS_MAX = 15.0


class Collection:
    def __init__(self, name: str, folder: Path, body: JSON, shard: engine.EdgeShard) -> None:
        self.name, self.folder, self.body, self.shard = name, folder, body, shard
        self.queries = Queries(shard)
        self.operation_count = 0
        self.is_closed = False
        self.changed_at: float | None = None
        self.flushed_at = time.monotonic()
        # Updates and the engine's optimizer one after another; searches need no lock.
        self.lock = threading.Lock()

    @classmethod
    def create(cls, name: str, folder: Path, body: JSON) -> "Collection":
        """The description is written last: a folder without it was interrupted in its making."""
        config = configuration.engine_config(body)
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "shard").mkdir(parents=True)
        shard = engine.EdgeShard.create(str(folder / "shard"), config)
        write_durably(folder / "collection.json", body)
        return cls(name, folder, body, shard)

    @classmethod
    def load(cls, folder: Path) -> "Collection":
        """Replays the write-ahead log of a server that was killed."""
        body = json.loads((folder / "collection.json").read_text())
        return cls(folder.name, folder, body, engine.EdgeShard.load(str(folder / "shard")))

    def update(self, operation: engine.UpdateOperation) -> JSON:
        with self.lock:
            if self.is_closed:
                raise no_collection(self.name)
            self.shard.update(operation)
            self.operation_count += 1
            self.changed_at = time.monotonic()
            return {"operation_id": self.operation_count, "status": "completed"}

    def description(self) -> JSON:
        is_settled = self.changed_at is None
        return configuration.description(self.body, self.shard.info(), is_settled=is_settled)

    def settle(self) -> None:
        """Optimizes and flushes what was changed, once it is in peace or overdue."""
        if self.changed_at is None or self.is_closed:
            return
        now = time.monotonic()
        is_busy = now - self.changed_at < PEACE_SECONDS
        if is_busy and now - self.flushed_at < FLUSH_SECONDS_MAX:
            return
        with self.lock:
            if self.is_closed:
                return
            if not is_busy:
                self.shard.optimize()
            self.shard.flush()
            self.changed_at = None
            self.flushed_at = now

    def close(self) -> None:
        with self.lock:
            if not self.is_closed:
                self.is_closed = True
                self.shard.flush()
                self.shard.close()

    def delete(self) -> None:
        """The description goes first, so that a half-deleted collection is not loaded again."""
        with self.lock:
            self.is_closed = True
            (self.folder / "collection.json").unlink(missing_ok=True)
            self.shard.close()
            shutil.rmtree(self.folder, ignore_errors=True)


def write_durably(file: Path, document: JSON) -> None:
    temporary = file.with_suffix(".new")
    with temporary.open("w") as out:
        json.dump(document, out)
        out.flush()
        os.fsync(out.fileno())
    temporary.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
