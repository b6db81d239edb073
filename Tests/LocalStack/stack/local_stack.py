"""`make run`: the backing servers that were not given, then the four services."""

import subprocess
from pathlib import Path

from stack import build, engines, materials, postgres
from stack.component import Component, Stack, StackError, answers, base_environment
from stack.issuer import Issuer
from stack.paths import DOCS_VIEWER, RELEASE, RUN, STATE
from stack.ports import RememberedPorts, find_free, obstacle
from stack.settings import GivenSettings, read_file

DATABASE = "celine"
GATEWAY_PORT = 8000
SERVICE_PORTS = {"chat": 8101, "ingest": 8102, "admin": 8103}


class LocalStack:
    """One start. After `start`, `settings` is what the services were given."""

    def __init__(self, given: GivenSettings) -> None:
        self.given = given
        self.stack = Stack(RUN)
        self.ports = RememberedPorts(STATE / "ports.json")
        self.settings = {"APP_ENV": "dev", "LOG_LEVEL": "info"}
        if "TLS_CERTIFICATE_FILE" in given.values:
            raise StackError("The local stack speaks plain HTTP: leave TLS_CERTIFICATE_FILE unset.")
        self.settings |= {k: v for k, v in given.values.items() if k != "PORT"}
        self.gateway_port = self._gateway_port(given.values.get("PORT", ""))
        self.issuer: Issuer | None = None

    def _gateway_port(self, given: str) -> int:
        try:
            port = int(given or GATEWAY_PORT)
        except ValueError:
            raise StackError(f"PORT must be a number, not {given}") from None
        if (reason := obstacle(port)) is not None:
            raise StackError(f"{reason}\nA free one: make run PORT={find_free()}")
        return port

    @property
    def address(self) -> str:
        return f"http://localhost:{self.gateway_port}"

    def start_backing_servers(self) -> None:
        components = [
            *self._postgres(), *self._qdrant(), *self._models(), *self._issuer(),
        ]
        self.stack.start(*components)
        if "DATABASE_URL" not in self.given.values:
            postgres.ensure_database(self.ports.ports["postgres"], DATABASE)

    def _postgres(self) -> list[Component]:
        if "DATABASE_URL" in self.given.values:
            return []
        port = self.ports.port("postgres")
        self.settings["DATABASE_URL"] = postgres.url(port, DATABASE)
        return [postgres.component(STATE / "postgres", port, is_durable=True)]

    def _qdrant(self) -> list[Component]:
        if "QDRANT_URL" in self.given.values:
            return []
        port = self.ports.port("qdrant")
        self.settings["QDRANT_URL"] = f"http://127.0.0.1:{port}"
        return [engines.qdrant(STATE / "qdrant", port)]

    def _models(self) -> list[Component]:
        """A given chat endpoint brings no embeddings with it unless their model is given too."""
        has_embeddings = {"OPENAI_EMBED_BASE_URL", "OPENAI_EMBED_MODEL"} & self.given.values.keys()
        has_chat = "OPENAI_BASE_URL" in self.given.values
        components: list[Component] = []
        questions = self.ports.port("embeddings-query")
        questions_url = f"http://127.0.0.1:{questions}/v1"
        if not has_embeddings:
            passages = self.ports.port("embeddings-passage")
            components.append(engines.embeddings("passage", passages))
            self.settings |= {
                "OPENAI_EMBED_BASE_URL": f"http://127.0.0.1:{passages}/v1",
                "OPENAI_EMBED_MODEL": "e5-passage",
                "OPENAI_EMBED_QUERY_BASE_URL": questions_url,
                "OPENAI_EMBED_QUERY_MODEL": "e5-query",
                "OPENAI_EMBED_DIMENSIONS": "384",
                "EMBED_BATCH_SIZE": "2",
            }
        if not has_embeddings or not has_chat:
            components.append(engines.embeddings("query", questions))
        if not has_chat:
            port = self.ports.port("extractive-model")
            components.append(engines.extractive_model(port, questions_url))
            self.settings |= {
                "OPENAI_BASE_URL": f"http://127.0.0.1:{port}/v1",
                "OPENAI_CHAT_MODEL": "extractive",
            }
        self.settings.setdefault("OPENAI_API_KEY", "local")
        return components

    def _issuer(self) -> list[Component]:
        if {"OAUTH2_ISSUER", "OAUTH2_JWKS_URL"} & self.given.values.keys():
            return []
        self.issuer = Issuer(STATE / "issuer", self.ports.port("issuer"))
        self.settings["OAUTH2_ISSUER"] = self.issuer.url
        return [self.issuer.component()]

    def prepare(self) -> None:
        """What the services need besides servers: folders, keys, pages, tables."""
        self.settings.setdefault("UPLOADS_URI", f"file://{STATE / 'uploads'}")
        self.settings.setdefault("TRAINING_MATERIALS_PATH", str(STATE / "training-materials-clone"))
        if "TRAINING_MATERIALS_REPO_URL" not in self.settings:
            folder = STATE.parent / "training-materials"
            materials.ensure_repository(folder)
            self.settings["TRAINING_MATERIALS_REPO_URL"] = f"file://{folder}"
        self.settings.setdefault("TRAINING_MATERIALS_ALLOW_PRIVATE", "true")
        self.settings.setdefault("DOCS_VIEWER", str(DOCS_VIEWER))
        self.settings |= internal_keys(STATE / "internal-keys.env")
        for name, preferred in SERVICE_PORTS.items():
            port = self.ports.port(name, preferred)
            self.settings[f"{name.upper()}_URL"] = f"http://127.0.0.1:{port}"
        run_command("admin", "migrate", environment=self.service_settings("admin"))

    def start_services(self) -> None:
        names = {"gateway": self.gateway_port} | {n: self.ports.ports[n] for n in SERVICE_PORTS}
        backing = [self._service(n, port) for n, port in names.items() if n != "gateway"]
        self.stack.start(*backing)
        self.stack.start(self._service("gateway", self.gateway_port))

    def _service(self, name: str, port: int) -> Component:
        path = "/health/ready" if name == "gateway" else "/internal/health"
        return Component(
            name=name,
            command=[str(RELEASE / name)],
            environment=self.service_settings(name)
            | {"HTTP_HOST": "127.0.0.1", "HTTP_PORT": str(port)},
            is_ready=answers(f"http://127.0.0.1:{port}{path}"),
            folder=STATE,
            ready_seconds=90,
            # A service gives what it is doing 25 seconds to end.
            stop_seconds=30,
        )

    def service_settings(self, name: str) -> dict[str, str]:
        """The signing key is the gateway's alone, and each has a port of its own for its metrics."""
        hidden = {"INTERNAL_AUTH_KEY"} if name != "gateway" else set()
        settings = {k: v for k, v in self.settings.items() if k not in hidden}
        if port := settings.get("METRICS_PORT"):
            settings["METRICS_PORT"] = str(int(port) + build.PRODUCTS.index(name))
        return settings


def internal_keys(file: Path) -> dict[str, str]:
    """Made once; the gateway signs with one, the services verify with the other."""
    if not file.exists():
        printed = run_command("gateway", "generate-keys", environment={})
        temporary = file.with_suffix(".new")
        temporary.touch(mode=0o600)
        temporary.write_text(printed)
        temporary.replace(file)
    return read_file(file)


def run_command(name: str, *arguments: str, environment: dict[str, str]) -> str:
    done = subprocess.run(
        [str(RELEASE / name), *arguments], env=base_environment() | environment, cwd=STATE,
        capture_output=True, text=True, timeout=120, check=False,
    )
    if done.returncode != 0:
        raise StackError(f"{name} {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout
