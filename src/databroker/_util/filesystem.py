"""Where a file is, as far as the operating system knows."""

from __future__ import annotations

import os
from pathlib import Path

from .signals import not_from_signal

_NETWORK = """
    nfs nfs4 cifs smb3 smbfs afs 9p ncpfs lustre gpfs beegfs ceph glusterfs
    fuse.sshfs fuse.glusterfs fuse.ceph pvfs2 orangefs
"""


def is_network_folder(folder: Path) -> bool:
    """Tell whether a folder is on a file system that other machines share.

    Known on Linux; elsewhere the answer is no.
    """
    try:
        mounts = Path("/proc/self/mounts").read_text(errors="replace").splitlines()
    except not_from_signal(OSError):
        return False
    fields = [line.split() for line in mounts]
    kinds = {Path(each[1].replace("\\040", " ")): each[2] for each in fields if len(each) > 2}
    folder = folder.resolve()
    mounted = next((each for each in (folder, *folder.parents) if each in kinds), None)
    return mounted is not None and kinds[mounted] in _NETWORK.split()


def is_writable(path: Path) -> bool:
    """Tell whether a file can be written to, or made, with what SQLite puts beside it."""
    if path.exists():
        return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
    return True
