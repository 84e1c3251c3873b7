"""The formats are written down well enough: a reader that knows SECURITY.md alone opens all of them."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import reader
from cryptography.exceptions import InvalidSignature, InvalidTag

from vault import Vault
from vault.adapters.memory import VaultChatMemory
from vault.clock import DAY, system_clock
from vault.redaction.engine import Engine
from vault.redaction.settings import Redaction

VECTORS: dict[str, list[dict[str, Any]]] = json.loads(
    (Path(__file__).parent / "vectors" / "format-1.json").read_text(encoding="utf-8")
)
POLICY = """\
version: 1
policy: ours
limits: {max_fraction: 100%}
classes:
  - name: support
    match: {namespace: "support/*"}
    keep: {at_most: 1y, count_from: last-message}
  - name: default
    keep: {at_most: 30d}
originals: {keep: 7d}
"""


def test_the_reader_uses_nothing_of_the_vault() -> None:
    tree = ast.parse(Path(reader.__file__).read_text(encoding="utf-8"))
    imported = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        for name in (
            [one.name for one in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported - sys.stdlib_module_names == {"msgspec", "backports", "cryptography"}


# -- the vectors -------------------------------------------------------------------------------------------


def raw(one: dict[str, Any], *names: str) -> list[bytes]:
    return [bytes.fromhex(one[name]) for name in names]


def test_it_opens_the_bodies() -> None:
    for one in VECTORS["bodies"]:
        vault, session, epoch, session_key, epoch_key, sealed = raw(
            one, "vault", "session", "epoch", "session_key", "epoch_key", "sealed"
        )
        key = reader.chapter_key(session_key, epoch_key, session, epoch)
        row = {"seq": one["seq"], "role": one["role"], "created_at": one["created_at"], "body": sealed}
        place = reader.Place(vault, session, epoch, key)
        content, extra, metadata, idempotency = place.open(row)
        assert (content, extra, metadata) == (one["content"], one["extra"], one["metadata"])
        assert (idempotency and idempotency.hex()) == one["key"]
        with pytest.raises(InvalidTag):
            place.open(row | {"seq": one["seq"] + 1})


def test_it_opens_the_keys_the_names_and_the_profiles() -> None:
    for one in VECTORS["nodes"]:
        vault, parent_key, key = raw(one, "vault", "parent_key", "key")
        row = dict(
            zip(("id", "parent", "slot", "wrapped"), raw(one, "id", "parent", "slot", "wrapped"), strict=True)
        )
        node = row | {"kind": one["kind"]}
        assert reader.open_node(vault, node, parent_key, one["parent_version"]) == key
    for one in VECTORS["names"]:
        vault, node_id, above, key, sealed = raw(one, "vault", "node", "above", "key", "sealed")
        assert reader.open_name(sealed, vault, node_id, above, key) == one["name"]
    for one in VECTORS["profiles"]:
        vault, node_id, key, sealed = raw(one, "vault", "node", "key", "sealed")
        assert reader.open_profile(sealed, vault, node_id, key, one["rev"]) == one["profile"]


def test_it_finds_by_the_indexes_and_derives_the_keys() -> None:
    for one in VECTORS["indexes"]:
        [key, found] = raw(one, "key", "index")
        assert reader.index(key, one["field"], *one["values"]) == found
    for one in VECTORS["derived"]:
        [secret, key] = raw(one, "secret", "key")
        assert reader.derive(secret, *map(bytes.fromhex, one["info"])) == key


def test_it_opens_originals_records_and_bodies_outside() -> None:
    for one in VECTORS["originals"]:
        place, row = placed(one)
        assert place.open(row | {"originals": bytes.fromhex(one["sealed"])}, "originals") == one["originals"]
    for one in VECTORS["outside"]:
        place, row = placed(one)
        known, said = place.open_outside(one["envelope"], row)
        assert (list(known), said[0]) == (one["known"], one["content"])
    for one in VECTORS["records"]:
        place, row = placed(one)
        names = reader.derive(bytes.fromhex(one["session_key"]), "records")
        assert reader.index(names, "collection", one["collection"]).hex() == one["place"]
        assert reader.index(names, "record", one["collection"], one["name"]).hex() == one["key"]
        where = dict(zip(("place", "key", "body"), raw(one, "place", "key", "sealed"), strict=True))
        assert place.open_record(row | where) == [one["name"], one["value"]]


def placed(one: dict[str, Any]) -> tuple[reader.Place, dict[str, Any]]:
    row = {"seq": one.get("seq"), "role": one["role"], "created_at": one["created_at"]}
    return reader.Place(*raw(one, "vault", "session", "epoch", "chapter_key")), row


def test_it_opens_the_roots() -> None:
    for one in VECTORS["roots"]:
        [generation, key] = raw(one, "generation", "key")
        assert reader.open_root(one["document"].encode(), one["passphrase"] or "") == {generation: key}
    for one in VECTORS["continued_roots"]:
        [generation, key, added, added_key] = raw(one, "generation", "key", "added", "added_key")
        opened = reader.open_root(one["document"].encode(), one["passphrase"] or "")
        assert opened == {generation: key, added: added_key}


# -- a vault -----------------------------------------------------------------------------------------------


def everything(vault: Vault) -> list[dict[str, Any]]:
    return [
        {
            "user_id": user,
            "session_id": session.session_id,
            "seq": message.seq,
            "role": message.role,
            "content": message.content,
            "extra": message.extra or None,
            "metadata": message.metadata or None,
        }
        for user in vault.users()
        for session in vault.sessions(user)
        for message in vault.transcript(user, session.session_id).messages()
    ]


@pytest.mark.wide
def test_p3_it_reads_a_whole_vault_and_nothing_of_who_was_forgotten(tmp_path: Path) -> None:
    """With all that a chapter's key may be: derived, kept beyond its epoch, of a class without epochs."""
    (tmp_path / "policy.yaml").write_text(POLICY)
    directory = tmp_path / "v"
    settings: dict[str, Any] = {
        "root": f"file:{tmp_path / 'root.key'}",
        "policies": tmp_path / "policy.yaml",
        "redactor": Engine(Redaction.of({"originals": True})),
    }
    with Vault.open(directory, clock=lambda: system_clock() - 60 * DAY, **settings) as vault:
        for user in ("Zoë", "ben", "cleo"):
            vault.transcript(user, "s-1").append("user", f"old words of {user}, 020 7946 0019")
    with Vault.open(directory, **settings) as vault:
        for user in ("Zoë", "ben", "cleo"):
            chat = vault.transcript(user, "s-1")
            chat.append("assistant", "Hello. " * 200, metadata={"ms": 12})
            chat.append("user", "Call me on 020 7946 0018")
            vault.transcript(user, "s-2", namespace="support/eu").append("user", "It is broken", key="once")
        vault.hold("Zoë", reason="case 7")
        vault.purge()
        vault.forget_user("ben", now=True)
        expected = everything(vault)
    found = list(reader.Vault(directory, reader.open_root((tmp_path / "root.key").read_bytes())).messages())
    originals = [one.pop("original") for one in found if "original" in one]
    key = lambda one: (one["user_id"], one["session_id"], one["seq"])  # noqa: E731 (an order)
    assert sorted(found, key=key) == sorted(expected, key=key)
    assert {one["user_id"] for one in found} == {"Zoë", "cleo"}
    assert len([one for one in found if str(one["content"]).startswith("old words")]) == 1
    assert set(originals) == {"Call me on 020 7946 0018", "old words of Zoë, 020 7946 0019"}  # hers are held


@pytest.mark.wide
def test_it_reads_a_root_under_a_passphrase_and_prints_what_was_said(tmp_path: Path) -> None:
    (tmp_path / "phrase").write_text("correct horse Ünïcode")
    root = f"file:{tmp_path / 'root.key'}?passphrase-file={tmp_path / 'phrase'}"
    with Vault.open(tmp_path / "v", root=root, redactor=None) as vault:
        vault.transcript("u-1", "s-1").append("user", "Hello")
        expected = everything(vault)
    document = (tmp_path / "root.key").read_bytes()
    roots = reader.open_root(document, "correct horse Ünïcode")
    assert list(reader.Vault(tmp_path / "v", roots).messages()) == expected
    with pytest.raises(InvalidTag):
        reader.open_root(document, "wrong")
    with Vault.open(tmp_path / "w", redactor=None) as vault:
        VaultChatMemory("u-1", "s-1", vault).save_message("user", "Hello")
    printed = subprocess.run(
        [sys.executable, reader.__file__, "w", "w/root.key"], check=True, capture_output=True, cwd=tmp_path
    )
    assert json.loads(printed.stdout)["content"] == "Hello"


def test_it_reads_records_and_what_lies_outside(tmp_path: Path) -> None:
    memory: list[dict[str, str]] = []
    with Vault.open(tmp_path / "v", redactor=None) as vault:
        vault.transcript("u-1", "s-1").records("state").put("step", {"at": 3})
        wrapped = vault.wrap(
            memory, user_id="u-1", session_id="s-2", add="append", read="copy", clear="clear"
        )
        wrapped.append({"role": "user", "content": "Hello"})
    opened = reader.Vault(tmp_path / "v", reader.open_root((tmp_path / "v" / "root.key").read_bytes()))
    assert ["step", {"at": 3}] in list(opened.records())
    [envelope] = [one["content"] for one in memory]
    [row] = opened.table("messages")
    [chapter] = [one for one in opened.table("chapters") if one["id"] == row["chapter_id"]]
    [session] = [one for one in opened.table("sessions") if one["id"] == row["session_id"]]
    place = opened._place(session, chapter, {one["id"]: one["node"] for one in opened.table("epochs")})
    known, said = place.open_outside(envelope, row)
    assert "Hello" in json.dumps(said)
    assert known == (1, 0)  # none was there before


def test_p6_it_checks_a_certificate(tmp_path: Path) -> None:
    with Vault.open(tmp_path / "v", redactor=None) as vault:
        for number in range(5):
            vault.transcript(f"u-{number}", "s-1").append("user", "Hello")
            certificate = vault.forget_user(f"u-{number}", reason="für sie — 1", now=number % 2 == 0)
            found = reader.check_certificate(certificate.to_json().encode(), vault.log.public_key())
            assert found["status"] == certificate.status
        changed = certificate.to_json().replace('"messages": 1', '"messages": 2')
        with pytest.raises(InvalidSignature):
            reader.check_certificate(changed.encode(), vault.log.public_key())
