"""Which release this is: what backups, reports and exports bear, and `vault --version`."""

from __future__ import annotations

__version__ = "0.1.0"
