"""The list of checksums in a pack, as the program ``sha256sum`` writes and checks it."""

from __future__ import annotations

SUMS = "SHA256SUMS"
"""The name of the list; it has a line for each other file of the pack."""

_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r"}
_UNESCAPES = {escape: letter for letter, escape in _ESCAPES.items()}


def sum_line(name: str, digest: str) -> bytes:
    r"""Return the line of a file.

    Examples
    --------
    >>> sum_line("a.txt", "9f86"), sum_line("odd\n.txt", "9f86")
    (b'9f86  a.txt\n', b'\\9f86  odd\\n.txt\n')
    """
    escaped = "".join(_ESCAPES.get(letter, letter) for letter in name)
    mark = "" if escaped == name else "\\"
    return f"{mark}{digest}  {escaped}\n".encode(errors="surrogateescape")


def parse_sum_line(line: bytes) -> tuple[str, str]:
    r"""Return the name and the checksum that a line has.

    Raises
    ------
    ValueError
        It is no such line.

    Examples
    --------
    >>> parse_sum_line(sum_line("odd\n.txt", "9f86"))
    ('odd\n.txt', '9f86')
    """
    text = line.decode(errors="surrogateescape").rstrip("\n")
    digest, space, name = text.partition(" ")
    if not space or name[:1] not in (" ", "*") or not name[1:]:
        raise ValueError(f"{text!r:.80} is no line of checksums")
    name = name[1:]
    if digest.startswith("\\"):
        digest, name = digest[1:], _unescaped(name)
    return name, digest.lower()


def _unescaped(name: str) -> str:
    parts, place = [], 0
    while place < len(name):
        pair = name[place : place + 2]
        parts.append(_UNESCAPES.get(pair, name[place]))
        place += 2 if pair in _UNESCAPES else 1
    return "".join(parts)
