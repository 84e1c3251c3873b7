"""A report: what it says, and how it is shown."""

from __future__ import annotations

from vault.reporting.page import page
from vault.reporting.text import text
from vault.reporting.values import Contents


class Report(Contents, frozen=True, kw_only=True):
    """A report for an auditor."""

    def to_html(self) -> str:
        """Give it as one page that needs nothing else."""
        return page(self)

    def to_text(self) -> str:
        """Give a summary for a terminal of 80 columns."""
        return text(self)
