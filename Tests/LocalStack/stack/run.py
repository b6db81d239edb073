"""`make run`: says what it will do, does it in numbered steps, and stays until Ctrl-C."""

import time

import httpx

from stack import build, interrupts, running, tokens
from stack.component import StackError
from stack.local_stack import LocalStack
from stack.paths import REPOSITORY, STATE
from stack.settings import GivenSettings
from stack.synchronising import synchronise

WATCH_SECONDS = 0.5
STEP_COUNT = 5


def run() -> int:
    interrupts.as_keyboard_interrupt()
    if (other := running.runner()) is not None:
        raise StackError(f"The local stack is already running (pid {other.pid}): `make stop` ends it.")
    given = GivenSettings(REPOSITORY / ".env.local")
    for line in given.describe():
        print(f"  setting {line}")
    if left := running.stop_leftovers():
        print(f"  stopped what a killed run had left: {', '.join(left)}")
    STATE.mkdir(parents=True, exist_ok=True)
    local = LocalStack(given)
    running.remember_runner()
    try:
        start(local)
        announce(local)
        return watch(local)
    except KeyboardInterrupt:
        return 0
    finally:
        interrupts.ignored()
        stop(local)


def stop(local: LocalStack) -> None:
    """Also where nobody reads what is printed any more: `make run | head`."""
    try:
        print("\nStopping.", flush=True)
    finally:
        local.stack.stop()
        running.forget_runner()


def start(local: LocalStack) -> None:
    if build.is_current():
        step(1, "release build: nothing has changed")
    else:
        step(1, f"release build, {build.reason()}")
        build.build()
    step(2, "Postgres, Qdrant, models, issuer")
    local.start_backing_servers()
    step(3, "keys, pages, tables")
    local.prepare()
    step(4, "chat, ingest, admin, gateway")
    local.start_services()
    known = {} if local.issuer is None else {"LOCAL_ISSUER_PORT": str(local.issuer.port)}
    ports = {"PORT": str(local.gateway_port), "GATEWAY_URL": local.address}
    running.write_settings(local.settings | known | ports)
    step(5, "training materials")
    sync(local)


def sync(local: LocalStack) -> None:
    """Its failure is told, and the stack stays: questions about uploads can be asked all the same."""
    if local.issuer is None:
        print("  not synced: the issuer is not ours, so there is no operator's token")
        return
    group = local.settings.get("ADMIN_GROUP", "admins")
    claims = tokens.claims("local-operator", "", "Local operator", group, "")
    token = tokens.mint(local.issuer.url, local.issuer.key_file, local.issuer.key_id, claims)
    try:
        print(f"  {synchronise(local.address, token)}")
    except (StackError, httpx.HTTPError) as problem:
        print(f"  not synced: {problem}")


def announce(local: LocalStack) -> None:
    group = local.settings.get("ADMIN_GROUP", "admins")
    print(
        f"""
The assistant answers on {local.address}   (Ctrl-C stops all of it; logs: .local/run/logs)

The API:   {local.address}/docs
A token:   export TOKEN=$(make -s token SUB=alice GROUP={group})
A question:

  curl -N {local.address}/chat -H "Authorization: Bearer $(make -s token SUB=alice)" \\
    -H 'Content-Type: application/json' \\
    -d '{{"message": "How much energy does the community battery store?"}}'
""",
        flush=True,
    )


def watch(local: LocalStack) -> int:
    while (name := local.stack.ended()) is None:
        time.sleep(WATCH_SECONDS)
    print(f"\n{name} ended by itself.\n{local.stack.tail(name)}")
    return 1


def step(number: int, what: str) -> None:
    print(f"[{number}/{STEP_COUNT}] {what}", flush=True)

