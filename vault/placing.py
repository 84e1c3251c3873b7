"""What the policies in force decide as messages are added: their class and epoch, and what redacts them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vault.chat.reading import Reader
from vault.chat.session import Place, Session
from vault.clock import DAY
from vault.config import Settings
from vault.errors import ConfigError, PastError
from vault.messages import Message, created_us
from vault.redaction import Redactor, SessionRedactor
from vault.redaction.engine import Engine
from vault.redaction.settings import Redaction
from vault.saying import Unsaid

if TYPE_CHECKING:
    from vault.retention.classes import Classes, Times

DEFAULT_CLASS = "default"
ORIGINALS_CLASS = "originals"


@dataclass(frozen=True, slots=True)
class Spot:
    """What is known of the session to which something is added: `times` are of the messages to be added."""

    session: Session | None
    namespace: str
    started: int
    times: Sequence[int]
    now: int


class Placing:
    """Gives messages and records their places."""

    def __init__(self, classes: Classes | None, reader: Reader) -> None:
        self._classes = classes
        self._reader = reader

    def spot(self, session: Session | None, namespace: str, times: Sequence[int], now: int) -> Spot:
        """Look at a session once, for all that is added to it at once."""
        return Spot(session, namespace, self._started(session, times, now), times, now)

    def places(
        self, message: Message, created_at: int, spot: Spot, *, refuses: bool = True
    ) -> tuple[Place, Place | None]:
        """Give the epoch of a message, or of a record, and of its originals where those are stored.

        A message that is past its date is refused, or else goes at the next run.
        """
        if self._classes is None:
            day = created_at // DAY
            return (DEFAULT_CLASS, day), (ORIGINALS_CLASS, day)
        kind = self._classes.kind(message.role, spot.namespace, message.metadata)
        said = _times(created_at, spot.started, created_at)
        if message.created_at is not None and refuses and self._classes.is_past(kind, said, spot.now):
            here = self._reader.last_activity(spot.session) if spot.session else created_at
            last = max(*spot.times, here)
            if self._classes.is_past(kind, _times(created_at, spot.started, last), spot.now):
                raise PastError(
                    "a message is past its date already: the retention rules would erase it at once",
                    hint="vault policy explain says which rule; leave it out",
                )
        return self._classes.places(kind, said, spot.now)

    def is_past(
        self, message: Message, namespace: str, now: int, session_start: int | None, last_activity: int | None
    ) -> bool:
        """Say whether a message is past its date, by the times of the session that it comes from."""
        if self._classes is None:
            return False
        at = created_us(message, now)
        times = _times(at, at if session_start is None else session_start, last_activity or at)
        return self._classes.is_past(
            self._classes.kind(message.role, namespace, message.metadata), times, now
        )

    def _started(self, session: Session | None, times: Sequence[int], now: int) -> int:
        """Give when a session began, where some rule asks for it."""
        began = min(times, default=now)
        if session is None or self._classes is None or not self._classes.asks_start:
            return began
        if session.started is None:
            session.started = self._reader.began(session)
        return began if session.started is None else min(began, session.started)


def _times(created_at: int, started: int, last: int) -> Times:
    from vault.retention.classes import Times  # noqa: PLC0415 (only where there are policies)

    return Times(created_at, min(started, created_at), max(last, created_at))


def load_classes(files: Sequence[Path]) -> Classes | None:
    """Load the policies, once; None where there are none: all is kept then, in one class."""
    if not files:
        return None
    from vault.retention.classes import Classes  # noqa: PLC0415 (brings a reader of YAML)
    from vault.retention.loading import load  # noqa: PLC0415 (the same)

    return Classes(load(files))


def choose_redactor(
    given: Redactor | SessionRedactor | Unsaid | None, settings: Settings, classes: Classes | None
) -> tuple[Redactor | SessionRedactor | None, ConfigError | None]:
    """Give what redacts: what the app passed, or what the settings and the policies say.

    And what every message is refused with, where a policy asks for redaction that the app has replaced: who
    only reads or erases may go on.
    """
    if classes is None:
        redaction = Redaction.of(settings.redaction, where="redaction of vault.toml")
        return (Engine(redaction) if isinstance(given, Unsaid) else given), None
    from vault.retention.redacting import asks_for_redaction, redaction_of  # noqa: PLC0415 (only with policies)

    redaction = redaction_of(settings.redaction, classes.policies)
    if isinstance(given, Unsaid):
        return Engine(redaction), None
    policy = asks_for_redaction(classes.policies)
    if policy is None:
        return given, None
    return given, policy.at.error(
        "this policy asks for redaction, and the vault was opened with a redactor of its own, or none",
        "leave redactor= away, or take redaction out of the policy",
    )
