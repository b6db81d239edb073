"""Tokens that forgers make, and good ones beside them, for the tests of the verifier.

Made with PyJWT and cryptography, which share no code with what verifies them: the attacks of RFC 8725
and of the usual lists (algorithm confusion, keys that a token brings along, signatures of nothing).
"""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

ISSUER, AUDIENCE = "https://issuer.test", "oauth2_proxy"
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ALGORITHMS = {
    "rsa": ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
    "p256": ["ES256"], "p384": ["ES384"], "ed": ["EdDSA"],
}  # fmt: skip

Cases = Iterator[tuple[str, str]]


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def part(value: object) -> str:
    return encode(json.dumps(value).encode())


class Forge:
    def __init__(self) -> None:
        self.keys: dict[str, Any] = {
            "rsa": rsa.generate_private_key(65537, 2048),
            "p256": ec.generate_private_key(ec.SECP256R1()),
            "p384": ec.generate_private_key(ec.SECP384R1()),
            "ed": ed25519.Ed25519PrivateKey.generate(),
            "weak": rsa.generate_private_key(65537, 1024),
            "sealing": rsa.generate_private_key(65537, 2048),
            "narrow": rsa.generate_private_key(65537, 2048),
        }
        self.stranger = rsa.generate_private_key(65537, 2048)
        now = int(time.time())
        self.claims: dict[str, Any] = {
            "iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "iat": now, "exp": now + 86_400,
        }  # fmt: skip

    def jwks(self) -> dict[str, Any]:
        more = {"sealing": {"use": "enc"}, "narrow": {"alg": "RS512"}}
        return {"keys": [self.jwk(name) | more.get(name, {}) for name in self.keys]}

    def jwk(self, name: str) -> dict[str, Any]:
        return self.public(self.keys[name]) | {"kid": name}

    @staticmethod
    def public(key: Any) -> dict[str, Any]:
        algorithm = {
            rsa.RSAPrivateKey: jwt.algorithms.RSAAlgorithm,
            ec.EllipticCurvePrivateKey: jwt.algorithms.ECAlgorithm,
            ed25519.Ed25519PrivateKey: jwt.algorithms.OKPAlgorithm,
        }
        made = next(one for kind, one in algorithm.items() if isinstance(key, kind))
        described: dict[str, Any] = made.to_jwk(key.public_key(), as_dict=True)
        return described

    def token(self, key: str = "rsa", algorithm: str = "RS256", **header: object) -> str:
        headers = {"kid": key} | header
        return jwt.encode(self.claims, self.keys[key], algorithm, headers)

    def by_hand(
        self, header: object, sign: Any, claims: object = None, payload: bytes | None = None
    ) -> str:
        """`sign` makes a signature of the bytes that are signed."""
        body = payload if payload is not None else json.dumps(claims or self.claims).encode()
        signed = f"{part(header)}.{encode(body)}"
        return f"{signed}.{encode(sign(signed.encode()))}"

    def rs256(self, data: bytes) -> bytes:
        return self.keys["rsa"].sign(data, padding.PKCS1v15(), hashes.SHA256())


def good(forge: Forge) -> Cases:
    for key, algorithms in ALGORITHMS.items():
        for algorithm in algorithms:
            yield f"good: {algorithm}", forge.token(key, algorithm)
    yield "good: a type of RFC 9068", forge.token(typ="at+jwt")
    yield "good: addresses in the header mean nothing", forge.token(
        jku="https://evil.test/jwks", x5u="https://evil.test/x", jwk=forge.public(forge.stranger)
    )
    yield "good: by hand", forge.by_hand({"alg": "RS256", "kid": "rsa"}, forge.rs256)
    yield "good: no key named", forge.by_hand({"alg": "RS256"}, forge.rs256)


def unsigned(forge: Forge) -> Cases:
    """RFC 8725, 2.1: `none`, in any spelling, with anything for a signature."""
    rsa_token = forge.token()
    for name in ("none", "None", "NONE", "nOnE", "none ", "", "NULL", "unsecured"):
        for signature in (b"", b"x", forge.rs256(b"x")):
            yield f"alg {name!r}", forge.by_hand({"alg": name, "kid": "rsa"}, lambda _, s=signature: s)
    for header in ({"kid": "rsa"}, {"alg": None}, {"alg": ["RS256"]}, {"alg": {"RS256": 1}},
                   {"alg": 0}, {"alg": True}):  # fmt: skip
        yield f"header {header}", forge.by_hand(header, forge.rs256)
    head, body, signature = rsa_token.split(".")
    for text in (f"{head}.{body}.", f"{head}.{body}", f"{head}..{signature}", f".{body}.{signature}",
                 f"{head}.{body}.{signature}.{signature}", f"{head}.{body}.{signature}A",
                 f"{head}.{body}.AAAA", f"..{signature}", "..", ""):  # fmt: skip
        yield "parts missing or added", text


def confused(forge: Forge) -> Cases:
    """RFC 8725, 2.1 and 3.1: a public key as a shared secret, and families taken for one another."""
    public = forge.keys["rsa"].public_key()
    pem = public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    secrets = {
        "PEM": pem, "PEM without its last newline": pem.rstrip(b"\n"),
        "PEM with CRLF": pem.replace(b"\n", b"\r\n"),
        "DER": public.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo),
        "PKCS1": public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.PKCS1),
        "the JWK": json.dumps(forge.jwk("rsa")).encode(),
        "the modulus": forge.jwk("rsa")["n"].encode(), "nothing": b"", "a zero": b"\0",
    }  # fmt: skip
    digests = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}
    for described, secret in secrets.items():
        for name, digest in digests.items():
            for kid in ("rsa", "p256"):
                yield f"{name} with {described} for a secret", forge.by_hand(
                    {"alg": name, "kid": kid},
                    lambda data, s=secret, d=digest: hmac.new(s, data, d).digest(),
                )
    names = [name for algorithms in ALGORITHMS.values() for name in algorithms]
    for key, own in ALGORITHMS.items():
        for signed_by in own:
            for said in names:
                if said != signed_by:
                    token = forge.token(key, signed_by)
                    _, body, signature = token.split(".")
                    yield f"{signed_by} that says {said}", (
                        f"{part({'alg': said, 'kid': key})}.{body}.{signature}"
                    )
    for said in ("rs256", "RS256 ", "RS1", "RSA1_5", "ES256K", "ES512", "Ed25519", "dir", "A128KW"):
        yield f"alg {said!r}", forge.by_hand({"alg": said, "kid": "rsa"}, forge.rs256)
    for key, algorithm in (("weak", "RS256"), ("sealing", "RS256"), ("narrow", "RS256")):
        yield f"the key {key}", forge.token(key, algorithm)
    for key, own in ALGORITHMS.items():
        for other in ALGORITHMS:
            if other != key:
                yield f"{key} under the name of {other}", forge.token(key, own[0], kid=other)


def brought_along(forge: Forge) -> Cases:
    """RFC 8725, 2.9 and 3.10: keys, or where to find them, in the token itself."""
    def signed(header: dict[str, object]) -> str:
        return jwt.encode(forge.claims, forge.stranger, "RS256", header)

    own = forge.public(forge.stranger)
    yield "a key of its own", signed({"jwk": own, "kid": "rsa"})
    yield "a key of its own, unnamed", signed({"jwk": own})
    yield "a key of its own, named", signed({"jwk": own | {"kid": "mine"}, "kid": "mine"})
    yield "an address of keys", signed({"jku": "http://127.0.0.1:1/jwks", "kid": "rsa"})
    yield "an address of certificates", signed({"x5u": "http://127.0.0.1:1/x", "kid": "rsa"})
    yield "a certificate", signed({"x5c": [base64.b64encode(b"x").decode()], "kid": "rsa"})
    for kid in ("../../../../dev/null", "/dev/null", "' UNION SELECT 'x", "http://127.0.0.1:1/k",
                "rsa\0", "RSA", "rsa ", "", "|id", "${jndi:ldap://a}", "x" * 5000):  # fmt: skip
        yield f"kid {kid[:24]!r}", signed({"kid": kid})
        yield f"kid {kid[:24]!r} and an empty secret", forge.by_hand(
            {"alg": "HS256", "kid": kid}, lambda data: hmac.new(b"", data, hashlib.sha256).digest()
        )
    for odd in (1, ["rsa"], {"rsa": 1}, True):
        yield f"kid {odd}", forge.by_hand({"alg": "RS256", "kid": odd}, forge.rs256)


def signatures(forge: Forge) -> Cases:
    """Signatures that are none (CVE-2022-21449 and its like), or not of these bytes."""
    header, order = {"alg": "ES256", "kid": "p256"}, P256_ORDER
    for r, s in ((0, 0), (0, 1), (1, 0), (order, order), (order, 1), (1, order), (0, order)):
        yield f"ECDSA {min(r, 2)}, {min(s, 2)}", forge.by_hand(
            header, lambda _, r=r, s=s: r.to_bytes(32, "big") + s.to_bytes(32, "big")
        )
    key = forge.keys["p256"]
    yield "ECDSA as DER", forge.by_hand(header, lambda d: key.sign(d, ec.ECDSA(hashes.SHA256())))

    def raw(data: bytes) -> bytes:
        r, s = decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    yield "ECDSA cut", forge.by_hand(header, lambda d: raw(d)[:-1])
    yield "ECDSA longer", forge.by_hand(header, lambda d: raw(d) + b"\0")
    yield "ECDSA twice", forge.by_hand(header, lambda d: raw(d) * 2)
    for name in ("rsa", "ed", "p384"):
        algorithm = ALGORITHMS[name][0]
        token = forge.token(name, algorithm)
        head, body, signature = token.split(".")
        mine = part(forge.claims | {"sub": "root", "groups": ["admins"]})
        yield f"{algorithm} of other claims", f"{head}.{mine}.{signature}"
        yield f"{algorithm} of another header", f"{part({'alg': algorithm, 'kid': name, 'x': 1})}.{body}.{signature}"
        for size in (32, 64, 96, 256):
            for filled in (bytes(size), bytes([255]) * size):
                yield f"{algorithm} signed by {filled[0]}", f"{head}.{body}.{encode(filled)}"
    yield "RSA with bytes before", forge.by_hand(
        {"alg": "RS256", "kid": "rsa"}, lambda d: b"\0" + forge.rs256(d)
    )
    yield "RSA cut", forge.by_hand({"alg": "RS256", "kid": "rsa"}, lambda d: forge.rs256(d)[:-1])


def misspelt(forge: Forge) -> Cases:
    """RFC 8725, 3.7 and 3.11: one spelling only, one kind of token only."""
    token = forge.token()
    head, body, signature = token.split(".")
    bits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    loose = signature[:-1] + bits[bits.index(signature[-1]) ^ 1]
    for text in (f"{head}.{body}.{signature}=", f"{head}.{body}.{signature}==", f"{head}=.{body}.{signature}",
                 f"{head}.{body}.{loose}", f"{token}\n", f" {token}", f"{head} .{body}.{signature}",
                 f"{head}.{body[:9]}\n{body[9:]}.{signature}", f"{token}%00", f"Bearer {token}",
                 f"{head}.{body}.{signature[:9]}+{signature[9:]}", f"{head}%2E{body}.{signature}"):  # fmt: skip
        yield "misspelt", text
    five = ".".join([part({"alg": "RSA-OAEP", "enc": "A256GCM"}), "AAAA", "AAAA", "AAAA", "AAAA"])
    yield "an encrypted token", five
    yield "JSON serialization", json.dumps(
        {"payload": body, "signatures": [{"protected": head, "signature": signature}]}
    )
    rs256 = {"alg": "RS256", "kid": "rsa"}
    for more in ({"crit": ["exp"]}, {"crit": []}, {"crit": ["b64"], "b64": False}, {"crit": None},
                 {"crit": "x"}, {"b64": False, "crit": ["b64", "x"]}):  # fmt: skip
        yield f"header {more}", forge.by_hand(rs256 | more, forge.rs256)
    for kind in ("logout+jwt", "secevent+jwt", "dpop+jwt", "id_token+jwt", "JOSE+JSON", "JWE", "x",
                 "rt+jwt", "token-introspection+jwt", "oauth-authz-req+jwt"):  # fmt: skip
        yield f"typ {kind}", forge.by_hand(rs256 | {"typ": kind}, forge.rs256)
    for text in (b"", b"null", b"[]", b"\"x\"", b"1", b"{", b"{}", b"\xff\xfe{}", b"{\"sub\": \"\xff\"}",
                 b"[" * 8000, b"{\"a\":" * 2000, json.dumps(forge.claims).encode() + b"{}"):  # fmt: skip
        yield "a payload that is none", forge.by_hand(rs256, forge.rs256, payload=text)
    nested = forge.by_hand(rs256 | {"cty": "JWT"}, forge.rs256, payload=token.encode())
    yield "a token in a token", nested


def claims(forge: Forge) -> Cases:
    """RFC 8725, 3.8, 3.9 and 3.12: of this issuer, for this audience, of this kind, now."""
    now = int(time.time())
    rs256 = {"alg": "RS256", "kid": "rsa"}
    changed: list[dict[str, object]] = [
        {"iss": ISSUER + "/"}, {"iss": ISSUER.upper()}, {"iss": [ISSUER]}, {"iss": None}, {"iss": ""},
        {"aud": None}, {"aud": ""}, {"aud": "oauth2_prox"}, {"aud": "OAUTH2_PROXY"}, {"aud": "account"},
        {"aud": "oauth2_proxy account"}, {"aud": ["account"]}, {"aud": {"oauth2_proxy": 1}},
        {"aud": [["oauth2_proxy"]]}, {"sub": None}, {"sub": ""}, {"sub": 0}, {"sub": ["alice"]},
        {"sub": "a\nb"}, {"sub": "x" * 300}, {"exp": None}, {"exp": now - 60}, {"exp": 0}, {"exp": -1},
        {"exp": str(now + 60)}, {"exp": "never"}, {"exp": True}, {"exp": [now + 60]}, {"exp": 1e300},
        {"exp": 10**30}, {"nbf": now + 86_400}, {"iat": now + 86_400}, {"nbf": "x"}, {"nbf": 1e300},
        {"typ": "ID"}, {"typ": "Refresh"}, {"typ": "Offline"}, {"typ": "Logout"}, {"token_use": "id"},
        {"at_hash": "x"}, {"c_hash": "x"},
        {"events": {"http://schemas.openid.net/event/backchannel-logout": {}}},
    ]  # fmt: skip
    for change in changed:
        yield f"claims {str(change)[:60]}", forge.by_hand(
            rs256, forge.rs256, claims=forge.claims | change
        )
    for constant in ("NaN", "Infinity", "1e999"):
        text = json.dumps(forge.claims | {"exp": "@"}).replace('"@"', constant)
        yield f"exp {constant}", forge.by_hand(rs256, forge.rs256, payload=text.encode())


def write(file: Path) -> None:
    forge = Forge()
    attacks = (unsigned, confused, brought_along, signatures, misspelt, claims)
    file.write_text(
        json.dumps(
            {
                "issuer": ISSUER, "audience": AUDIENCE, "jwks": json.dumps(forge.jwks()),
                "good": [{"name": name, "token": token} for name, token in good(forge)],
                "attacks": [
                    {"name": f"{attack.__name__}: {name}", "token": token}
                    for attack in attacks
                    for name, token in attack(forge)
                ],
            }
        )
    )  # fmt: skip
