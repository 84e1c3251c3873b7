"""Every error the vault raises, as one tree.

    VaultError                      exit 1
     ├─ UsageError                  exit 2   the call, the settings or the input are wrong
     │   ├─ ConfigError                      settings that do not fit together
     │   │   └─ PolicyError                  a policy file, at a place in it
     │   ├─ InputError                       an id, a role or content that can't be stored
     │   │   ├─ TooLargeError
 │   │   └─ PastError                       a message that retention would erase at once
     │   └─ MissingExtraError                an optional package is not installed
     ├─ TamperedError               exit 3   what is stored is not what was written
     ├─ UnavailableError            exit 4   try again, or repair what it names
     │   ├─ StoreUnavailableError            a database does not answer
     │   │   └─ OutcomeUnknownError          it fell silent while it was to commit
     │   ├─ RootUnavailableError             the root can't be read or written
     │   ├─ WrongKeyError                    a root or passphrase that opens nothing here
     │   ├─ KeyringOutdatedError             older than the last root generation that is left
     │   └─ SchemaError                      a database of another version
     ├─ GuardedError                exit 5   refused on purpose
     │   ├─ KeyringCopyError                 a copy must not swap the root of the original
     │   ├─ HeldError                        a hold forbids the erasure; nothing was changed
     │   └─ FlooredError                     a retention rule forbids it yet; nothing was changed
     ├─ RedactionError              exit 1   the redactor failed; nothing was written
     ├─ RevisionError               exit 1   a record was changed since it was read
     └─ MissingError                exit 1
         ├─ UserForgottenError
         ├─ SessionForgottenError
         └─ UnknownError                     nobody of that name is here

Messages name no content, no key, no user and no session: they end up in logs. Where a session
was tampered with, the number of its row is named, which tells nobody whose it is. HeldError repeats the
reason of a hold, which is the operator's own text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar


class WaitingWarning(UserWarning):
    """An erasure waits for a root that can't be changed now; all that it does not take is served."""


class Note(str):
    """Words of the vault's own, added to an error of any kind: they name no content either."""

    __slots__ = ()


class VaultError(Exception):
    """What went wrong, and in `hint` what to do next."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(VaultError):
    """The call can't be carried out as it was made."""

    exit_code = 2


class ConfigError(UsageError):
    """Settings that are missing or contradict each other."""


class PolicyError(ConfigError):
    """What a policy file says and can't, and where; `others` are the rest of what is wrong with it."""

    def __init__(  # noqa: PLR0913 (a place has three parts)
        self,
        message: str,
        *,
        hint: str = "",
        path: str,
        line: int = 1,
        column: int = 1,
        others: Sequence[PolicyError] = (),
    ) -> None:
        super().__init__(f"{path}:{line}:{column}: {message}", hint=hint)
        self.message = message
        self.path = path
        self.line = line
        self.column = column
        self.others = tuple(others)

    @property
    def all(self) -> tuple[PolicyError, ...]:
        """Give this problem and the others, in the order of the file."""
        return (self, *self.others)


class InputError(UsageError):
    """An id, a role or content that can't be stored; nothing was written."""


class TooLargeError(InputError):
    """A message over the limit; nothing was written."""


class PastError(InputError):
    """A message that is past its date already by the retention rules; nothing was written."""


class MissingExtraError(UsageError):
    """An optional package that this call needs is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            f"this needs the package {package}, which is not installed",
            hint=f"pip install 'transcript-vault[{extra}]'",
        )


class TamperedError(VaultError):
    """What is stored is not what was written there (P2)."""

    exit_code = 3


class UnavailableError(VaultError):
    """Something the vault stands on can't be used now."""

    exit_code = 4


class StoreUnavailableError(UnavailableError):
    """A database does not answer, or refuses the work."""


class OutcomeUnknownError(StoreUnavailableError):
    """The connection was lost during a commit: the work may have been done, or not."""


class RootUnavailableError(UnavailableError):
    """The root, or one of its mirrors, can't be read or written."""


class WrongKeyError(UnavailableError):
    """A root or a passphrase that does not open this vault."""


class KeyringOutdatedError(UnavailableError):
    """The keyring is older than every root generation that is left, or lacks a key that transcripts use."""


class SchemaError(UnavailableError):
    """A database whose schema is older or newer than this release."""


class GuardedError(VaultError):
    """Refused on purpose; the message names the ground."""

    exit_code = 5


class KeyringCopyError(GuardedError):
    """A copied keyring that would change the root of its original."""


class HeldError(GuardedError):
    """A hold forbids the erasure: the message gives its id and its reason. Nothing was changed (P5)."""


class FlooredError(GuardedError):
    """A floor of a policy keeps what was to be erased: the message names the rule and its date (P5)."""


class RedactionError(VaultError):
    """The redactor failed; nothing was written (P1)."""


class RevisionError(VaultError):
    """A record has not the revision that the caller read; nothing was written."""


class MissingError(VaultError):
    """What was asked for is not here (any more)."""


class UserForgottenError(MissingError):
    """The user was forgotten; `enroll` starts anew."""


class SessionForgottenError(MissingError):
    """The session was forgotten; `enroll` with its id starts anew."""


class UnknownError(MissingError):
    """No user or session of that name was ever here."""
