"""Where settings come from: arguments, then TRANSCRIPT_VAULT_* variables, then vault.toml, then defaults.

Key material never comes from a variable: a root is named by its URI, a passphrase by its file.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from vault.errors import ConfigError
from vault.messages import DEFAULT_LIMIT

FILE = "vault.toml"
_UNFINISHED = f".{FILE}."
DEFAULT_HORIZON = "7d"
VARIABLES = "TRANSCRIPT_VAULT_"
_UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}
_KNOWN = frozenset({"transcripts", "keyring", "root", "horizon", "limit", "policies", "redaction"})

SHIPPED = ("default", "gdpr", "hipaa", "pci", "short-lived")  # policies that come with the vault
DEFAULT_ROOT = "file:root.key"
_PLACES = {"transcripts": "transcripts.db", "keyring": "keyring.db", "root": DEFAULT_ROOT}

TEMPLATE = """\
# A transcript vault. Relative paths are relative to this file.

# Sealed messages: a file, or a URL such as postgresql+psycopg://user@host/name
transcripts = {transcripts}

# Keys: in another database than the transcripts
keyring = {keyring}

# The key over all keys, with its mirrors: file:/mnt/a/root.key,/mnt/b/root.key
# Under a passphrase, which a file holds: file:/mnt/a/root.key,/mnt/b/root.key?passphrase-file=/path
root = {root}

# How old a keyring backup may be and still be restored
horizon = {horizon}

# How long messages are kept: a policy, a list of them, or a directory of *.yaml. Without one all is kept.
# policies = "policies"
"""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the three stores are, and the limits. Times are microseconds."""

    transcripts: str
    keyring: str
    root: str
    base: Path
    horizon: int
    limit: int
    redaction: Mapping[str, Any]
    policies: tuple[Path, ...] = ()


def parse_horizon(text: str | float) -> int:
    """Read the horizon, a duration such as 7d, 12h or 0; give microseconds."""
    hint = "a number and a unit: 90s, 30min, 12h, 7d, 2w, or 0"
    found = re.fullmatch(r"(\d{1,9})(s|m|min|h|d|w|)", str(text).strip())
    if found is not None and found[2] == "m":
        raise ConfigError("in this horizon m may be minutes or months", hint=f"{hint}; 180d for six months")
    if found is None or (found[2] == "" and int(found[1]) != 0):
        raise ConfigError("the horizon is not a duration", hint=hint)
    return int(found[1]) * _UNITS.get(found[2], 0) * 1_000_000


def read_settings(where: str | os.PathLike[str] | None, given: Mapping[str, Any]) -> Settings:
    """Put the settings of a vault together; `where` is its directory, or the URL of its transcripts."""
    target = where if where is not None else os.environ.get(VARIABLES + "VAULT")
    if target is None:
        raise ConfigError(
            "no vault is named", hint="give a directory or a database URL, or set TRANSCRIPT_VAULT_VAULT"
        )
    from_variables = {
        name: os.environ[VARIABLES + name.upper()]
        for name in _KNOWN - {"redaction"}
        if VARIABLES + name.upper() in os.environ
    }
    explicit = {name: value for name, value in given.items() if value is not None}
    if is_url(target):
        base, from_file = Path.cwd(), {"transcripts": str(target)}
    else:
        base = Path(target).absolute()
        from_file = {**_PLACES, **_read_file(base)}
    merged = {**from_file, **from_variables, **explicit}
    for name in ("keyring", "root"):
        if name not in merged:
            raise ConfigError(
                f"a vault on a database server needs {name}=",
                hint="keyring= is a second database; root= is file:/path/root.key, outside both",
            )
    limit = merged.get("limit", DEFAULT_LIMIT)
    if not re.fullmatch(r"[0-9]{1,18}", str(limit)) or int(limit) == 0:
        raise ConfigError("limit is a number of bytes")
    return Settings(
        transcripts=as_url(str(merged["transcripts"]), base),
        keyring=as_url(str(merged["keyring"]), base),
        root=str(merged["root"]),
        base=base,
        horizon=parse_horizon(merged.get("horizon", DEFAULT_HORIZON)),
        limit=int(limit),
        redaction=merged.get("redaction", {}),
        policies=_policies(explicit, from_variables, from_file, base),
    )


def _policies(
    explicit: Mapping[str, Any], variables: Mapping[str, str], file: Mapping[str, Any], base: Path
) -> tuple[Path, ...]:
    """Give the policy files; relative paths in vault.toml are relative to it."""
    if "policies" in explicit:
        return policy_files(explicit["policies"])
    if "policies" in variables:
        return policy_files([one for one in variables["policies"].split(os.pathsep) if one])
    return policy_files(file.get("policies", ()), base)


def policy_files(given: object, base: Path = Path()) -> tuple[Path, ...]:
    """Give the files that are meant by a path, a list of paths or a directory of *.yaml."""
    listed = [given] if isinstance(given, str | os.PathLike) else given
    if not isinstance(listed, Sequence) or not all(isinstance(one, str | os.PathLike) for one in listed):
        raise ConfigError("policies is a path, a list of paths, or a directory of *.yaml")
    found: list[Path] = []
    for one in map(Path, listed):
        try:
            place = one if str(one) in SHIPPED and not (base / one).exists() else base / one
            inside = sorted([*place.glob("*.yaml"), *place.glob("*.yml")]) if place.is_dir() else [place]
        except OSError as error:
            raise ConfigError(f"policies can't be looked for at {one}: {error.strerror}") from None
        if not inside:
            raise ConfigError(f"there is no *.yaml in {place}", hint="policies/default.yaml is a start")
        found += inside
    return tuple(found)


def is_url(where: str | os.PathLike[str]) -> bool:
    """Tell a database URL from a directory."""
    return isinstance(where, str) and "://" in where


def make_directory(  # noqa: PLR0913 (one for each line of vault.toml)
    directory: Path,
    *,
    transcripts: str | None = None,
    keyring: str | None = None,
    root: str | None = None,
    horizon: str | None = None,
    beside: Collection[str] = (),
) -> None:
    """Make the directory of a new vault, with its vault.toml; refuse one that holds more than `beside`.

    Where both databases lie elsewhere it may hold anything.
    """
    horizon = DEFAULT_HORIZON if horizon is None else horizon
    parse_horizon(horizon)
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        inside = {entry.name for entry in directory.iterdir()} - set(beside)
    except OSError as error:
        raise ConfigError(f"the directory can't be made: {error.strerror}") from error
    if FILE in inside:
        return  # another process was faster
    is_elsewhere = is_url(transcripts or "") and is_url(keyring or "")
    if not is_elsewhere and any(not name.startswith(_UNFINISHED) for name in inside):
        raise ConfigError(
            "this directory is not a vault, and it is not empty",
            hint="name an empty or a new directory",
        )
    said = {"transcripts": transcripts, "keyring": keyring, "root": root, "horizon": horizon}
    # JSON's strings are TOML's.
    quoted = {
        name: json.dumps(value or _PLACES.get(name), ensure_ascii=False) for name, value in said.items()
    }
    try:
        _write_at_once(directory, TEMPLATE.format(**quoted))
    except OSError as error:
        raise ConfigError(f"vault.toml can't be written: {error.strerror}") from error


def _write_at_once(directory: Path, text: str) -> None:
    """Make vault.toml whole or not at all, for readers and for a crash (P8); the first one stays."""
    new = directory / f"{_UNFINISHED}{secrets.token_hex(8)}"
    _write_new(new, text)
    try:
        (directory / FILE).hardlink_to(new)
    except FileExistsError:
        pass
    except OSError:  # a file system without links
        new.replace(directory / FILE)
    new.unlink(missing_ok=True)


def _write_new(path: Path, text: str) -> None:
    # Only for its owner: a URL in it may hold a password.
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def write_setting(directory: Path, name: str, value: str) -> None:
    """Change one setting in vault.toml, whole or not at all; what else it says, comments too, stays."""
    path = directory / FILE
    line = f"{name} = {json.dumps(value, ensure_ascii=False)}"
    try:
        text = path.read_text(encoding="utf-8")
        changed, times = re.subn(rf"(?m)^{name}[ \t]*=.*$", lambda _: line, text, count=1)
        if not times:
            changed = f"{line}\n{text}"  # ahead of every table
        if tomllib.loads(changed) != {**tomllib.loads(text), name: value}:
            raise ConfigError("vault.toml can't be changed line by line", hint=f"write there: {line}")
        new = directory / f"{_UNFINISHED}{secrets.token_hex(8)}"
        _write_new(new, changed)
        new.replace(path)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"vault.toml can't be changed: {error}", hint=f"write there: {line}") from None


def is_vault(directory: Path) -> bool:
    """Say whether a directory has a vault.toml."""
    return (directory / FILE).is_file()


def _read_file(base: Path) -> dict[str, Any]:
    try:
        settings = tomllib.loads((base / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            "this directory is not a vault: it has no vault.toml", hint="vault init makes one"
        ) from None
    except NotADirectoryError:
        raise ConfigError(
            "a vault is a directory, and this is a file", hint="name the directory in which vault.toml is"
        ) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"vault.toml can't be read: {error}") from None
    unknown = sorted(set(settings) - _KNOWN)
    if unknown:
        raise ConfigError(
            f"vault.toml has an unknown setting: {unknown[0]}", hint=f"known: {', '.join(sorted(_KNOWN))}"
        )
    for name, value in settings.items():
        if not isinstance(value, str) and name not in {"limit", "policies", "redaction"}:
            raise ConfigError(f"vault.toml has no text as {name}", hint='put it between ""')
    return settings


def as_url(value: str, base: Path) -> str:
    """Give a database's URL; a path is one of SQLite's, relative to `base`."""
    return value if "://" in value else f"sqlite:///{quote(str(base / value))}"
