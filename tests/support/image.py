"""The image of `deploy/Dockerfile` without a container engine: its RUN instructions as they stand, in their own root.

A mount namespace makes a root in which `/opt/warroom`, `/src` and `/wheels` are the image's, and the rest
is this machine's, with this Python in the place of the base image's. A process of the image then runs as one of a
container does: as the Dockerfile's user, without capabilities, on a root that is read-only but for a `/tmp` in memory.
What this does not show is the base images themselves.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from tests.support.debian import NotToBeHad
from tests.support.gotools import build

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
RUN_SECONDS = 1500
"""One RUN instruction at the most; the first run on a machine downloads the packages."""
PAGE = "services/metrics/web/dist"
_OWN = {"opt", "src", "wheels", "tmp", "python", "run", "etc", "entrypoint"}

# $1 is the root, $2 whether it is to be read-only, $3 the directory, $4 the user, $5 what is mounted: a line each of
# source and target. The command follows.
_ENTER = r"""
set -eu
root=$1 readonly=$2 directory=$3 user=$4 mounts=$5
shift 5
mount --bind "$root" "$root"
for each in /* /opt/*; do
  if [ -d "$root$each" ] && [ ! -L "$root$each" ] && [ -f "$root$each/.mounted" ]; then
    mount --rbind "$each" "$root$each"
    case "$each" in
      /proc | /sys | /dev) ;;
      *) [ "$readonly" = no ] || mount -o remount,bind,ro "$root$each" 2>/dev/null || true ;;
    esac
  fi
done
mount -t tmpfs -o mode=755,size=1m tmpfs "$root/run"
printf %s "$mounts" | while read -r source target; do
  mkdir -p "$root${target%/*}"
  if [ -d "$source" ]; then mkdir -p "$root$target"; else touch "$root$target"; fi
  mount --bind "$source" "$root$target"
  mount -o remount,bind,ro "$root$target" 2>/dev/null || true
done
[ "$readonly" = no ] || mount -o remount,bind,ro "$root"
# Not `chroot`: who is in one may make no other user namespace.
cd "$root"
pivot_root . tmp
umount -l /tmp
mount -t tmpfs -o mode=1777,size=256m tmpfs /tmp
cd "$directory"
if [ "$user" = 0 ]; then
  exec "$@"
fi
exec unshare --user --map-user="$user" --map-group="$user" -- "$@"
"""


@cache
def dockerfile() -> dict[str, Any]:
    """What BuildKit reads in the Dockerfile: `warnings`, `bases`, `stages`, `image`, `context`. Raises `NotToBeHad`."""
    done = subprocess.run(
        [build("dockerfile"), DOCKERFILE, ROOT], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@dataclass(frozen=True)
class _Place:
    """Where the next instruction of a stage runs."""

    env: Mapping[str, str]
    workdir: str


class Image:
    """What a target of the Dockerfile comes to, in a directory."""

    def __init__(self, directory: Path) -> None:
        self.root = directory
        self.config = dockerfile()["image"]["config"]
        self._built: dict[str, _Place] = {}
        for name in (*os.listdir("/"), *(f"opt/{name}" for name in os.listdir("/opt"))):
            mine = directory / name
            if name in _OWN or name == "opt/warroom":
                continue
            mine.parent.mkdir(parents=True, exist_ok=True)
            if Path("/", name).is_symlink():
                mine.symlink_to(Path("/", name).readlink())
            elif Path("/", name).is_dir():
                mine.mkdir()
                (mine / ".mounted").touch()
        for name in _OWN - {"entrypoint", "etc"}:
            (directory / name).mkdir(exist_ok=True)
        # A copy, as files are mounted into it; what this user may not read is of no use to the image either.
        subprocess.run(["cp", "-a", "/etc", directory], capture_output=True, check=False, timeout=RUN_SECONDS)

    def build(self, name: str, *, there: bool = False) -> None:
        """Carries out a stage, after those that it needs; `there` says that what it makes is there already.

        All stages share one root. Raises `AssertionError` with what a command said.
        """
        stages = {stage["name"]: stage for stage in dockerfile()["stages"]}
        if name in self._built:
            return
        stage = stages[name]
        if stage["base"] in stages:
            self.build(stage["base"])
        place = self._built.get(stage["base"], _Place({}, "/"))
        for instruction in stage["instructions"]:
            kind, _, rest = instruction.partition(" ")
            if kind == "ENV":
                place = _Place({**place.env, **dict(word.split("=", 1) for word in shlex.split(rest))}, place.workdir)
            elif kind == "WORKDIR":
                place = _Place(place.env, rest)
                (self.root / rest.lstrip("/")).mkdir(parents=True, exist_ok=True)
            elif kind == "RUN" and not there:
                self._run(rest, place)
            elif kind == "COPY" and not there:
                self._copy(shlex.split(rest), place)
        self._built[name] = place

    def command(self, arguments: Sequence[str], mounts: Mapping[str, Path] | None = None) -> list[str]:
        """The line that runs a command as a container does; the caller gives it the environment of `environment`.

        `mounts` are what is seen at places beneath `/run` and `/etc`.
        """
        user = int(self.config["User"].partition(":")[0])
        return self._line(arguments, workdir=self.config["WorkingDir"], user=user, readonly=True, mounts=mounts)

    def environment(self, given: Mapping[str, str]) -> dict[str, str]:
        """The environment of a container: the image's, and what it was given; nothing of this machine's."""
        of_image = dict(pair.split("=", 1) for pair in self.config["Env"])
        return {**of_image, **given}

    def size(self) -> int:
        """Bytes of what is put upon the base image."""
        files = [
            path for path in (self.root / "opt" / "warroom").rglob("*") if path.is_file() and not path.is_symlink()
        ]
        return sum(path.stat().st_size for path in files)

    def _run(self, script: str, place: _Place) -> None:
        env = {**os.environ, **place.env, "PATH": f"/python/bin:{os.environ['PATH']}", "TMPDIR": "/tmp"}
        # What is fetched once is kept, unlike in an image.
        env["PIP_NO_CACHE_DIR"] = "0"
        env.pop("PYTHONPATH", None)
        line = self._line(["/bin/sh", "-c", script], workdir=place.workdir, user=0, readonly=False)
        done = subprocess.run(line, env=env, capture_output=True, text=True, timeout=RUN_SECONDS, check=False)
        assert done.returncode == 0, f"RUN {script}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"

    def _line(
        self,
        arguments: Sequence[str],
        *,
        workdir: str,
        user: int,
        readonly: bool,
        mounts: Mapping[str, Path] | None = None,
    ) -> list[str]:
        lines = "".join(f"{source} {target}\n" for target, source in (mounts or {}).items())
        return [
            "unshare", "--user", "--map-root-user", "--mount", "--", "/bin/sh", "-c", _ENTER, "enter",
            str(self.root), "yes" if readonly else "no", workdir, str(user), lines, *arguments,
        ]  # fmt: skip

    def _copy(self, words: Sequence[str], place: _Place) -> None:
        options = [word for word in words if word.startswith("--")]
        *sources, target = [word for word in words if not word.startswith("--")]
        stage = next((option.removeprefix("--from=") for option in options if option.startswith("--from=")), None)
        if stage == "page":
            # `make setup` built it by the same commands from the same lock.
            shutil.copytree(ROOT / PAGE, self._at(target, place), dirs_exist_ok=True)
            return
        if stage is not None:
            assert sources == [target], f"{words}: all stages share one root here"
            self.build(stage)
            return
        for source in sources:
            found = [path for path in dockerfile()["context"] if path == source or path.startswith(source)]
            assert found, f"the context has no {source}"
            for path in found:
                inside = path.removeprefix(source) if source.endswith("/") else Path(path).name
                into = self._at(target, place) / (inside if target.endswith("/") else "")
                into.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / path, into)
                if "--chmod=0555" in options:
                    into.chmod(0o555)

    def _at(self, path: str, place: _Place) -> Path:
        return self.root / os.path.join(place.workdir, path).lstrip("/")


@contextmanager
def built_image(target: str) -> Iterator[Image]:
    """A target of the Dockerfile for the length of a `with` block. Raises `NotToBeHad` where namespaces are forbidden.

    The packages, which are the same until a lock changes, come from the cache.
    """
    probe = ["unshare", "--user", "--map-root-user", "--mount", "--", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    allowed = shutil.which("unshare") and subprocess.run(probe, capture_output=True, timeout=20, check=False)
    if not allowed or allowed.returncode:
        raise NotToBeHad("a root of its own needs `unshare` (util-linux) and user namespaces")
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "warroom"
    home.mkdir(parents=True, exist_ok=True)
    kept = home / f"image-packages-{_hash()}"
    with tempfile.TemporaryDirectory(dir=home, prefix="image-", ignore_cleanup_errors=True) as folder:
        if not kept.is_dir():
            first = _fresh(Path(folder, "packages"))
            first.build("packages")
            # At once as a whole, whoever else is making it.
            try:
                (first.root / "opt" / "warroom").rename(kept)
            except OSError:
                if not kept.is_dir():
                    raise
        image = _fresh(Path(folder, "root"))
        (image.root / "opt" / "warroom").rmdir()
        # Links: nothing that is there is changed by what follows.
        subprocess.run(["cp", "-al", kept, image.root / "opt" / "warroom"], check=True, timeout=120)
        image.build("packages", there=True)
        image.build(target)
        yield image


def _fresh(directory: Path) -> Image:
    """A root with this Python in the place of the base image's."""
    directory.mkdir()
    image = Image(directory)
    (directory / "opt" / "warroom").mkdir()
    python = directory / "python"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", python], check=True, timeout=RUN_SECONDS)
    (packages,) = python.glob("lib/python3*/site-packages")
    shutil.copytree(Path(str(files("pip"))), packages / "pip")
    (python / "bin" / "pip").write_text(
        "#!/python/bin/python\nimport runpy\nrunpy.run_module('pip', run_name='__main__')\n"
    )
    (python / "bin" / "pip").chmod(0o755)
    return image


def _hash() -> str:
    """Of what decides about the packages."""
    digest = hashlib.sha256(sys.version.encode())
    for stage in dockerfile()["stages"]:
        if stage["name"] == "packages":
            digest.update(json.dumps(stage).encode())
    for name in ("runtime.lock", "slim.sh", "strip.py"):
        digest.update((ROOT / "deploy" / "image" / name).read_bytes())
    return digest.hexdigest()[:16]
