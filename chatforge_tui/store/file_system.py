"""Tells whether a directory lies on this machine's own disk: on others a write-ahead log is not safe."""

import re
import subprocess
import sys
from pathlib import Path

_NOT_LOCAL = frozenset(
    {
        "9p", "afs", "afpfs", "beegfs", "ceph", "cifs", "coda", "davfs", "drvfs", "glusterfs", "gpfs", "lustre", "ncpfs",
        "nfs", "nfs4", "ocfs2", "orangefs", "prl_fs", "smb2", "smb3", "smbfs", "vboxsf", "virtiofs", "webdav",
    }
)  # fmt: skip
_LOCAL_FUSE = frozenset({"fuse.ext2", "fuse.ext4", "fuse.ntfs", "fuse.ntfs-3g", "fuseblk"})


def is_local(directory: Path) -> bool | None:
    """Return whether the directory is on a local file system; None when that cannot be found out."""
    try:
        if sys.platform == "linux":
            mounts = parse_mountinfo(Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape"))
        elif sys.platform == "darwin":
            listing = subprocess.run(["/sbin/mount"], capture_output=True, text=True, timeout=2, check=True)
            mounts = parse_mount_listing(listing.stdout)
        else:
            return None
    except (OSError, subprocess.SubprocessError):
        return None
    return judge(directory.resolve(), mounts)


def judge(directory: Path, mounts: list[tuple[str, str]]) -> bool | None:
    """Return whether the file system that holds the directory is local.

    Args:
        directory: absolute, without symbolic links.
        mounts: (mount point, file system type), in the order in which they were mounted; a later one covers an
            earlier one at the same point.
    """
    best: tuple[int, str] | None = None
    for point, kind in mounts:
        if directory.is_relative_to(point) and (best is None or len(point) >= best[0]):
            best = (len(point), kind)
    if best is None:
        return None
    kind = best[1].lower()
    if kind.startswith("fuse.") or kind in {"fuse", "macfuse", "osxfuse"}:
        return kind in _LOCAL_FUSE
    return kind not in _NOT_LOCAL


def parse_mountinfo(text: str) -> list[tuple[str, str]]:
    """Return (mount point, file system type) of each line of Linux's mountinfo."""
    mounts: list[tuple[str, str]] = []
    for line in text.splitlines():
        before, separator, after = line.partition(" - ")
        fields, kinds = before.split(" "), after.split(" ")
        if separator and len(fields) > 4:
            mounts.append((_unescape(fields[4]), kinds[0]))
    return mounts


def parse_mount_listing(text: str) -> list[tuple[str, str]]:
    """Return (mount point, file system type) of each line that macOS's `mount` prints."""
    found = (re.search(r" on (/.*) \((\w+)", line) for line in text.splitlines())
    return [(match[1], match[2]) for match in found if match]


def _unescape(field: str) -> str:
    r"""Undo the octal escapes of mountinfo (`\040` is a space)."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), field)
