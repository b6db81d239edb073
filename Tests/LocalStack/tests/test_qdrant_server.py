import shutil
import tempfile
import threading
import unittest
import uuid

from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse

from tests.server_process import ServerProcess

DENSE = {"dense": models.VectorParams(size=4, distance=models.Distance.COSINE)}
SPARSE = {"sparse": models.SparseVectorParams(modifier=models.Modifier.IDF)}


def id_of(number: int) -> str:
    return str(uuid.UUID(int=number))


def point(number: int, dense: list[float], terms: list[int], **payload: str) -> models.PointStruct:
    sparse = models.SparseVector(indices=terms, values=[1.0] * len(terms))
    return models.PointStruct(
        id=id_of(number), vector={"dense": dense, "sparse": sparse}, payload=payload
    )


def where(key: str, value: str) -> models.Filter:
    return models.Filter(
        must=[models.FieldCondition(key=key, match=models.MatchValue(value=value))]
    )


class QdrantServerTests(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = tempfile.mkdtemp()
        self.server = ServerProcess("qdrant_server", "--folder", self.folder, health="/readyz")
        self.client = self.connect()
        self.client.create_collection("docs", vectors_config=DENSE, sparse_vectors_config=SPARSE)
        self.client.create_payload_index(
            "docs", "tenant", models.KeywordIndexParams(type="keyword", is_tenant=True)
        )

    def tearDown(self) -> None:
        self.client.close()
        self.server.kill()
        shutil.rmtree(self.folder)

    def connect(self) -> QdrantClient:
        return QdrantClient(url=self.server.url, timeout=20, check_compatibility=False)

    def fill(self) -> None:
        self.client.upsert(
            "docs",
            [
                point(1, [1, 0, 0, 0], [1, 2], tenant="a"),
                point(2, [0, 1, 0, 0], [2, 3], tenant="a"),
                point(3, [1, 0, 0, 0.1], [9], tenant="b"),
            ],
        )

    def count(self, *conditions: models.Filter) -> int:
        return self.client.count("docs", count_filter=next(iter(conditions), None)).count

    def test_describes_a_collection(self) -> None:
        self.fill()
        found = self.client.get_collection("docs")
        self.assertEqual(found.points_count, 3)
        self.assertEqual(found.config.params.vectors["dense"].size, 4)
        self.assertEqual(found.config.params.sparse_vectors["sparse"].modifier, models.Modifier.IDF)
        self.assertIn("tenant", found.payload_schema)

    def test_fuses_both_halves_within_the_filter(self) -> None:
        self.fill()
        found = self.client.query_points(
            "docs",
            prefetch=[
                models.Prefetch(
                    query=[1.0, 0, 0, 0], using="dense", filter=where("tenant", "a"), limit=5
                ),
                models.Prefetch(
                    query=models.SparseVector(indices=[3], values=[1.0]), using="sparse",
                    filter=where("tenant", "a"), limit=5,
                ),
            ],
            query=models.RrfQuery(rrf=models.Rrf(k=60)),
            with_payload=True,
        ).points
        self.assertEqual([p.id for p in found], [id_of(2), id_of(1)])
        self.assertEqual({p.payload["tenant"] for p in found}, {"a"})

    def test_answers_a_batch_in_order(self) -> None:
        self.fill()
        searches = [
            models.QueryRequest(query=[0.0, 1, 0, 0], using="dense", limit=1),
            models.QueryRequest(query=[1.0, 0, 0, 0], using="dense", limit=1),
        ]
        answers = self.client.query_batch_points("docs", searches)
        self.assertEqual([a.points[0].id for a in answers], [id_of(2), id_of(1)])

    def test_deletes_by_filter_and_by_id(self) -> None:
        self.fill()
        self.client.delete("docs", models.FilterSelector(filter=where("tenant", "a")))
        self.assertEqual(self.count(), 1)
        self.client.delete("docs", models.PointIdsList(points=[id_of(3)]))
        self.assertEqual(self.count(), 0)

    def test_refuses_to_delete_without_saying_what(self) -> None:
        self.fill()
        with self.assertRaises(UnexpectedResponse):
            self.client.delete("docs", models.FilterSelector(filter=models.Filter()))
        self.assertEqual(self.count(), 3)

    def test_an_upsert_twice_leaves_one_point(self) -> None:
        self.fill()
        self.fill()
        self.assertEqual(self.count(), 3)

    def test_pages_through_all_points(self) -> None:
        self.fill()
        first, following = self.client.scroll("docs", limit=2)
        rest, end = self.client.scroll("docs", limit=2, offset=following)
        self.assertEqual(len(first) + len(rest), 3)
        self.assertIsNone(end)

    def test_changes_payloads(self) -> None:
        self.fill()
        self.client.set_payload("docs", {"kind": "page"}, points=[id_of(1)])
        [found] = self.client.retrieve("docs", [id_of(1)])
        self.assertEqual(found.payload, {"tenant": "a", "kind": "page"})

    def test_an_alias_follows_its_collection(self) -> None:
        self.fill()
        create = models.CreateAlias(collection_name="docs", alias_name="live")
        self.client.update_collection_aliases([models.CreateAliasOperation(create_alias=create)])
        self.assertEqual(self.client.count("live").count, 3)
        self.client.delete_collection("docs")
        self.assertFalse(self.client.collection_exists("live"))

    def test_refuses_wrong_requests_with_their_status(self) -> None:
        for status, request in {
            404: lambda: self.client.count("unknown"),
            409: lambda: self.client.create_collection("docs", vectors_config=DENSE),
            400: lambda: self.client.query_points("docs", query=[1.0, 2.0], using="dense"),
        }.items():
            with self.assertRaises(UnexpectedResponse) as refused:
                request()
            self.assertEqual(refused.exception.status_code, status)

    def test_keeps_all_it_acknowledged_when_killed_under_load(self) -> None:
        acknowledged: list[int] = []
        enough = threading.Event()

        def write() -> None:
            try:
                for number in range(10, 100_000):
                    points = [point(number, [0, 0, 1, number], [number], tenant="load")]
                    self.client.upsert("docs", points, wait=True)
                    acknowledged.append(number)
                    if len(acknowledged) == 200:
                        enough.set()
            except Exception:
                enough.set()

        writing = threading.Thread(target=write)
        writing.start()
        self.assertTrue(enough.wait(30))
        self.server.kill()
        writing.join()
        self.server.start()
        self.client = self.connect()
        ids = [id_of(number) for number in acknowledged]
        self.assertGreaterEqual(len(ids), 200)
        self.assertEqual(len(self.client.retrieve("docs", ids)), len(ids))
        # At most the one that was under way when the server died was written and not acknowledged.
        self.assertLessEqual(self.count(where("tenant", "load")), len(ids) + 1)

    def test_a_deletion_stays_deleted_when_killed(self) -> None:
        self.fill()
        self.client.delete("docs", models.FilterSelector(filter=where("tenant", "a")))
        self.server.kill()
        self.server.start()
        self.assertEqual(self.connect().count("docs").count, 1)

    def test_stops_on_request_and_starts_with_what_it_had(self) -> None:
        self.fill()
        self.server.stop()
        self.server.start()
        self.assertEqual(self.connect().count("docs").count, 3)
