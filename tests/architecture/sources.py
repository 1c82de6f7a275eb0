"""The tracked files and what each imports."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_SKIPPED = {".venv", ".git", "node_modules", "dist", "__pycache__", ".warroom"}


def tracked_files() -> list[Path]:
    """Every file that git tracks, relative to the root; without git, every file that is not built."""
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, timeout=30)
        names = [Path(name) for name in listed.stdout.decode().split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        names = [path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file()]
    return [name for name in names if not _SKIPPED & set(name.parts) and (ROOT / name).is_file()]


def modules(package: str) -> dict[str, set[str]]:
    """Every module below a package directory, with the dotted names that it imports anywhere in its text."""
    found = {}
    for path in sorted((ROOT / package).rglob("*.py")):
        relative = path.relative_to(ROOT)
        if _SKIPPED & set(relative.parts):
            continue
        dotted = ".".join(relative.with_suffix("").parts).removesuffix(".__init__")
        is_package = path.name == "__init__.py"
        found[dotted] = imported(path.read_text(encoding="utf-8"), dotted, is_package=is_package)
    return found


def imported(source: str, module: str, *, is_package: bool) -> set[str]:
    """The dotted names that a source imports; `from a import b` names `a.b`, which covers `a` as well."""
    names: set[str] = set()
    here = module.split(".") if is_package else module.split(".")[:-1]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = here[: len(here) - node.level + 1] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            names.update(f"{origin}.{alias.name}" for alias in node.names)
        elif (
            isinstance(node, ast.Call)
            and ast.unparse(node.func) in ("importlib.import_module", "import_module", "__import__")
            and node.args
            and isinstance(node.args[0], ast.Constant)
        ):
            names.add(str(node.args[0].value))
    return names


def within(name: str, package: str) -> bool:
    """Whether a dotted name lies in a package."""
    return name == package or name.startswith(package + ".")
