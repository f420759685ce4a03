"""What a process and its children hold in memory, as Linux says."""

from pathlib import Path

_PROC = Path("/proc")


def resident(pid: int) -> float:
    """Return the MB that a process and all below it have resident; 0 for one that has ended."""
    return _own(pid) + sum(map(resident, _children(pid)))


def _own(pid: int) -> float:
    try:
        lines = (_PROC / str(pid) / "status").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))


def _children(pid: int) -> list[int]:
    try:
        found = [path.read_text().split() for path in (_PROC / str(pid) / "task").glob("*/children")]
    except OSError:
        return []
    return [int(child) for each in found for child in each]
