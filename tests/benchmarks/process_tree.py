"""What a program and everything it started use: processor seconds and memory, from /proc."""

import os
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
MEBIBYTE = 2**20
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Use:
    """What a tree of processes has used."""

    cpu_s: float
    """User and system seconds, those of its dead children included."""
    rss_mb: float


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat behind the name, which may hold anything."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def use_of(root: int) -> Use:
    """Add up a process and its descendants; what is gone counts for nothing."""
    parents: dict[int, list[int]] = {}
    stats: dict[int, list[str]] = {}
    for pid in (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()):
        try:
            stat = stats[pid] = _stat(pid)
        except OSError:  # it has ended meanwhile
            continue
        parents.setdefault(int(stat[1]), []).append(pid)
    cpu, pages, found = 0, 0, [root]
    for pid in found:
        if pid in stats:
            stat = stats[pid]
            cpu += sum(map(int, stat[11:15]))
            pages += int(stat[21])
            found += parents.get(pid, [])
    return Use(cpu / TICKS, pages * PAGE / MEBIBYTE)


def busy_s() -> float:
    """Return the processor seconds that the whole machine has used."""
    fields = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    return sum(fields[at] for at in (0, 1, 2, 5, 6)) / TICKS
