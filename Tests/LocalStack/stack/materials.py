"""A git repository made of the sample pages, for a stack that was given no other."""

import shutil
import subprocess
from pathlib import Path

from stack.component import StackError, base_environment
from stack.paths import REPOSITORY

PAGES = REPOSITORY / "Tests" / "Fixtures" / "training-materials"

IDENTITY = {
    "GIT_AUTHOR_NAME": "Local stack",
    "GIT_AUTHOR_EMAIL": "local@example.org",
    "GIT_COMMITTER_NAME": "Local stack",
    "GIT_COMMITTER_EMAIL": "local@example.org",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
}


def ensure_repository(folder: Path) -> None:
    """Its branch `main` holds the pages as they are now; commits of the developer's own stay."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / ".git").exists():
        git(folder, "init", "--quiet", "--initial-branch", "main")
    elif git(folder, "log", "-1", "--format=%ae").strip() != IDENTITY["GIT_AUTHOR_EMAIL"]:
        return
    for one in folder.iterdir():
        if one.name != ".git":
            shutil.rmtree(one) if one.is_dir() else one.unlink()
    shutil.copytree(PAGES, folder, dirs_exist_ok=True)
    git(folder, "add", "--all")
    if git(folder, "status", "--porcelain"):
        git(folder, "commit", "--quiet", "--message", "Copy the sample pages")


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env=base_environment() | IDENTITY,
        capture_output=True, text=True, check=False,
    )
    if done.returncode != 0:
        raise StackError(f"git {' '.join(arguments)} failed: {done.stderr.strip()}")
    return done.stdout
