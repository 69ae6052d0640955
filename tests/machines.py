"""The compared cells and the numeric tests, computed as other processors would compute them.

    python tests/machines.py               under every setting that this processor can run: `make machines`
    python tests/machines.py NAME ...      under these, such as openblas-Prescott

OpenBLAS, MKL, PyTorch and NumPy choose their kernels by the processor, and each kernel rounds in its own way. All four
can be told to choose another one, by the environment of a child process, which is also asked what then really runs.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

ROOT = Path(__file__).resolve().parent.parent
LOGS = ROOT / "_build" / "machines"
REFERENCES = sorted((ROOT / "tests" / "reference").glob("*.ipynb"))
NOT_NUMERIC = ("__init__", "__main__", "execute", "intervals", "journal", "places", "threads")
NOT_NUMERIC += ("printable", "sealed", "secrets")
THEORY = [file.stem for file in sorted((ROOT / "a2a").glob("*.py")) if file.stem not in NOT_NUMERIC]
NUMERIC = [file for module in THEORY if (file := ROOT / "tests" / f"test_{module}.py").exists()]
NUMERIC += sorted((ROOT / "tests" / "lsa").glob("test_*.py"))
MEMORY = 3 * 2**30
"""Bytes that a run may take: pytest and the kernel of a notebook with a language model."""

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
DISPATCHED = " ".join(name for name in __cpu_dispatch__ if __cpu_features__[name])
CORES = {
    "Prescott": ("SSE3",),
    "Sandybridge": ("AVX",),
    "Haswell": ("AVX2", "FMA3"),
    "Zen": ("AVX2", "FMA3"),
    "SkylakeX": ("AVX512_SKX",),
}
CAPABILITIES = {"default": (), "avx2": ("AVX2", "FMA3"), "avx512": ("AVX512_SKX", "FMA3")}
OLDEST = (
    ("OPENBLAS_CORETYPE", "Prescott"),
    ("ATEN_CPU_CAPABILITY", "default"),
    ("MKL_CBWR", "COMPATIBLE"),
    ("NPY_DISABLE_CPU_FEATURES", DISPATCHED),
)

PROBE = """
import json, numpy, scipy.linalg, threadpoolctl, torch
from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__
if torch.backends.mkl.is_available():
    with torch.backends.mkl.verbose(torch.backends.mkl.VERBOSE_ON):
        torch.ones(9, 9) @ torch.ones(9, 9)
print(json.dumps({
    "OpenBLAS": sorted({one.get("architecture", "") for one in threadpoolctl.threadpool_info()} - {""}),
    "PyTorch": [torch.backends.cpu.get_cpu_capability()],
    "NumPy": [name for name in __cpu_dispatch__ if __cpu_features__[name]],
}))
"""


@dataclass(frozen=True)
class Setting:
    """What a child process is told, and the features of the processor that this needs, as NumPy calls them."""

    name: str
    variables: tuple[tuple[str, str], ...] = ()
    needs: tuple[str, ...] = ()
    threads: int = 1

    @property
    def environment(self) -> dict[str, str]:
        """The user's, but for what settings set."""
        owned = {*dict(OLDEST), *THREADS}
        kept = {name: value for name, value in os.environ.items() if name not in owned}
        return kept | dict.fromkeys(THREADS, str(self.threads)) | dict(self.variables)

    @property
    def log(self) -> Path:
        """Where the output of its tests is left."""
        return LOGS / f"{self.name}.log"


NATIVE = Setting("threads-1")
SETTINGS = (
    NATIVE,
    *(Setting(f"openblas-{core}", (("OPENBLAS_CORETYPE", core),), needs) for core, needs in CORES.items()),
    *(Setting(f"torch-{name}", (("ATEN_CPU_CAPABILITY", name),), needs) for name, needs in CAPABILITIES.items()),
    Setting("mkl-compatible", (("MKL_CBWR", "COMPATIBLE"),), ("SSE2",)),
    Setting("numpy-baseline", (("NPY_DISABLE_CPU_FEATURES", DISPATCHED),)),
    Setting("oldest", OLDEST, ("SSE3",)),
    Setting("threads-2", threads=2),
)


def outcome(setting: Setting, tests: Sequence[Path]) -> tuple[str, str]:
    """Run `tests` under a setting, unless the processor can't or nothing changes: the verdict in a word, and why."""
    if lacking := [name for name in setting.needs if not __cpu_features__.get(name)]:
        return "skipped", f"this processor lacks {', '.join(lacking)}"
    found = kernels(setting)
    if setting.variables and found == kernels(NATIVE):
        return "skipped", f"it changes no kernel: {found}"
    if failed := failures(setting, tests):
        return "failed", f"{found}: {', '.join(failed)} (see {setting.log})"
    return "passed", found


@cache
def kernels(setting: Setting) -> str:
    """Which kernels run under a setting, in words."""
    command = [sys.executable, "-c", PROBE]
    said = subprocess.run(command, env=setting.environment, capture_output=True, text=True, check=True).stdout
    found = json.loads(said.splitlines()[-1]) | {"MKL": re.findall(r"CNR:(\S+)", said)[:1]}
    return ", ".join(f"{library} {'+'.join(names) or 'none'}" for library, names in found.items())


def failures(setting: Setting, tests: Sequence[Path]) -> list[str]:
    """The tests that fail under a setting, by name."""
    setting.log.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, setting.log.open("w") as log:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junit-xml={report}", *tests]
        environment = setting.environment | {"A2A_BUILD": folder}  # other kernels trained the layers in the book's
        environment |= {"A2A_EXAMPLES": "5"}  # of a property; a kernel that rounds otherwise needs no more
        code = subprocess.run(command, cwd=ROOT, env=environment, stdout=log, stderr=log).returncode
        failed = list(failed_cases(report)) if report.exists() else []
    return failed or ([f"pytest ended with {code}"] if code else [])


def failed_cases(report: Path) -> Iterator[str]:
    """The names of what failed or couldn't run, from pytest's report."""
    for case in ElementTree.parse(report).iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            file = case.get("classname", "").removesuffix(".ipynb").split(".")[-1]
            yield f"{file} {case.get('name')}".strip()


def at_once() -> int:
    """How many settings run at a time."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(1, min(2, os.cpu_count() or 1, memory // MEMORY))


def outcomes(settings: Sequence[Setting], tests: Sequence[Path]) -> Iterator[tuple[Setting, tuple[str, str]]]:
    """The outcome of each setting, as soon as it is known."""
    together = [setting for setting in settings if setting.threads == 1]
    with ThreadPoolExecutor(at_once()) as pool:
        yield from zip(together, pool.map(lambda setting: outcome(setting, tests), together), strict=True)
    for setting in settings:
        if setting not in together:  # threads that wait for a core that is busy elsewhere take many times as long
            yield setting, outcome(setting, tests)


def main(names: Sequence[str]) -> int:
    """Print a line for each of the named settings, or for all; returns the exit code (1: one failed, 2: refused)."""
    known = {setting.name: setting for setting in SETTINGS}
    if unknown := [name for name in names if name not in known]:
        print(f"no setting {', '.join(unknown)}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    failed = 0
    for setting, (verdict, why) in outcomes([known[name] for name in names or known], [*REFERENCES, *NUMERIC]):
        failed += verdict == "failed"
        print(f"{setting.name:<22}{verdict:<9}{why}", flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
