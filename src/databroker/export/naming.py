"""Names of files, made from what is known of a run."""

from __future__ import annotations

import datetime
import re
import string
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .._util.printable import HIDDEN
from ..display.summary import is_number
from ..errors import InvalidKey

if TYPE_CHECKING:
    from ..runs.run import Run

TEMPLATE = "{scan_id}_{uid:.8}"
"""How files are named unless it is said otherwise; a stream and a field follow it."""

_LONGEST = 180  # letters of a name, of which file systems allow 255 bytes
_LATEST = 6e10  # seconds, about the year 3871, and before 1970 the year 69
_UNWANTED = re.compile(rf'(?:{HIDDEN}|[\n/\\:*?"<>|])+')
_PARTS = ("stream", "field")


def file_name(template: str, run: Run, names: Mapping[str, str]) -> str:
    """Return the name of a file, without a suffix; it may begin with folders.

    Parameters
    ----------
    template
        Text with names in braces, as `str.format` has them: ``uid``, ``date`` (when the run began,
        as a `datetime.datetime`), ``stream``, ``field``, and all of the start document
        (``{scan_id}``, ``{sample[name]}``). What a run does not have is left out.
    run
        The run.
    names
        The stream and the field that the file has; they are put at the end if the template does
        not name them.

    Raises
    ------
    InvalidKey
        The template is none.

    Examples
    --------
    >>> import databroker
    >>> db = databroker.temp()
    >>> db.insert("start", {"uid": "5ae1f0c2-4d", "time": 1e9, "scan_id": 7, "sample": "Ni/Cu"})
    >>> file_name("{date:%Y}/{sample}_{scan_id:04}", db[-1], {"stream": "primary"})
    '2001/Ni-Cu_0007_primary'
    """
    known = {**run.start, "uid": run.uid, "date": _date(run), **names}
    missing = [name for name in names if name not in _named_in(template)]
    whole = "_".join([template, *(f"{{{name}}}" for name in _PARTS if name in missing)])
    try:
        parts = [_filled(part, known) for part in whole.split("/")]
    except (ValueError, AttributeError, LookupError, TypeError) as error:
        raise InvalidKey(f"{template!r} is no template for names: {error}.") from None
    return "/".join(part for part in parts if part) or run.uid


def check_template(template: str) -> None:
    """Refuse what can be no template, whatever the run.

    Raises
    ------
    InvalidKey
        It says what is wrong.

    Examples
    --------
    >>> check_template("{uid")
    Traceback (most recent call last):
    databroker.errors.InvalidKey: '{uid' is no template for names: expected '}' before end ...
    """
    try:
        list(string.Formatter().parse(template))
    except ValueError as error:
        raise InvalidKey(f"{template!r} is no template for names: {error}.") from None


def _filled(part: str, known: Mapping[str, Any]) -> str:
    text = "".join(_texts(part, known))
    text = re.sub(r"([_-])[_-]*(?=[_-])", "", text).strip(" _-.")
    return text[:_LONGEST]


def _texts(part: str, known: Mapping[str, Any]) -> Sequence[str]:
    """Return a part of a template as texts, of which none has what a name cannot have."""
    made = []
    formatter = string.Formatter()
    for literal, name, spec, _ in formatter.parse(part):
        made.append(literal)
        if name is None:
            continue
        value, _ = formatter.get_field(name, (), _Known(known))
        made.append(_UNWANTED.sub("-", "" if value is None else format(value, spec or "")))
    return made


class _Known(dict[str, Any]):
    """What is known of a run: None where there is nothing."""

    def __missing__(self, name: str) -> None:
        return None


def _named_in(template: str) -> set[str]:
    try:
        parsed = list(string.Formatter().parse(template))
    except ValueError:
        return set()
    return {re.split(r"[.\[]", name)[0] for _, name, _, _ in parsed if name}


def began(run: Run) -> float | None:
    """Return when a run began; None where it does not say so, or no calendar has that time."""
    seconds = run.start.get("time")
    return seconds if is_number(seconds) and abs(seconds) < _LATEST else None


def _date(run: Run) -> datetime.datetime | None:
    seconds = began(run)
    return None if seconds is None else datetime.datetime.fromtimestamp(seconds, run.session.zone)
