"""All collections and aliases of one server, in one folder."""

import json
import re
import shutil
import threading
from pathlib import Path

from qdrant_server.collection import Collection, write_durably
from qdrant_server.errors import RequestError, malformed, no_collection
from qdrant_server.points import JSON

# No slash, no dot in front: a name is a folder's name.
NAME = re.compile(r"[A-Za-z0-9_\-][A-Za-z0-9_.\-]{0,254}")
SETTLE_SECONDS = 0.5


class Store:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lock = threading.RLock()
        self.collections: dict[str, Collection] = {}
        (folder / "collections").mkdir(parents=True, exist_ok=True)
        aliases = folder / "aliases.json"
        self.aliases: dict[str, str] = json.loads(aliases.read_text()) if aliases.exists() else {}
        for one in sorted((folder / "collections").iterdir()):
            if (one / "collection.json").exists():
                self.collections[one.name] = Collection.load(one)
            else:
                shutil.rmtree(one)

    def find(self, name: str) -> Collection | None:
        return self.collections.get(self.aliases.get(name, name))

    def collection(self, name: str) -> Collection:
        found = self.find(name)
        if found is None:
            raise no_collection(name)
        return found

    def create(self, name: str, body: JSON) -> bool:
        if not NAME.fullmatch(name):
            raise RequestError(422, "Validation error in path parameters: [name: invalid]")
        with self.lock:
            if name in self.collections or name in self.aliases:
                raise RequestError(409, f"Wrong input: Collection `{name}` already exists!")
            folder = self.folder / "collections" / name
            self.collections[name] = Collection.create(name, folder, body)
        return True

    def delete(self, name: str) -> bool:
        with self.lock:
            collection = self.collections.pop(name, None)
            if collection is None:
                return False
            kept = {alias: target for alias, target in self.aliases.items() if target != name}
            self._save_aliases(kept)
            collection.delete()
        return True

    def change_aliases(self, actions: list[JSON]) -> bool:
        """All of them, or none."""
        with self.lock:
            changed = dict(self.aliases)
            for action in actions:
                self._change_alias(changed, action)
            self._save_aliases(changed)
        return True

    def _change_alias(self, aliases: dict[str, str], action: JSON) -> None:
        if "create_alias" in action:
            wanted = action["create_alias"]
            alias, target = wanted["alias_name"], wanted["collection_name"]
            if target not in self.collections:
                raise no_collection(target)
            if alias in self.collections:
                raise RequestError(
                    409,
                    f"Wrong input: Can't create alias with name {alias}, "
                    "collection with the same name already exists",
                )
            aliases[alias] = target
        elif "delete_alias" in action:
            aliases.pop(action["delete_alias"]["alias_name"], None)
        elif "rename_alias" in action:
            wanted = action["rename_alias"]
            if wanted["old_alias_name"] not in aliases:
                raise RequestError(404, f"Not found: Alias {wanted['old_alias_name']} does not exist!")
            aliases[wanted["new_alias_name"]] = aliases.pop(wanted["old_alias_name"])
        else:
            raise malformed("unknown alias action")

    def _save_aliases(self, aliases: dict[str, str]) -> None:
        if aliases != self.aliases:
            write_durably(self.folder / "aliases.json", aliases)
            self.aliases = aliases

    def settle_until(self, stop: threading.Event) -> None:
        """What Qdrant does in the background."""
        while not stop.wait(SETTLE_SECONDS):
            for collection in list(self.collections.values()):
                try:
                    collection.settle()
                except Exception as problem:  # the engine's own kind; the log keeps the data
                    print(f"{collection.name} was not settled: {problem}", flush=True)

    def close(self) -> None:
        for collection in self.collections.values():
            collection.close()
