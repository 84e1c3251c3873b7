"""Roots in files: two mirrors, the changes that they go through, and a look past the vault at the files.

A test module takes the fixtures by their names: `paths, root = root_files.paths, root_files.root`.
"""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

import pytest

from vault.roots import Erased, RootState
from vault.roots.file import FileRoot
from vault.roots.file_format import Document
from vault.roots.file_lines import understand

VAULT = b"v" * 16
HOLDER = b"h" * 16
KEY = b"k" * 32
AAD = b"place"


@pytest.fixture
def paths(tmp_path: Path) -> tuple[Path, Path]:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    return tmp_path / "a" / "root.key", tmp_path / "b" / "root.key"


@pytest.fixture
def root(paths: tuple[Path, Path]) -> FileRoot:
    root = FileRoot(paths)
    root.create(VAULT, HOLDER, 1)
    return root


def entry(label: str) -> Erased:
    return Erased(intent=label.encode(), kind="user", nodes=(b"n",), slot=b"s", pseudonym=label, at=5)


def swap(root: FileRoot, *labels: str) -> bytes:
    """Stage and promote one generation."""
    ordinal = root.load().generations[-1].ordinal + 1
    new = root.stage(ordinal, tuple(entry(label) for label in labels), ordinal * 10)
    root.promote(new.id, ordinal * 10 + 1)
    return new.id


def phases(state: RootState) -> list[tuple[int, str]]:
    return [(one.ordinal, one.phase.value) for one in state.generations]


def document(path: Path) -> Document:
    return understand(path.read_bytes(), str(path)).document


def remains(*paths: Path) -> list[str]:
    """What lies beside the roots and their locks."""
    own = {name for path in paths for name in (path.name, f".{path.name}.lock")}
    return sorted(found.name for path in paths for found in path.parent.iterdir() if found.name not in own)


def key_of(path: Path, ordinal: int) -> bytes:
    return next(b64encode(one.key) for one in document(path).generations if one.ordinal == ordinal)


def holding(directory: Path, key: bytes) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file() and key in path.read_bytes()]
