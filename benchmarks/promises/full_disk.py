"""A disk that is full: what was acknowledged can be read, and with room again all goes on."""

from __future__ import annotations

import contextlib
import errno
import subprocess
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import closing
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any

from databroker.errors import StoreUnavailable
from databroker.query.nodes import Everything
from databroker.stores.sql import SQLiteStore

from .outcome import Offered, Outcome, judged, judged_file
from .scenes import many_events, small_runs, wide_events
from .workers import worker

SIZE = "64m"

SCENES = {
    "small runs": lambda: small_runs("s", 60),
    "events and pages": lambda: many_events("m", 2500),
    "wide events": lambda: wide_events("w", 40),
}

ENDINGS = ("goes on", "closed", "killed")
"""What the writer does while the disk is full."""


def run(count: int, seed: int = 0) -> Outcome:
    """Fill so many disks."""
    random, outcome = Random(seed), Outcome()
    loads = [(scene, ending) for scene in SCENES for ending in ENDINGS]
    for number in range(count):
        scene, ending = loads[number % len(loads)]
        try:
            with small_disk() as folder:
                outcome += _one(folder / "runs.db", SCENES[scene](), ending, random)
        except NoDisk as error:
            return Outcome(note=f"not tried: {error}")
    return outcome


class NoDisk(Exception):
    """No small disk can be made."""


@contextlib.contextmanager
def small_disk() -> Iterator[Path]:
    """Have a folder on a disk of its own that is soon full."""
    with tempfile.TemporaryDirectory(prefix="promises-") as folder:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", folder]
        try:
            subprocess.run(mount, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise NoDisk(f"a small disk cannot be mounted here ({error})") from error
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "-l", folder], check=True)


def _one(path: Path, offered: Offered, ending: str, random: Random) -> Outcome:
    filler = path.with_name("filler")
    began = random.randrange(1, len(offered) // 2)
    outcome = Outcome(tried=1)
    try:
        with worker(_write, path, offered, began, random.randrange(0, 100_000)) as writer:
            acknowledged = writer.next()
            outcome += writer.next()
            if ending == "goes on":
                outcome += _in_another_process(path, offered, acknowledged)
                filler.unlink()
                path.with_name("go on").touch()
                outcome += writer.next()
                writer.process.join(60)
            elif ending == "killed":
                writer.process.kill()
                writer.process.join()
            else:
                path.with_name("close").touch()
                writer.process.join(60)
        if ending != "goes on":
            fill(filler, 0)
            outcome += _in_another_process(path, offered, acknowledged)
            filler.unlink()
        outcome += judged_file(path, offered, acknowledged)
    except (TimeoutError, EOFError) as error:
        outcome += Outcome(stuck=1, note=str(error))
    return outcome


def _in_another_process(path: Path, offered: Offered, acknowledged: Any) -> Outcome:
    with worker(_read, path, offered, acknowledged) as reader:
        return reader.next()


def _read(telling: Connection, path: Path, offered: Offered, acknowledged: Any) -> None:
    """Open the file and look at everything, on a full disk."""
    try:
        with closing(SQLiteStore(path)) as store:
            telling.send(judged(store, offered, acknowledged))
    except Exception:
        telling.send(Outcome(stuck=1, note=traceback.format_exc()))


def _write(telling: Connection, path: Path, offered: Offered, began: int, left: int) -> None:
    """Write, run out of room, read, and go on when there is room again."""
    store = SQLiteStore(path)
    acknowledged: set[int] = set()
    for place, (kind, doc) in enumerate(offered[:began]):
        store.insert(kind, doc)
        acknowledged.add(place)
    filler = path.with_name("filler")
    fill(filler, left)
    outcome, refused = Outcome(), 0
    place = began
    while place < len(offered) and refused < 3:
        try:
            store.insert(*offered[place])
        except StoreUnavailable as error:
            refused += 1
            outcome.wrong += "full" not in str(error)
            fill(filler, 0)
        except Exception:
            traceback.print_exc()
            outcome.wrong += 1
            break
        else:
            acknowledged.add(place)
            place += 1
    outcome += judged(store, offered, acknowledged)
    list(store.find(Everything()))
    telling.send(acknowledged)
    telling.send(outcome)
    while not path.with_name("go on").exists():
        if path.with_name("close").exists():
            store.close()
            return
        time.sleep(0.005)
    try:
        for kind, doc in offered[place:]:
            store.insert(kind, doc)
        telling.send(judged(store, offered, range(len(offered))))
    except Exception:
        telling.send(Outcome(stuck=1, note=traceback.format_exc()))
    store.close()


def fill(filler: Path, left: int) -> None:
    """Fill the disk but for some bytes."""
    with filler.open("ab", buffering=0) as file:
        for size in (2**20, 4096, 1):
            with contextlib.suppress(OSError):
                while file.write(b"\0" * size) == size:
                    pass
        try:
            file.truncate(max(0, file.tell() - left))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
