"""What this machine can do: devices, precision, versions, and how to share its cores."""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
import subprocess
import warnings
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import perf_counter
from typing import Any, Literal

from gandetect.errors import UsageError, shown

LIBRARIES = (
    "torch",
    "torchvision",
    "torchmetrics",
    "numpy",
    "pandas",
    "scikit-learn",
    "seaborn",
)


SPARE = 64 << 20  # bytes of disk that stay free


def require_room(folder: Path, needed: float, what: str, advice: str) -> None:
    """Raise `UsageError` where ``needed`` bytes for ``what`` do not fit on the folder's disk."""
    place = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    free = shutil.disk_usage(place).free - SPARE
    if needed > free:
        raise UsageError(
            f"{what} needs {needed / 1e9:,.2f} GB in {shown(str(folder))}, where "
            f"{max(free, 0) / 1e9:,.2f} GB are free; free some space, or {advice}"
        )


def resolve_device(wanted: str) -> str:
    """Turn ``auto`` into the best device here; `UsageError` when the wanted one is absent."""
    import torch

    available = devices()
    if wanted == "auto":
        return available[-1]
    if wanted not in available:
        raise UsageError(
            f"--device {wanted} is not available with torch {torch.__version__} on this machine; "
            f"choose one of: auto, {', '.join(available)}"
        )
    return wanted


def devices() -> list[str]:
    """Devices that torch can use here, the slowest first."""
    import torch

    available = ["cpu"]
    if torch.backends.mps.is_available():
        available.append("mps")
    if torch.cuda.is_available():
        available.append("cuda")
    return available


def native_precision(device: str) -> Literal["fp32", "bf16"]:
    """The precision that ``precision = "auto"`` means: bf16 only where hardware has it."""
    import torch

    if device == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
    if device == "cpu":
        tests = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
        native = any(getattr(torch.cpu, test, lambda: False)() for test in tests)
        return "bf16" if native else "fp32"
    return "fp32"


def settle_cuda(*, tf32: bool = False) -> None:
    """Let CUDA compute float32 as float32, and the same work to the same bits; for this process.

    By default cuDNN's convolutions round float32 to TF32's 10 bits of mantissa, which no key of
    an experiment asks for: who wants speed at less precision says ``precision = "bf16"``. cuDNN
    also chooses algorithms that add in any order, so that nothing could go on bit for bit. Without
    CUDA nothing comes of it.
    """
    import torch

    with warnings.catch_warnings():
        # Since torch 2.9 there is a second way to say this. Only this one is read back by all of
        # torch: with the other its compiler and `torch.backends.cudnn.flags` raise.
        warnings.filterwarnings("ignore", ".*TF32", UserWarning)
        torch.backends.cuda.matmul.allow_tf32 = tf32
        torch.backends.cudnn.allow_tf32 = tf32
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False


def matrix_speed(threads: int) -> float:
    """FLOP/s of each of so many busy cores in float32 matrix products, measured in a moment.

    One core alone may run faster than it does beside others.
    """
    import torch

    side, before = 2048, torch.get_num_threads()
    a = torch.ones(side, side)
    best = float("inf")
    torch.set_num_threads(threads)
    try:
        for _ in range(6):  # the first is slow, and another program may take a core
            started = perf_counter()
            a @ a
            best = min(best, perf_counter() - started)
    finally:
        torch.set_num_threads(before)
    return 2 * side**3 / best / threads


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def wait_asleep() -> None:
    """Let OpenMP's threads wait for each other asleep; call it before torch is imported.

    GNU's spin for milliseconds. Where another program takes one of the cores, they spin while they
    wait for the thread that has none: two threads then trained at a third of their speed. To sleep
    at once (``OMP_WAIT_POLICY=PASSIVE``, which is left as it is where it is set) costs a quarter
    where nothing else runs; to spin for a few microseconds costs little in either case.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "1000")


def keep_freed_memory() -> bool:
    """Let the C library keep what this process frees, for the next step; True where it can.

    glibc hands blocks of more than 128 KiB back to the system as soon as they are freed, and a
    training step takes and frees hundreds: the system then clears the same pages again and again,
    which took a sixth of a step of `dcgan-plain`. Elsewhere nothing is changed.
    """
    if platform.system() != "Linux":
        return False
    trim_threshold, mmap_threshold = -1, -3  # their numbers in malloc.h
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library
        return False
    return bool(mallopt(trim_threshold, 512 << 20) and mallopt(mmap_threshold, 64 << 20))


def describe(device: str) -> dict[str, Any]:
    """Versions, machine and device, as the manifest keeps them; no names of users or hosts."""
    return {
        "versions": {
            "python": platform.python_version(),
            "gandetect": own_version(),
            **{name: _version(name) for name in LIBRARIES},
        },
        "machine": {
            "system": f"{platform.system()} {platform.machine()}",
            "processor": _processor(),
            "cores": cores(),
            "device": _device_name(device),
        },
        "git_commit": git_commit(),
    }


def own_version() -> str:
    """The version of gandetect, be it installed or run from a checkout."""
    return str(import_module("gandetect").__version__)


def git_commit() -> str | None:
    """The commit of the checkout that this code runs from; None when it is installed."""
    folder = Path(__file__).resolve().parent.parent
    if not (folder / ".git").exists():
        return None
    command = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except OSError:
        return None
    return answer.stdout.strip() or None


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _device_name(device: str) -> str:
    if device != "cuda":
        return device
    import torch

    return torch.cuda.get_device_name()
