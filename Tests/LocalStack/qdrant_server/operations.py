"""What the routes do: each takes the path's parameters and the body, and answers a result."""

from collections.abc import Callable
from typing import Any

import qdrant_edge as engine

from qdrant_server.configuration import payload_index
from qdrant_server.errors import RequestError, malformed
from qdrant_server.filters import filter_of
from qdrant_server.points import (
    JSON,
    payload_selector,
    point_id,
    point_id_json,
    points,
    record_json,
    scored_json,
)
from qdrant_server.queries import order_by
from qdrant_server.store import Store

Update = engine.UpdateOperation
Path = dict[str, str]
RETRIEVED_MAX = 10_000


class Operations:
    def __init__(self, store: Store) -> None:
        self.store = store

    # Collections and aliases

    def list_collections(self, _: Path, __: JSON) -> JSON:
        return {"collections": [{"name": name} for name in self.store.collections]}

    def create_collection(self, path: Path, body: JSON) -> bool:
        return self.store.create(path["name"], body)

    def describe_collection(self, path: Path, _: JSON) -> JSON:
        return self.store.collection(path["name"]).description()

    def delete_collection(self, path: Path, _: JSON) -> bool:
        return self.store.delete(path["name"])

    def collection_exists(self, path: Path, _: JSON) -> JSON:
        return {"exists": self.store.find(path["name"]) is not None}

    def change_aliases(self, _: Path, body: JSON) -> bool:
        return self.store.change_aliases(body["actions"])

    def list_aliases(self, path: Path, _: JSON) -> JSON:
        wanted = path.get("name")
        return {
            "aliases": [
                {"alias_name": alias, "collection_name": target}
                for alias, target in self.store.aliases.items()
                if wanted in (None, target)
            ]
        }

    # Points

    def upsert(self, path: Path, body: JSON) -> JSON:
        return self._update(path, Update.upsert_points(points(body)))

    def delete_points(self, path: Path, body: JSON) -> JSON:
        return self._update(
            path, chosen(body, Update.delete_points, Update.delete_points_by_filter)
        )

    def set_payload(self, path: Path, body: JSON) -> JSON:
        more = (body["payload"], body.get("key"))
        return self._update(
            path, chosen(body, Update.set_payload, Update.set_payload_by_filter, *more)
        )

    def overwrite_payload(self, path: Path, body: JSON) -> JSON:
        more = (body["payload"], body.get("key"))
        return self._update(
            path, chosen(body, Update.overwrite_payload, Update.overwrite_payload_by_filter, *more)
        )

    def delete_payload(self, path: Path, body: JSON) -> JSON:
        return self._update(
            path,
            chosen(body, Update.delete_payload, Update.delete_payload_by_filter, body["keys"]),
        )

    def clear_payload(self, path: Path, body: JSON) -> JSON:
        return self._update(
            path, chosen(body, Update.clear_payload, Update.clear_payload_by_filter)
        )

    def create_index(self, path: Path, body: JSON) -> JSON:
        schema = payload_index(body["field_schema"])
        return self._update(path, Update.create_field_index(body["field_name"], schema))

    def delete_index(self, path: Path, _: JSON) -> JSON:
        return self._update(path, Update.delete_field_index(path["field"]))

    def _update(self, path: Path, operation: engine.UpdateOperation) -> JSON:
        return self.store.collection(path["name"]).update(operation)

    # Reading

    def query(self, path: Path, body: JSON) -> JSON:
        collection = self.store.collection(path["name"])
        found = collection.shard.query(collection.queries.request(body))
        return {"points": [scored_json(point) for point in found]}

    def query_batch(self, path: Path, body: JSON) -> list[JSON]:
        collection = self.store.collection(path["name"])
        requests = [collection.queries.request(search) for search in body["searches"]]
        answers = collection.shard.query_batch(engine.QueryBatchRequest(requests))
        return [{"points": [scored_json(point) for point in found]} for found in answers]

    def scroll(self, path: Path, body: JSON) -> JSON:
        offset = body.get("offset")
        order = body.get("order_by")
        request = engine.ScrollRequest(
            offset=None if offset is None else point_id(offset),
            limit=min(body.get("limit") or 10, RETRIEVED_MAX),
            filter=filter_of(body.get("filter")),
            with_payload=payload_selector(body.get("with_payload"), True),
            with_vector=body.get("with_vector") or False,
            order_by=order_by(order) if order else None,
        )
        records, following = self.store.collection(path["name"]).shard.scroll(request)
        return {
            "points": [record_json(record) for record in records],
            "next_page_offset": None if following is None else point_id_json(following),
        }

    def count(self, path: Path, body: JSON) -> JSON:
        request = engine.CountRequest(
            exact=body.get("exact", True), filter=filter_of(body.get("filter"))
        )
        return {"count": self.store.collection(path["name"]).shard.count(request)}

    def retrieve(self, path: Path, body: JSON) -> list[JSON]:
        records = self.store.collection(path["name"]).shard.retrieve(
            [point_id(one) for one in body["ids"]],
            payload_selector(body.get("with_payload"), True),
            body.get("with_vector") or False,
        )
        return [record_json(record) for record in records]

    def point(self, path: Path, _: JSON) -> JSON:
        given = path["id"]
        wanted = point_id(int(given) if given.isdigit() else given)
        found = self.store.collection(path["name"]).shard.retrieve([wanted], True, True)
        if not found:
            raise RequestError(404, f"Not found: Point with id {given} does not exists!")
        return record_json(found[0])


def chosen(
    body: JSON,
    by_ids: Callable[..., engine.UpdateOperation],
    by_filter: Callable[..., engine.UpdateOperation],
    *more: Any,
) -> engine.UpdateOperation:
    """The update of the points named by id or by filter. Neither is an error, never all of them."""
    if body.get("points") is not None:
        return by_ids([point_id(one) for one in body["points"]], *more)
    selected = filter_of(body.get("filter"))
    if selected is None:
        raise malformed("points or a filter are wanted")
    return by_filter(selected, *more)
