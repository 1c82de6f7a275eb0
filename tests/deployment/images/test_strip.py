"""deploy/image/strip.py on real libraries: what is cut can still be loaded and called."""

from __future__ import annotations

import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import cast

import pytest

from tests.architecture.sources import ROOT

STRIP = ROOT / "deploy" / "image" / "strip.py"


@pytest.fixture(scope="module")
def strip() -> Callable[[Path], int]:
    return cast(Callable[[Path], int], runpy.run_path(str(STRIP))["strip"])


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="images are Linux's")
def test_the_largest_libraries_work_without_their_symbols(strip: Callable[[Path], int], tmp_path: Path) -> None:
    """Catches: a file that is cut where something is still loaded from, and one that is cut twice."""
    for package in ("llvmlite", "pyarrow"):
        found = find_spec(package)
        assert found is not None
        source = Path(str(found.origin)).parent
        shutil.copytree(source, tmp_path / source.name, ignore=shutil.ignore_patterns("tests", "include"))
    libraries = [path for path in tmp_path.rglob("*.so*") if not path.is_symlink()]
    before = {path: path.stat().st_size for path in libraries}
    saved = {path: strip(path) for path in libraries}
    assert sum(saved.values()) > 20e6
    assert {path: size - path.stat().st_size for path, size in before.items()} == saved
    assert [strip(path) for path in libraries] == [0] * len(libraries)
    program = (
        "import llvmlite, llvmlite.binding as llvm, pyarrow as pa, pyarrow.compute as pc, pyarrow.parquet as pq, io\n"
        f"assert llvmlite.__file__.startswith({str(tmp_path)!r}) and pa.__file__.startswith({str(tmp_path)!r})\n"
        "llvm.initialize_native_target(); llvm.initialize_native_asmprinter()\n"
        "module = llvm.parse_assembly('define i64 @f(i64 %a) { %b = mul i64 %a, 6 ret i64 %b }')\n"
        "engine = llvm.create_mcjit_compiler(module, llvm.Target.from_default_triple().create_target_machine())\n"
        "import ctypes\n"
        "assert ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(engine.get_function_address('f'))(7) == 42\n"
        "table, file = pa.table({'a': [1, 2, 3]}), io.BytesIO()\n"
        "pq.write_table(table, file, compression='zstd'); file.seek(0)\n"
        "assert pq.read_table(file).equals(table) and pc.sum(table['a']).as_py() == 6\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()


def test_what_is_no_library_stays_as_it_is(strip: Callable[[Path], int], tmp_path: Path) -> None:
    for content in (b"", b"\x7fELF", b"INPUT(libm.so.6)" * 10, b"\x7fELF\x02\x01", b"\x7fELF\x01\x01" + bytes(100)):
        (tmp_path / "text.so").write_bytes(content)
        assert strip(tmp_path / "text.so") == 0
        assert (tmp_path / "text.so").read_bytes() == content
