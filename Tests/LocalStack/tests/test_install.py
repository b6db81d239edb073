import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from stack.paths import LOCAL_STACK

TOOLS = ("bash", "cat", "cut", "dirname", "echo", "grep", "ls", "sha256sum", "xargs")
# One package is not there, one was removed and left its settings.
DPKG_QUERY = """
for last; do :; done
case $last in
    libgit2-dev) exit 1 ;;
    libpq-dev) printf 'deinstall ok config-files' ;;
    *) printf 'install ok installed' ;;
esac
"""
SAYS_LINE = "apt-get install -y --no-install-recommends libgit2-dev libpq-dev"


class InstallTests(unittest.TestCase):
    """The script in a clone of its own, where it finds only the programs it is shown."""

    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)
        self.programs = self.folder / "bin"
        self.programs.mkdir()
        for tool in TOOLS:
            (self.programs / tool).symlink_to(shutil.which(tool))
        self.program("swift", "exit 0")
        self.program("id", "echo 1000")
        self.program("dpkg-query", DPKG_QUERY)
        clone = self.folder / "Tests" / "LocalStack"
        clone.mkdir(parents=True)
        for file in ("install", "packages.txt", "requirements.txt", "requirements-tests.txt"):
            shutil.copy(LOCAL_STACK / file, clone)
        self.script = clone / "install"

    def program(self, name: str, text: str) -> None:
        file = self.programs / name
        file.write_text(f"#!/bin/sh\n{text}\n")
        file.chmod(0o755)

    def run_install(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.script, "run"], env={"PATH": str(self.programs)}, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=30, check=False,
        )

    def assert_stopped_with_line(self, done: subprocess.CompletedProcess[str]) -> None:
        self.assertEqual(done.returncode, 1)
        self.assertIn(SAYS_LINE, done.stderr)
        self.assertFalse((self.folder / ".local").exists())

    def test_without_sudo_it_prints_the_line_to_run_and_stops(self) -> None:
        self.assert_stopped_with_line(self.run_install())

    def test_a_sudo_that_refuses_is_as_good_as_none(self) -> None:
        self.program("sudo", 'echo "member may not run sudo" >&2; exit 1')
        self.assert_stopped_with_line(self.run_install())

    def test_with_sudo_it_installs_what_is_missing_and_nothing_else(self) -> None:
        log = self.folder / "apt.log"
        self.program("sudo", '[ "$1" = env ] || exit 0; shift 2; exec "$@"')
        self.program("apt-get", f'echo "$@" >> {log}; exit 9')
        self.run_install()
        self.assertEqual(log.read_text().split("recommends ")[-1], "libgit2-dev libpq-dev\n")

    def test_names_swift_where_it_is_missing(self) -> None:
        (self.programs / "swift").unlink()
        done = self.run_install()
        self.assertEqual(done.returncode, 1)
        self.assertIn("swift.org/install", done.stderr)
