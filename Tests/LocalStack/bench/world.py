"""What the sections measure with: the local stack's servers and our four processes, on free ports."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from stack import engines, postgres, tokens
from stack.component import Component, Stack, StackError, answers, base_environment
from stack.issuer import Issuer
from stack.ports import find_free
from stack.settings import read_file

COMMAND_SECONDS_MAX = 120
SERVICES = ("chat", "ingest", "admin", "gateway")


class Bench:
    """One run. Backing servers start when first asked for and end with it."""

    def __init__(self, folder: Path, binaries: Path) -> None:
        self.folder = folder
        self.binaries = binaries
        self.stack = Stack(folder)

    def close(self) -> None:
        self.stack.stop()
        postgres.forget(self.folder / "postgres")
        shutil.rmtree(self.folder, ignore_errors=True)

    @cached_property
    def postgres_port(self) -> int:
        """Without fsync: the disk's mood is not what is compared."""
        port = find_free()
        self.stack.start(postgres.component(self.folder / "postgres", port, is_durable=False))
        return port

    @cached_property
    def qdrant_url(self) -> str:
        port = find_free()
        self.stack.start(engines.qdrant(self.folder / "qdrant", port))
        return f"http://127.0.0.1:{port}"

    @cached_property
    def scripted_url(self) -> str:
        port = find_free()
        self.stack.start(engines.scripted_model(port))
        return f"http://127.0.0.1:{port}"

    @cached_property
    def issuer(self) -> Issuer:
        issuer = Issuer(self.folder / "issuer", find_free())
        self.stack.start(issuer.component())
        return issuer

    def embeddings_url(self, kind: str) -> str:
        port = find_free()
        self.stack.start(engines.embeddings(kind, port))
        return f"http://127.0.0.1:{port}"

    def database_url(self, name: str) -> str:
        """A database of the section's own."""
        postgres.ensure_database(self.postgres_port, name)
        return postgres.url(self.postgres_port, name)

    def sql(self, database: str, query: str) -> str:
        """One statement's one value, as text."""
        done = subprocess.run(
            [
                str(postgres.binaries() / "psql"), "--no-psqlrc", "--no-align", "--tuples-only",
                "--command", query, self.database_url(database),
            ],
            env=base_environment() | {"PGOPTIONS": "-c search_path=celine_assistant"},
            capture_output=True, text=True, timeout=COMMAND_SECONDS_MAX, check=False,
        )
        if done.returncode != 0:
            raise StackError(f"a query failed:\n{done.stderr}")
        return done.stdout.strip()

    def token(self, subject: str, group: str = "") -> str:
        claims = tokens.claims(subject, "", "", group, "")
        return tokens.mint(self.issuer.url, self.issuer.key_file, self.issuer.key_id, claims)

    @cached_property
    def gateway_keys(self) -> dict[str, str]:
        file = self.folder / "internal-keys.env"
        file.write_text(self.command("gateway", "generate-keys"))
        return read_file(file)

    def command(self, name: str, *arguments: str, **settings: str) -> str:
        done = subprocess.run(
            [str(self.binaries / name), *arguments], env=base_environment() | settings,
            capture_output=True, text=True, timeout=COMMAND_SECONDS_MAX, check=False,
        )
        if done.returncode != 0:
            raise StackError(f"{name} {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def settings(self, name: str, **more: str) -> dict[str, str]:
        """Of all four processes, as a section called `name` wants them. All models are scripted."""
        settings = {
            "APP_ENV": "dev", "LOG_LEVEL": "info",
            "DATABASE_URL": self.database_url(name),
            "QDRANT_URL": self.qdrant_url, "QDRANT_COLLECTION": name,
            "OPENAI_BASE_URL": f"{self.scripted_url}/v1", "OPENAI_API_KEY": "local",
            "OPENAI_CHAT_MODEL": f"{name}-chat", "CHAT_TITLES": "false",
            "OPENAI_EMBED_MODEL": f"{name}-passages", "OPENAI_EMBED_DIMENSIONS": "384",
            "OPENAI_EMBED_QUERY_MODEL": f"{name}-questions",
            "UPLOADS_URI": f"file://{self.folder / name / 'uploads'}",
            "TRAINING_MATERIALS_PATH": str(self.folder / name / "clone"),
            "OAUTH2_ISSUER": self.issuer.url,
        }
        return settings | self.gateway_keys | more

    def service(self, name: str, settings: dict[str, str], port: int) -> Component:
        """Ready as soon as it answers at all; the gateway, when the others do too."""
        hidden = {"INTERNAL_AUTH_KEY"} if name != "gateway" else set()
        path = "/health/ready" if name == "gateway" else "/internal/ready"
        given = {key: value for key, value in settings.items() if key not in hidden}
        self.folder.joinpath("services").mkdir(exist_ok=True)
        return Component(
            name=name,
            command=[str(self.binaries / name)],
            environment=given | {"HTTP_HOST": "127.0.0.1", "HTTP_PORT": str(port)},
            is_ready=answers(f"http://127.0.0.1:{port}{path}"),
            folder=self.folder / "services",
        )

    @contextmanager
    def services(self, name: str, **more: str) -> Iterator["Services"]:
        """All four, on a migrated database, while the block runs."""
        settings = self.settings(name, **more)
        self.command("admin", "migrate", **settings)
        ports = {service: find_free() for service in SERVICES}
        urls = {f"{s.upper()}_URL": f"http://127.0.0.1:{port}" for s, port in ports.items()}
        running = Stack(self.folder / name)
        try:
            *backing, gateway = [self.service(s, settings | urls, ports[s]) for s in SERVICES]
            running.start(*backing)
            running.start(gateway)
            yield Services(running, ports, settings)
        finally:
            running.stop()


class Services:
    """Four running processes."""

    def __init__(self, stack: Stack, ports: dict[str, int], settings: dict[str, str]) -> None:
        self.stack, self.ports, self.settings = stack, ports, settings

    @property
    def gateway_port(self) -> int:
        return self.ports["gateway"]

    @property
    def gateway_url(self) -> str:
        return f"http://127.0.0.1:{self.gateway_port}"

    def pids(self, *names: str) -> list[int]:
        return [process.pid for one, process, _ in self.stack.running if one.name in names]
