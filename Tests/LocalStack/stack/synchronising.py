"""The first sync of the training materials, by the route an operator uses."""

import time

import httpx

from stack.component import StackError

SYNC_SECONDS_MAX = 900
REQUEST_SECONDS = 70


def synchronise(address: str, token: str) -> str:
    """Repeats while pages are still being indexed; answers what there is to say."""
    deadline = time.monotonic() + SYNC_SECONDS_MAX
    while time.monotonic() < deadline:
        answer = httpx.post(
            f"{address}/admin/training-materials/sync",
            headers={"Authorization": f"Bearer {token}"},
            timeout=REQUEST_SECONDS,
            trust_env=False,
        )
        document = answer.json() if "json" in answer.headers.get("content-type", "") else {}
        ingest = document.get("ingest", {})
        if answer.status_code == 200:
            return f"{ingest.get('indexed', 0)} pages indexed, {ingest.get('skipped', 0)} unchanged"
        is_running = answer.status_code == 409 and document.get("code") == "sync_running"
        if answer.status_code != 202 and not is_running:
            raise StackError(f"the sync answered {answer.status_code}: {document.get('detail', '')}")
        print(f"  {ingest.get('pending', '?')} pages to go", flush=True)
        time.sleep(1)
    raise StackError("the sync took too long; it goes on in the background")
