"""nanoidp, a real OIDC provider, with its keys where `make token` finds them."""

from pathlib import Path

import yaml

from stack.component import Component, answers
from stack.paths import VENV_BIN

AUDIENCE = "oauth2_proxy"


class Issuer:
    """One provider: its folder, its address, its signing key."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    @property
    def key_file(self) -> Path:
        return self.folder / "keys" / "rsa_private.pem"

    @property
    def key_id(self) -> str:
        return (self.folder / "keys" / "kid.txt").read_text().strip()

    def component(self) -> Component:
        self._configure()
        return Component(
            name="issuer",
            command=[
                str(VENV_BIN / "nanoidp"), "--host", "127.0.0.1", "--port", str(self.port),
                "--config", str(self.folder),
            ],
            is_ready=answers(f"{self.url}/.well-known/openid-configuration"),
            folder=self.folder,
        )

    def _configure(self) -> None:
        """Written at every start: the issuer's name holds its port."""
        (self.folder / "keys").mkdir(parents=True, exist_ok=True)
        client = {"client_id": "local", "client_secret": "local", "description": "local stack"}
        settings = {
            "config_version": 1,
            "server": {"host": "127.0.0.1", "port": self.port},
            "oauth": {
                "issuer": self.url,
                "audience": AUDIENCE,
                "token_expiry_minutes": 60,
                "clients": [client],
            },
            "jwt": {"keys_dir": str(self.folder / "keys")},
        }
        users = {"admin": {"password": "admin", "email": "admin@example.org", "groups": ["admins"]}}
        write(self.folder / "settings.yaml", settings)
        write(self.folder / "users.yaml", {"config_version": 1, "users": users})


def write(file: Path, document: dict[str, object]) -> None:
    file.write_text(yaml.safe_dump(document, sort_keys=False))
