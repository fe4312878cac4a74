"""Files that only their owner may read: secrets, addresses and process records of the local stack."""

import json
import os
import secrets
from pathlib import Path
from typing import Any


def private_directory(path: Path) -> Path:
    """Makes ``path`` with mode 0700 where it is missing; a directory that exists keeps its permissions."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def write_private(path: Path, content: str | bytes) -> None:
    """Replaces ``path`` by ``content`` (text as UTF-8) in one step, so that no reader sees half of it; mode 0600."""
    private_directory(path.parent)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
    draft.replace(path)


def open_private_log(path: Path) -> int:
    """Opens ``path`` for appending and returns the descriptor, which the caller closes; mode 0600 when new."""
    private_directory(path.parent)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def kept_secret(path: Path, *, bytes_of_entropy: int = 32) -> str:
    """The secret in ``path``, drawn on first use and kept: URL-safe text."""
    if not path.exists():
        write_private(path, secrets.token_urlsafe(bytes_of_entropy))
    return path.read_text(encoding="utf-8")


def write_record(path: Path, record: dict[str, Any]) -> None:
    """Writes ``record`` as a private JSON file."""
    write_private(path, json.dumps(record, indent=2) + "\n")


def read_record(path: Path) -> dict[str, Any] | None:
    """The record that ``write_record`` left in ``path``; none where there is no such file."""
    if not path.exists():
        return None
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return record
