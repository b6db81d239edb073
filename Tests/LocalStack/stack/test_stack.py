"""The servers that the tests use, on free ports, with a state that goes when they do."""

from pathlib import Path

from stack import attack_tokens, engines, postgres
from stack.component import Stack
from stack.issuer import Issuer
from stack.paths import DOCS_VIEWER, LOCAL_STACK, REPOSITORY, VENV_BIN
from stack.ports import RememberedPorts


def start(folder: Path) -> tuple[Stack, dict[str, str]]:
    """The running stack and the variables by which tests find it."""
    folder.mkdir(parents=True, exist_ok=True)
    stack = Stack(folder)
    ports = RememberedPorts(folder / "ports.json")
    local = {name: f"http://127.0.0.1:{ports.port(name)}" for name in NAMES}
    issuer = Issuer(folder / "issuer", ports.port("issuer"))
    try:
        stack.start(
            postgres.component(folder / "postgres", ports.ports["postgres"], is_durable=False),
            engines.qdrant(folder / "qdrant", ports.ports["qdrant"]),
            engines.s3(folder / "s3", ports.ports["s3"]),
            engines.embeddings("query", ports.ports["embeddings-query"]),
            engines.embeddings("passage", ports.ports["embeddings-passage"]),
            engines.extractive_model(
                ports.ports["extractive-model"], f"{local['embeddings-query']}/v1"
            ),
            engines.scripted_model(ports.ports["scripted-model"]),
            engines.llama(ports.ports["llama"]),
            issuer.component(),
        )
    except BaseException:
        stack.stop()
        raise
    tokens = folder / "tokens.json"
    attack_tokens.write(tokens)
    return stack, {
        "TEST_TOKENS_FILE": str(tokens),
        "TEST_DATABASE_URL": postgres.url(ports.ports["postgres"], "postgres"),
        "TEST_QDRANT_URL": local["qdrant"],
        "TEST_S3_URL": local["s3"],
        "TEST_S3_BUCKET": engines.S3_BUCKET,
        "TEST_S3_ACCESS_KEY_ID": engines.S3_KEYS[0],
        "TEST_S3_SECRET_ACCESS_KEY": engines.S3_KEYS[1],
        "TEST_EMBED_QUESTION_URL": f"{local['embeddings-query']}/v1",
        "TEST_EMBED_PASSAGE_URL": f"{local['embeddings-passage']}/v1",
        "TEST_CHAT_URL": f"{local['extractive-model']}/v1",
        "TEST_SCRIPTED_URL": f"{local['scripted-model']}/v1",
        "TEST_LLAMA_URL": f"{local['llama']}/v1",
        "TEST_OIDC_URL": issuer.url,
        "TEST_OIDC_KEY_FILE": str(issuer.key_file),
        "TEST_OIDC_KEY_ID": issuer.key_id,
        "TEST_STACK_DIR": str(folder),
        "TEST_DOCS_VIEWER": str(DOCS_VIEWER),
        "TEST_TOOLS": str(VENV_BIN),
        "TEST_SCHEMATHESIS_CONFIG": str(LOCAL_STACK / "schemathesis.toml"),
        "TEST_BINARIES": str(REPOSITORY / ".build" / "debug"),
    }


NAMES = (
    "postgres", "qdrant", "s3", "embeddings-query", "embeddings-passage", "extractive-model",
    "scripted-model", "llama", "issuer",
)
