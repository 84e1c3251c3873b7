"""What loads what: `import vault` loads nothing heavy, and imports run downward only."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import vault

ROOT = Path(vault.__file__).parents[1]
HEAVY = {"presidio_analyzer", "spacy", "apscheduler", "click", "boto3", "alembic", "pydantic", "rich", "yaml"}

# From bottom to top. Whoever adds a file says here where it stands; what stands beside may import each other,
# as long as nothing runs in a circle.
ORDER = [
    {"errors", "clock", "forks", "version", "blobs"},
    {"messages"},
    {"saying"},
    {"crypto"},
    {"config"},
    {"roots"},
    {"storage"},
    {"redaction", "evidence"},
    {"keys"},
    {"erasure"},
    {"chat"},
    {"remainders"},
    {"listing", "logs", "holding", "queue", "status", "retention"},
    {"requests"},
    {"opening", "placing"},
    {"packing"},
    {"core"},
    {"transfer", "reporting"},
    {"waiting", "wrapping"},
    {"transcript", "aio_transcript"},
    {"client", "aio"},
    {"adapters", "telemetry"},
    {"daemon"},
    {"cli"},
    {"__main__"},
    {"vault"},  # the public names, which nothing here asks for
]
LEVEL = {name: level for level, names in enumerate(ORDER) for name in names}

MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in (ROOT / "vault").rglob("*.py")
}


def is_for_types_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def statements(node: ast.AST, *, lazy: bool) -> Iterator[ast.AST]:
    """Give what is run by an import, and with `lazy` also what waits in functions."""
    for child in ast.iter_child_nodes(node):
        if is_for_types_only(child) or (
            not lazy and isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
        ):
            continue
        yield child
        yield from statements(child, lazy=lazy)


def imported(module: str, *, lazy: bool) -> set[str]:
    """Give the modules of the vault that a module imports."""
    found: set[str] = set()
    for one in statements(ast.parse(MODULES[module].read_text(encoding="utf-8")), lazy=lazy):
        if isinstance(one, ast.Import):
            found |= {alias.name for alias in one.names}
        elif isinstance(one, ast.ImportFrom) and one.module:
            inner = {f"{one.module}.{alias.name}" for alias in one.names}
            found |= {name if name in MODULES else str(one.module) for name in inner}
    return {name for name in found if name in MODULES} - {module}


def part(module: str) -> str:
    return module.removeprefix("vault.").split(".")[0]


def test_every_module_has_its_place_in_the_order() -> None:
    assert {part(module) for module in MODULES} <= LEVEL.keys()
    assert len(MODULES) > 40


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_run_downward_only(module: str) -> None:
    above = {name for name in imported(module, lazy=True) if LEVEL[part(name)] > LEVEL[part(module)]}
    assert above == set()


@pytest.mark.wide
def test_nothing_is_imported_in_a_circle() -> None:
    graph = {module: imported(module, lazy=False) for module in MODULES}
    assert graph["vault.client"] >= {"vault.core", "vault.messages"}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as circle:
        pytest.fail(f"imported in a circle: {' → '.join(circle.args[1])}")


def test_a_step_upward_and_a_circle_would_be_noticed() -> None:
    """The test of the tests above."""
    assert "vault.roots.file" in imported("vault.roots", lazy=True)  # a provider is loaded when it is chosen
    assert "vault.roots.file" not in imported("vault.roots", lazy=False)
    assert LEVEL["client"] > LEVEL["core"] > LEVEL["keys"] > LEVEL["crypto"]
    with pytest.raises(CycleError):
        TopologicalSorter({"a": {"b"}, "b": {"a"}}).prepare()


def loaded_by(program: str, *options: str) -> set[str]:
    """Run a program in a fresh interpreter; give the names of all packages that it loads."""
    told = f"import sys; sys.path.insert(0, {str(ROOT)!r}); {program}; print(*sys.modules)"
    ran = subprocess.run(
        [sys.executable, *options, "-c", told], check=True, capture_output=True, text=True, cwd="/"
    )
    return {name.partition(".")[0] for name in ran.stdout.split()}


def test_import_vault_needs_nothing_but_python() -> None:
    # Without `site` there are no installed packages at all.
    loaded = loaded_by("import vault; assert vault.__version__", "-I", "-S")
    assert loaded - sys.stdlib_module_names - {"__main__"} == {"vault"}


@pytest.mark.wide
def test_opening_a_vault_loads_nothing_that_it_does_not_need(tmp_path: Path) -> None:
    program = (
        f"import vault; opened = vault.Vault.open({str(tmp_path / 'vault')!r}, redactor=None);"
        " opened.transcript('u-1', 's-1').append('user', 'Hello'); opened.close()"
    )
    loaded = loaded_by(program)
    assert loaded & HEAVY == set()
    assert "sqlalchemy" in loaded


def test_every_public_name_is_there() -> None:
    assert sorted(vault.__all__) == vault.__all__
    for name in vault.__all__:
        assert getattr(vault, name).__doc__ or name == "__version__"
    with pytest.raises(AttributeError, match="Nothing"):
        vault.Nothing  # noqa: B018 (it is asked for)


def test_its_types_come_with_it() -> None:
    assert (ROOT / "vault" / "py.typed").is_file()  # without it type checkers take all of it for Any
