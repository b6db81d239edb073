"""python -m git_server.ssh --root FOLDER --port P --host-key F --authorized-keys F

Serves the repositories below the folder over ssh: who has a key of the file may read, and nothing else.
"""

import argparse
import asyncio
import os
import shlex
from pathlib import Path

import asyncssh

DEADLINE_SECONDS = 60


async def serve(process: asyncssh.SSHServerProcess, root: Path) -> None:
    words = shlex.split(process.command or "")
    if len(words) != 2 or words[0] != "git-upload-pack":
        process.exit(1)
        return
    repository = (root / words[1].lstrip("/")).resolve()
    if not repository.is_relative_to(root) or not repository.is_dir():
        process.exit(128)
        return
    git = await asyncio.create_subprocess_exec(
        "git", "upload-pack", str(repository), env={"PATH": os.environ.get("PATH", "/usr/bin:/bin")},
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )
    await process.redirect(stdin=git.stdin, stdout=git.stdout)
    process.exit(await asyncio.wait_for(git.wait(), DEADLINE_SECONDS))


async def main() -> None:
    parser = argparse.ArgumentParser(description="git over ssh")
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host-key", required=True)
    parser.add_argument("--authorized-keys", required=True)
    given = parser.parse_args()
    root = given.root.resolve()
    server = await asyncssh.listen(
        "127.0.0.1", given.port, server_host_keys=[given.host_key],
        authorized_client_keys=given.authorized_keys, password_auth=False, encoding=None,
        process_factory=lambda process: serve(process, root),
    )
    await server.wait_closed()


if __name__ == "__main__":
    asyncio.run(main())
