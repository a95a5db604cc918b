"""The names of columns in a batch of rows.

A document is flat but for a few dictionaries (``data``, ``timestamps``, ...),
and each key of those is a column of its own: ``data/det``. Any key a user can
think of has a name that nothing else has.

Examples
--------
>>> nested("data", "det"), top("seq_num")
('data/det', 'seq_num')
>>> parse("data/det"), parse("seq_num")
(('data', 'det'), ('', 'seq_num'))
"""

from __future__ import annotations

import functools

SHAPE = "#shape"
"""The column that says which keys a row had, where rows differ."""

TIME = "time"
SEQ_NUM = "seq_num"
UID = "uid"


@functools.lru_cache(maxsize=8192)
def nested(outer: str, inner: str) -> str:
    """Return the column of the key ``inner`` in the dictionary ``outer``."""
    return f"{outer}/{_portable(inner)}"


@functools.lru_cache(maxsize=1024)
def top(key: str) -> str:
    """Return the column of a key that is not in a dictionary."""
    name = _portable(key)
    return f"/{name}" if "/" in name or name[:1] in ("#", "!") else name


def exact(column: str) -> str:
    """Return the column that holds what does not fit a typed column exactly."""
    return "!" + column


def parse(column: str) -> tuple[str, str]:
    """Return the dictionary ('' for none) and the key that a column stands for."""
    outer, slash, inner = column.partition("/")
    if not slash:
        return "", _original(outer)
    return outer, _original(inner)


def _portable(text: str) -> str:
    # Arrow wants names in UTF-8, which lone surrogates are not.
    if text.isascii() and text[:1] != "\0":
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return "\0" + text.encode("utf-16-be", "surrogatepass").hex()
    return text if text[:1] != "\0" else "\0" + text.encode("utf-16-be").hex()


def _original(name: str) -> str:
    if name[:1] == "\0":
        return bytes.fromhex(name[1:]).decode("utf-16-be", "surrogatepass")
    return name
