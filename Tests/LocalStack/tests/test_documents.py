import re
import unittest

from stack.paths import LOCAL_STACK, REPOSITORY
from stack.settings import NAMES

SETTING = re.compile(r'"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)"')
# Set by the image, or for one process alone.
OWN = {"HTTP_HOST", "HTTP_PORT"}
# Paths of files: compose has none to name, or the image has set them.
NOT_IN_COMPOSE = {
    "SSL_CERT_FILE", "TLS_CERTIFICATE_FILE", "TLS_KEY_FILE", "DOCS_VIEWER",
    "TRAINING_MATERIALS_SSH_KEY_FILE", "TRAINING_MATERIALS_SSH_KNOWN_HOSTS_FILE",
}


def read_settings() -> set[str]:
    """The names that stand in the services' settings, and in those they share."""
    files = [
        file
        for folder in ("Services", "Shared")
        for file in (REPOSITORY / folder).rglob("*Setting*.swift")
        if not file.name.startswith("Old")
    ]
    return {name for file in files for name in SETTING.findall(file.read_text())}


def told_in(name: str, names: set[str]) -> list[str]:
    """Those that a file does not name."""
    words = set(re.findall(r"\w+", (REPOSITORY / name).read_text()))
    return sorted(names - words)


class DocumentsTests(unittest.TestCase):
    def test_the_readme_names_the_packages_that_are_installed(self) -> None:
        lines = (LOCAL_STACK / "packages.txt").read_text().splitlines()
        packages = [line for line in lines if not line.startswith("#")]
        readme = (REPOSITORY / "README.md").read_text().splitlines()
        self.assertIn(f"apt-get install {' '.join(packages)}", readme)

    def test_the_readme_names_every_setting(self) -> None:
        self.assertEqual(told_in("README.md", read_settings()), [])

    def test_compose_passes_every_setting_on(self) -> None:
        self.assertEqual(told_in("compose.yaml", read_settings() - OWN - NOT_IN_COMPOSE), [])

    def test_make_run_tells_every_setting_that_it_ignores(self) -> None:
        # A certificate file is not ignored, and keys of the local stack are its own.
        own = OWN | {"SSL_CERT_FILE", "INTERNAL_AUTH_KEY", "INTERNAL_AUTH_PUBLIC_KEYS"}
        own |= {"TLS_CERTIFICATE_FILE", "TLS_KEY_FILE"}
        addresses = {"CHAT_URL", "INGEST_URL", "ADMIN_URL"}
        self.assertEqual(sorted(read_settings() - own - addresses - NAMES), [])
