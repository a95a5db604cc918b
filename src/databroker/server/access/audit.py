"""What is written, by whom and with which outcome, as lines of a log."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping
from typing import Any

from ..._util.printable import printable, shown
from ...documents.kinds import IDENTITY, OWNER, PAGES, ROWS
from ...errors import DatabrokerError

_LOG = logging.getLogger("databroker.audit")

_MOST = 5
"""So many documents are named, those of one owner as one."""


class audited:
    """Logs what is inserted, once it is known how that went.

    Parameters
    ----------
    who, address
        Who asked, and from where.
    call, arguments
        What was asked.
    """

    def __init__(self, who: str, address: str, call: str, arguments: Mapping[str, Any]) -> None:
        self._who, self._address = who, address
        self._call, self._arguments = call, arguments

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> None:
        code = error.code if isinstance(error, DatabrokerError) else "failed"
        outcome = "stored" if error is None else code
        what = f"{self._call} {_what(self._arguments)}: {outcome}"
        _log(logging.INFO, self._who, self._address, what)


def log_refused(who: str, address: str, what: str) -> None:
    """Log that somebody may not do something."""
    _log(logging.WARNING, who, address, f"{what}: refused")


def log_to_errors() -> None:
    """Have this process print what is logged, where errors go, and warnings as lines of it."""
    handler = logging.StreamHandler()
    handler.setFormatter(OneLine("%(asctime)s %(name)s: %(message)s"))
    logging.basicConfig(handlers=[handler])
    # What is not in a line is not found out; see "Optimization" in Python's HOWTO on logging.
    for each in ("logThreads", "logProcesses", "logMultiprocessing", "logAsyncioTasks"):
        setattr(logging, each, False)
    logging._srcfile = None
    logger = logging.getLogger("databroker")
    logger.setLevel(logging.INFO)
    # Not where in the code it arose: the logs of a machine are read by others.
    warnings.showwarning = lambda message, *_, **__: logger.warning("%s", message)


class OneLine(logging.Formatter):
    """Writes what is said as one line: a path or a name in it could make another one up."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Return the line; a traceback may follow."""
        return printable(super().formatMessage(record), lines=False)


def _log(level: int, who: str, address: str, what: str) -> None:
    said = (printable(text, lines=False) for text in (who, address or "?", what))
    _LOG.log(level, "%s from %s: %s", *said)


def _what(arguments: Mapping[str, Any]) -> str:
    """Say what is inserted, without what is in it.

    Examples
    --------
    >>> _what({"kind": "stop", "doc": {"uid": "s", "run_start": "a", "reason": "tea"}})
    "stop of run 'a'"
    >>> _what({"documents": [("start", {"uid": "a"}), ("event", {"uid": "e", "descriptor": "d"})]})
    "start of run 'a', event of descriptor 'd'"
    >>> _what({"kind": "descriptor", "doc": {"uid": "d", "run_start": "a"}})
    "descriptor 'd' of run 'a'"
    >>> _what({"kind": "event", "owner": "d", "batches": []})
    "event of descriptor 'd'"
    """
    if "owner" in arguments:
        kind = str(arguments["kind"])
        named = [f"{kind} of {OWNER.get(kind, '?')} {arguments['owner']!r:.200}"]
    else:
        documents = arguments.get("documents", [(arguments.get("kind"), arguments.get("doc"))])
        named = list(dict.fromkeys(_named(str(kind), doc) for kind, doc in documents))
    more = f" and {len(named) - _MOST} more" if len(named) > _MOST else ""
    return ", ".join(named[:_MOST]) + more


def _named(kind: str, doc: Any) -> str:
    """Return a document's kind and run; of rows, the uid of what has them, which has the run."""
    found = doc if isinstance(doc, dict) else {}
    if kind == "start":
        return f"start of run {found.get('uid', '?')!r:.200}"
    own = f" {found.get('uid', '?')!r:.200}" if kind in ROWS else ""
    key = next(filter(found.get, ("run_start", *ROWS)), None)
    owner = "?" if key is None else f"{'run' if key == 'run_start' else key} {found[key]!r:.200}"
    # What is no kind is quoted: nobody shall take it for more of the line.
    return f"{kind if kind in IDENTITY or kind in PAGES else shown(kind)}{own} of {owner}"
