"""Which settings the services get, and from where each came."""

import os
import shlex
from pathlib import Path

from stack.component import StackError

# Where a setting came from, the weakest first.
FILE, INHERITED, ARGUMENT = ".env.local", "environment", "argument"

NAMES = frozenset(
    """
    DATABASE_URL QDRANT_URL QDRANT_API_KEY QDRANT_COLLECTION
    OPENAI_API_KEY OPENAI_BASE_URL OPENAI_CHAT_MODEL OPENAI_EMBED_MODEL OPENAI_VISION_MODEL
    OPENAI_EMBED_BASE_URL OPENAI_EMBED_API_KEY OPENAI_EMBED_DIMENSIONS
    OPENAI_EMBED_QUERY_MODEL OPENAI_EMBED_QUERY_BASE_URL EMBED_BATCH_SIZE
    UPLOADS_URI MAX_UPLOAD_MB UPLOAD_WAIT_SECONDS UPLOADS_ENCRYPTION_KEY
    S3_ENDPOINT_URL S3_ACCESS_KEY_ID S3_SECRET_ACCESS_KEY S3_REGION
    OAUTH2_ISSUER OAUTH2_JWKS_URL OAUTH2_AUDIENCE OAUTH2_ALGORITHMS OAUTH2_JWT_COOKIE_NAME
    ADMIN_GROUP ADMIN_ROLE TRAINING_MATERIALS_REPO_URL TRAINING_MATERIALS_REF TRAINING_MATERIALS_PATH
    TRAINING_MATERIALS_SYNC_ON_START CHAT_HISTORY_LIMIT CHAT_ANSWERS_PER_USER CHAT_DAILY_TOKEN_LIMIT APP_ENV LOG_LEVEL
    PUBLIC_ORIGINS CORS_ALLOWED_ORIGINS TRUSTED_PROXIES INGEST_ROLES INGEST_CONCURRENCY
    CHAT_REWRITE CHAT_TITLES RERANK_URL RERANK_MODEL RERANK_API_KEY CHAT_SYSTEM_PROMPT CHAT_TEMPERATURE
    CHAT_OUTPUT_TOKENS_MAX DATABASE_CONNECTIONS EMBED_WINDOW_TOKENS EXTRACT_MEMORY_MB EXTRACT_SECONDS
    EXTRACT_TEXT_MB RRF_K RRF_WEIGHTS TRAINING_MATERIALS_GIT_SECONDS CELINE_OIDC_JWKS_URI CELINE_OIDC_AUDIENCE PORT
    EMBED_CONCURRENCY GENERATIONS_KEPT REINDEX_OVERLAP_MIN EXTRACT_PAGES EXTRACT_MEGAPIXELS EXTRACT_OCR_PAGES EXTRACT_OCR_SECONDS
    USER_STORAGE_MB USER_FILES_MAX USER_UPLOADS_MAX RETENTION_UPLOAD_DAYS
    RETENTION_CONVERSATION_DAYS RETENTION_AUDIT_DAYS
    TRAINING_MATERIALS_SYNC_SECONDS TRAINING_MATERIALS_TOKEN TRAINING_MATERIALS_TOKEN_HOST
    TRAINING_MATERIALS_TOKEN_USER TRAINING_MATERIALS_SSH_KEY_FILE TRAINING_MATERIALS_SSH_KNOWN_HOSTS_FILE
    TRAINING_MATERIALS_ALLOW_PRIVATE TRAINING_MATERIALS_SITE_URL
    TRAINING_MATERIALS_REPO_MB TRAINING_MATERIALS_PAGES TRAINING_MATERIALS_PAGE_KB
    DOCS_VIEWER METRICS_PORT STOP_DELAY_SECONDS UPSTREAM_CHECK_SECONDS
    MAX_HEADER_KB MAX_HEADERS MAX_URL_KB MAX_BODY_KB HEADER_SECONDS IDLE_SECONDS REQUEST_SECONDS
    CONNECTIONS_MAX CONNECTIONS_PER_ADDRESS REQUESTS_PER_USER REQUESTS_PER_ADDRESS STREAMS_PER_USER
    """.split()
)


class GivenSettings:
    """What a person set: in the file, on make's command line, and, only if asked, in the shell."""

    def __init__(self, file: Path) -> None:
        self.values: dict[str, str] = {}
        self.origins: dict[str, str] = {}
        self._take(read_file(file), FILE)
        arguments = os.environ.get("LOCAL_STACK_ARGUMENTS", "").split()
        if os.environ.get("USE_ENV") == "1":
            self._take({name: os.environ.get(name, "") for name in NAMES}, INHERITED)
        # Any may be given by name, but for the one that is about the others.
        self._take({n: os.environ.get(n, "") for n in arguments if n != "USE_ENV"}, ARGUMENT)
        unused = NAMES & os.environ.keys() - self.values.keys() - set(arguments)
        self.ignored = sorted(name for name in unused if os.environ[name])

    def _take(self, values: dict[str, str], origin: str) -> None:
        for name, value in values.items():
            if value:
                self.values[name] = value
                self.origins[name] = origin

    def describe(self) -> list[str]:
        """Names only: values may be secrets."""
        lines = [f"{name} from {self.origins[name]}" for name in sorted(self.values)]
        if self.ignored:
            lines.append(f"ignored without USE_ENV=1: {', '.join(self.ignored)}")
        return lines


def read_file(file: Path) -> dict[str, str]:
    """Lines of NAME=VALUE, quoted as in a shell, `export` allowed."""
    values: dict[str, str] = {}
    for number, line in enumerate(file.read_text().splitlines() if file.exists() else [], 1):
        stripped = line.strip().removeprefix("export ").strip()
        if not stripped or stripped.startswith("#"):
            continue
        name, separator, raw = stripped.partition("=")
        if not separator or not name.replace("_", "").isalnum():
            raise StackError(f"{file.name}, line {number}: NAME=VALUE is wanted")
        try:
            values[name.strip()] = " ".join(shlex.split(raw, comments=True))
        except ValueError as problem:
            raise StackError(f"{file.name}, line {number}: {problem}") from None
    return values


def export_lines(values: dict[str, str]) -> str:
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in sorted(values.items()))
