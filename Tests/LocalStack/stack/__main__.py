"""python -m stack run | stop | env | token | clean-state | test -- COMMAND …"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from stack import interrupts, postgres, run, running, test_stack
from stack.component import StackError
from stack.paths import LOCAL
from stack.settings import export_lines


def main() -> int:
    parser = argparse.ArgumentParser(prog="stack")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("run", "stop", "env", "clean-state"):
        commands.add_parser(name)
    token = commands.add_parser("token")
    for name in ("subject", "email", "name", "group", "claims"):
        token.add_argument(f"--{name}", default="")
    test = commands.add_parser("test", help="runs a command beside a test stack, or waits for Ctrl-C")
    test.add_argument("--folder", type=Path, help="keeps its state and its settings (env) there")
    test.add_argument("words", nargs="*", metavar="COMMAND")
    given = parser.parse_args()
    match given.command:
        case "run":
            return run.run()
        case "stop":
            running.stop()
        case "env":
            print(export_lines(running.settings()), end="")
        case "clean-state":
            running.clean_state()
        case "token":
            subject = given.subject or "alice"
            print(running.token(subject, given.email, given.name, given.group, given.claims))
        case "test":
            return test_command(given.folder, given.words)
    return 0


def test_command(folder: Path | None, command: list[str]) -> int:
    """The command's own exit code. A folder that was not named goes with the stack."""
    interrupts.as_keyboard_interrupt()
    LOCAL.mkdir(exist_ok=True)
    made = None if folder else Path(tempfile.mkdtemp(prefix="test-stack-", dir=LOCAL))
    kept = (folder or made).resolve()
    stack, settings = test_stack.start(kept)
    try:
        (kept / "env").write_text(export_lines(settings))
        if command:
            return subprocess.run(command, env=os.environ | settings, check=False).returncode
        print(f"The test stack is up: . {kept / 'env'}", flush=True)
        signal.pause()
        return 0
    except KeyboardInterrupt:
        # It came to whoever reads our output too.
        interrupts.silence()
        return 130
    finally:
        interrupts.ignored()
        stack.stop()
        if made:
            postgres.forget(kept / "postgres")
            shutil.rmtree(kept, ignore_errors=True)


try:
    sys.exit(main())
except StackError as problem:
    print(f"\n{problem}", file=sys.stderr)
    sys.exit(1)
except KeyboardInterrupt:
    sys.exit(130)
