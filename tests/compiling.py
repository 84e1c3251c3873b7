"""Everything is compiled once, and not in each run and child, where no bytecode may lie beside the sources.

Images for containers are set so. pytest then rewrites the assertions of all tests anew in every worker, and
those of Hypothesis, which takes longer than many a test. Whoever imports this does so first.
"""

import os
import sys
from pathlib import Path


def kept_directory() -> Path:
    """A place for what one run of the tests makes and the next can use."""
    path = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "transcript-vault-tests"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


if sys.dont_write_bytecode and sys.pycache_prefix is None:
    sys.pycache_prefix = os.environ["PYTHONPYCACHEPREFIX"] = str(kept_directory() / "bytecode")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
