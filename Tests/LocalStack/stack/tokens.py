"""Access tokens as the local issuer would sign them, for any subject.

nanoidp's own token endpoint knows neither names nor further claims, so its key is used directly.
"""

import json
import time
from functools import cache
from pathlib import Path
from typing import Any

import jwt

from stack.component import StackError
from stack.issuer import AUDIENCE

LIFETIME_SECONDS = 12 * 3600


def mint(issuer: str, key_file: Path, key_id: str, claims: dict[str, Any]) -> str:
    """A claim that is None is left out: so tokens that must be refused can be made."""
    now = int(time.time())
    usual = {"iss": issuer, "aud": AUDIENCE, "iat": now, "exp": now + LIFETIME_SECONDS}
    given = {name: value for name, value in (usual | claims).items() if value is not None}
    # PyJWT would refuse an issuer or a subject of another type; a refusal's test may want one.
    payload = json.dumps(given, separators=(",", ":")).encode()
    return jwt.api_jws.encode(
        payload, signing_key(key_file), algorithm="RS256", headers={"kid": key_id}
    )


@cache
def signing_key(file: Path) -> Any:
    """Read once: checking an RSA key takes longer than signing with it."""
    return jwt.algorithms.RSAAlgorithm(jwt.algorithms.RSAAlgorithm.SHA256).prepare_key(
        file.read_bytes()
    )


def claims(subject: str, email: str, name: str, group: str, more: str) -> dict[str, Any]:
    """From `make token`'s arguments. Groups are separated by commas; `more` is JSON and wins."""
    try:
        others = json.loads(more or "{}")
    except json.JSONDecodeError as problem:
        raise StackError(f"CLAIMS is no JSON: {problem}") from None
    if not isinstance(others, dict):
        raise StackError("CLAIMS must be a JSON object, like CLAIMS='{\"exp\": 1}'")
    groups = [one.strip() for one in group.split(",") if one.strip()]
    given = {
        "sub": subject,
        "email": email or f"{subject}@example.org",
        "email_verified": True,
        "name": name or subject.capitalize(),
        "preferred_username": subject,
        "groups": groups,
    }
    return given | others
