"""`demo`: a vault in a temporary directory, an erasure, and a thief who holds the backup."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vault.cli.talking import Command, counted, paint, say

if TYPE_CHECKING:
    from vault.client import Vault

_ANNA, _BEN = "anna@example.org", "ben@example.org"
_CHAT = [
    (_ANNA, "user", "My card is 4111 1111 1111 1111; ship it to 7 Elm Street."),
    (_ANNA, "assistant", "Noted: 7 Elm Street. It leaves tomorrow."),
    (_BEN, "user", "When does the library open?"),
]
_WORDS = (_ANNA, _BEN, "4111 1111", "Elm Street", "library")


@click.command("demo", cls=Command, examples=("vault demo", "vault demo --keep"))
@click.option("--keep", is_flag=True, help="Leave the directory, and say where it is.")
@click.pass_context
def demo(context: click.Context, keep: bool) -> None:
    """Show an erasure that reaches the backup.

    It works in a temporary directory, and ends with 0 only if every step showed what it claims.
    """
    import shutil
    import tempfile

    for name in [name for name in os.environ if name.startswith("TRANSCRIPT_VAULT_")]:
        del os.environ[name]  # they name a real vault
    place = Path(tempfile.mkdtemp(prefix="vault-demo-"))
    try:
        shown = _Demo(place).run()
    finally:
        if keep:
            say(f"left in {place}")
        else:
            shutil.rmtree(place)
    context.exit(0 if shown else 1)


class _Demo:
    """The steps. `live` is the vault's directory, `backup` what was copied aside."""

    def __init__(self, place: Path) -> None:
        self._live, self._backup, self._restored = place / "vault", place / "backup", place / "restored"
        self._root = place / "elsewhere" / "root.key"
        self._stack = ExitStack()
        self._number = 0
        self._shown = True

    def run(self) -> bool:
        """Take all steps; say whether each showed what it claims."""
        with self._stack:
            vault = self._make()
            self._write(vault)
            self._look_into_files()
            self._read_back(vault)
            self._copy_aside()
            self._forget(vault)
            self._ask_the_vault(vault)
            self._open_backup()
            self._let_the_thief_try()
            self._show_the_living()
        click.echo()
        if self._shown:
            end = "What was forgotten is gone from the backup too; who lives is still there."
            click.echo(paint(end, bold=True))
        else:
            say("error: a step did not show what it claims")
        return self._shown

    def _open(self, where: Path, keyring: str | None = None) -> Vault:
        from vault.client import Vault

        # redactor=None: the demo stores its messages as they are.
        opened = Vault.open(
            where,
            keyring=keyring or str(where / "keyring.db"),
            root=f"file:{self._root}",
            redactor=None,
            create=where == self._live,
        )
        return self._stack.enter_context(opened)

    def _make(self) -> Vault:
        self._root.parent.mkdir(mode=0o700)
        vault = self._open(self._live)
        self._step("A vault: two databases in one directory, the root in another place.")
        self._tell("Vault.open('…/vault', root='file:…/root.key', redactor=None)")
        self._tell("redactor=None stores messages as they are; a real app passes a redactor.")
        self._claim("empty", not list(vault.users()))
        return vault

    def _write(self, vault: Vault) -> None:
        self._step("Two users talk.")
        for user, role, text in _CHAT:
            vault.transcript(user, "s-1").append(role, text)
            self._tell(f"{user.partition('@')[0]:5}{role:10}{text}")

    def _look_into_files(self) -> None:
        from vault.cli.thief import first_body

        self._step("What the database holds of the first message:")
        body = first_body(self._live / "transcripts.db")
        for start in (0, 24):
            self._tell(body[start : start + 24].hex(" "))
        files = [file for file in self._live.iterdir() if file.is_file()]
        data = b"".join(file.read_bytes() for file in files)
        found = sum(data.count(word.encode()) for word in _WORDS)
        what = f"words and names of the chat in {len(data):,} bytes of {counted(len(files), 'file')}: {found}"
        self._claim(what, found == 0)

    def _read_back(self, vault: Vault) -> None:
        self._step("The vault reads it back.")
        texts = [
            (user, message.role, message.content)
            for user in (_ANNA, _BEN)
            for message in vault.transcript(user, "s-1").messages()
        ]
        self._claim(f"{counted(len(texts), 'message')}, word for word", texts == _CHAT)

    def _copy_aside(self) -> None:
        import shutil

        from vault.cli.thief import Thief

        self._step("A backup: all files of both databases are copied aside.")
        shutil.copytree(self._live, self._backup)
        thief = Thief(self._root)
        keys, of_keys = thief.open_keyring(self._backup / "keyring.db")
        texts, of_texts = thief.read(self._backup / "transcripts.db")
        self._claim(
            f"today whoever has it, and the root, opens {keys} of {of_keys} keys,"
            f" {len(texts)} of {of_texts} messages",
            keys == of_keys and len(texts) == of_texts == len(_CHAT),
        )

    def _forget(self, vault: Vault) -> None:
        self._step(f"vault.forget_user({_ANNA!r}, now=True)")
        certificate = vault.forget_user(_ANNA, reason="the demo", actor="vault demo", now=True)
        self._tell(f"certificate {certificate.id}, pseudonym {certificate.pseudonym}")
        erased = f"{counted(certificate.sessions, 'session')}, {counted(certificate.messages, 'message')}"
        self._claim(f"{certificate.status}: {erased}", certificate.status == "final")

    def _ask_the_vault(self, vault: Vault) -> None:
        self._step("The vault is asked for her.")
        self._refused("UserForgottenError", lambda: vault.transcript(_ANNA, "s-1").messages())

    def _open_backup(self) -> None:
        self._step("The backup is opened with the present root.")
        self._refused("KeyringOutdatedError", lambda: self._open(self._backup))

    def _let_the_thief_try(self) -> None:
        from vault.cli.thief import Thief

        self._step("A thief tries all keys of the root file on all that the backup holds.")
        thief = Thief(self._root)
        keys, of_keys = thief.open_keyring(self._backup / "keyring.db")
        texts, of_texts = thief.read(self._backup / "transcripts.db")
        self._claim(
            f"with {counted(thief.root_keys, 'root key')}: {keys} of {of_keys} keys open,"
            f" {len(texts)} of {of_texts} messages",
            keys == 0 and not texts and of_texts == len(_CHAT),
        )
        self._step("The thief takes the present keyring too.")
        keys, of_keys = thief.open_keyring(self._live / "keyring.db")
        thief.open_keyring(self._backup / "keyring.db")
        texts, _ = thief.read(self._backup / "transcripts.db")
        hers = [text for user, _, text in _CHAT if user == _ANNA and text in texts]
        self._claim(
            f"it opens {keys} of {of_keys} keys; of the forgotten user {len(hers)} messages",
            keys == of_keys and not hers,
        )
        self._claim("of the other user, who lives, all", texts == [_CHAT[-1][-1]])

    def _show_the_living(self) -> None:
        import shutil

        self._step("The old transcripts are put back, under the present keyring and root.")
        self._restored.mkdir(mode=0o700)
        for file in self._backup.glob("transcripts.db*"):
            shutil.copy2(file, self._restored)
        shutil.copy2(self._backup / "vault.toml", self._restored)
        vault = self._open(self._restored, keyring=str(self._live / "keyring.db"))
        [message] = vault.transcript(_BEN, "s-1").messages()
        self._claim(f"ben  {message.content}", message.content == _CHAT[-1][-1])
        self._refused("UserForgottenError", lambda: vault.transcript(_ANNA, "s-1").messages(), "anna")

    # -- talking ----------------------------------------------------------------------------------------

    def _step(self, what: str) -> None:
        self._number += 1
        click.echo(f"\n{paint(f'{self._number:2}', bold=True)}  {paint(what, bold=True)}")

    def _tell(self, text: str) -> None:
        click.echo(f"    {paint(text, dim=True)}")

    def _claim(self, what: str, holds: bool) -> None:
        self._shown = self._shown and holds
        mark = paint("ok", bold=True) if holds else paint("NOT SHOWN", fg="red", bold=True)
        click.echo(f"    {mark}  {paint(what)}")

    def _refused(self, wanted: str, attempt: Callable[[], object], who: str = "") -> None:
        from vault.errors import VaultError

        try:
            attempt()
        except VaultError as error:
            said = f"{who}  " if who else ""
            self._claim(f"{said}{type(error).__name__}: {error}", type(error).__name__ == wanted)
        else:
            self._claim("it opened", False)
