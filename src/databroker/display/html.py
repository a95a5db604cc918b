"""What a notebook shows for a broker, for search results and for a run.

Everything that comes from a document is escaped. Colours are left to the
notebook, so that dark ones stay readable; only lines and the words for a
status have one, chosen to be legible on both.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from .. import times
from ..documents.kinds import Document
from .files import HEAD, ShownFile, cells, problems, shortened, totals
from .summary import STREAM, devices, duration, one_line, plan, sample, when

__all__ = [
    "broker_html",
    "document_html",
    "files_html",
    "header_html",
    "results_html",
    "stream_html",
]

_LINE = "border:0;border-bottom:1px solid rgba(128,128,128,.3)"
_CELL = f"text-align:left;vertical-align:top;padding:2px 12px 2px 0;background:none;{_LINE}"
# Browsers and notebooks give tables colours of their own, which a dark page would hide.
_TABLE = "border-collapse:collapse;margin:4px 0;color:inherit;font-size:inherit"
_QUIET = "opacity:.65"
_COLOURS = {
    "success": "#2e9e5b",
    "running": "#3d8bd4",
    "abort": "#c98500",
    "fail": "#d9485f",
}
_DEEPEST = 8
_MOST_ITEMS = 200


def header_html(
    start: Document,
    stop: Document | None,
    streams: Iterable[STREAM],
    status: str,
    zone: datetime.tzinfo | None = None,
    now: float | None = None,
    note: str | None = None,
) -> str:
    """Return a run: how it went, its streams, and its metadata folded away.

    Parameters
    ----------
    start, stop
        Its first and last document; None or empty while it has not ended.
    streams
        For each stream its name, how many events it has, and its fields.
    status
        'success', 'abort', 'fail', 'running' or 'unknown'.
    zone
        Where times are shown; by default the machine's.
    now
        What "ago" is relative to; by default the clock.
    note
        What else a person should know of it.

    Examples
    --------
    >>> html = header_html({"uid": "bb805845", "time": 0}, None, [("primary", 5, ["det"])], "fail")
    >>> "bb805845" in html and "primary" in html
    True
    """
    local = times.resolve_zone(zone)
    reason = stop.get("reason") if stop else None
    facts = [
        ("uid", f"<code>{_shown(start.get('uid'))}</code>"),
        ("status", _status(status) + (f": {_shown(reason)}" if reason else "")),
        ("scan_id", _shown(start.get("scan_id"))),
        ("plan", _shown(plan(start))),
        ("devices", _shown(devices(start))),
        ("sample", _shown(sample(start))),
        ("started", escape(when(start.get("time"), local, now))),
        ("took", escape(duration(start, stop))),
    ]
    parts = [_pairs((name, html) for name, html in facts if html), _streams(streams)]
    parts.append(_folded("Start document", document_html(start, local)))
    if stop:
        parts.append(_folded("Stop document", document_html(stop, local)))
    if note:
        parts.insert(0, _quiet(note))
    return _block("Run " + _shown(str(start.get("uid", ""))[:8]), *parts)


def stream_html(
    name: str,
    run: str,
    events: int,
    descriptors: Sequence[Document],
    zone: datetime.tzinfo | None = None,
) -> str:
    """Return a stream: its fields, and the configuration of its devices folded away.

    Parameters
    ----------
    name
        What it is called.
    run
        The uid of its run.
    events
        How many there are.
    descriptors
        Its descriptors, oldest first. Fields are shown as the newest describes them.
    zone
        As in `header_html`.

    Examples
    --------
    >>> det = {"dtype": "number", "shape": [], "units": "counts", "source": "sim"}
    >>> html = stream_html("primary", "bb805845", 5, [{"data_keys": {"det": det}}])
    >>> "det" in html and "counts" in html and "5 events" in html
    True
    """
    keys: dict[str, Any] = {}
    configuration: dict[str, Any] = {}
    for descriptor in descriptors:
        keys |= descriptor.get("data_keys") or {}
        for device, parts in (descriptor.get("configuration") or {}).items():
            if parts and parts.get("data"):
                configuration[device] = parts["data"]
    rows = [
        (_shown(field), *(_shown(_described(key, word)) for word in _WORDS))
        for field, key in keys.items()
    ]
    said = f"{events:,} event{'' if events == 1 else 's'} of run {_shown(run[:8])}"
    if len(descriptors) > 1:
        said += f" · {len(descriptors)} descriptors"
    parts = [f'<div style="{_QUIET}">{said}</div>']
    parts += [_table(("field", *_WORDS), rows)] if rows else []
    local = times.resolve_zone(zone)
    if configuration:
        parts.append(_folded("Configuration", document_html(configuration, local)))
    return _block("Stream " + _shown(name), *parts)


_WORDS = ("dtype", "shape", "units", "source")


def _described(key: Any, word: str) -> Any:
    value = key.get(word) if isinstance(key, Mapping) else None
    if word == "shape" and isinstance(value, list | tuple):
        return " x ".join(map(str, value))
    if word == "dtype" and isinstance(key, Mapping) and key.get("external"):
        return f"{value} (external)"
    return value


def results_html(
    rows: Sequence[tuple[Document, str]],
    more: int | bool = False,
    zone: datetime.tzinfo | None = None,
    now: float | None = None,
    asked: str = "",
) -> str:
    """Return a list of runs.

    Parameters
    ----------
    rows
        The start document and the status of each run.
    more
        How many further runs there are, or whether there are any.
    zone, now
        As in `header_html`.
    asked
        What was searched for.

    Examples
    --------
    >>> html = results_html([({"uid": "bb805845", "plan_name": "scan"}, "success")], more=True)
    >>> "scan" in html and "and more" in html
    True
    """
    told = _quiet(one_line(asked, 400)) if asked else ""
    return _block("Search results", told, _runs(rows, more, times.resolve_zone(zone), now))


def broker_html(
    name: str | None,
    store: str,
    runs: int,
    newest: Sequence[tuple[Document, str]] = (),
    zone: datetime.tzinfo | None = None,
    now: float | None = None,
) -> str:
    """Return a broker: where its documents live, how many runs, the newest of them.

    Parameters
    ----------
    name
        The name of its configuration.
    store
        Words for its store, without a password.
    runs
        How many there are.
    newest
        Rows as in `results_html`.
    zone, now
        As in `header_html`.

    Examples
    --------
    >>> "12 runs" in broker_html("example", "sqlite: /data/runs.db", 12)
    True
    """
    count = f"{runs:,} run{'' if runs == 1 else 's'}"
    shown = _runs(newest, runs - len(newest), times.resolve_zone(zone), now) if newest else ""
    title = "Broker" + (f" {escape(name)}" if name else "")
    return _block(title, f'<div style="{_QUIET}">{escape(store)} · {count}</div>', shown)


def files_html(files: Sequence[ShownFile]) -> str:
    """Return external files as a table; of a long one, the first and the last.

    Examples
    --------
    >>> "no external files" in files_html([])
    True
    """
    head, left_out, tail = shortened(files)
    rest = [("", "", "", f"… and {left_out:,} more …", "")] if left_out else []
    rows = [tuple(map(escape, row)) for row in [*map(cells, head), *rest, *map(cells, tail)]]
    table = _table(HEAD, rows) if rows else ""
    return _block("Files", _quiet(totals(files)), table, *map(_quiet, problems(files)))


def document_html(doc: Mapping[Any, Any], zone: datetime.tzinfo) -> str:
    """Return a document as a table; what is nested is folded away.

    Examples
    --------
    >>> html = document_html({"a": "<b>", "time": 0}, datetime.timezone.utc)
    >>> "&lt;b&gt;" in html and "1970-01-01 00:00:00 UTC" in html
    True
    """
    return _mapping(doc, zone, 0)


def _mapping(doc: Mapping[Any, Any], zone: datetime.tzinfo, depth: int) -> str:
    items = list(doc.items())
    rows = [
        (one_line(key, 60), _value(key, value, zone, depth)) for key, value in items[:_MOST_ITEMS]
    ]
    if len(items) > _MOST_ITEMS:
        rows.append(("…", f"{len(items) - _MOST_ITEMS} more keys"))
    return _pairs(rows)


def _value(key: Any, value: Any, zone: datetime.tzinfo, depth: int) -> str:
    if isinstance(value, Mapping) and value and depth < _DEEPEST:
        names = one_line(", ".join(map(str, list(value)[:20])), 60)
        return _folded(escape(names), _mapping(value, zone, depth + 1))
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if key == "time" and is_number:
        told = f'<span style="{_QUIET}">{escape(times.format_time(value, zone))}</span>'
        return f"{escape(str(value))} {told}"
    return _shown(value)


def _runs(
    rows: Sequence[tuple[Document, str]],
    more: int | bool,
    zone: datetime.tzinfo,
    now: float | None,
) -> str:
    if not rows:
        return f'<div style="{_QUIET}">no runs</div>'
    head = ("scan_id", "plan", "devices", "sample", "started", "status", "uid")
    body = [
        (
            _shown(start.get("scan_id")),
            _shown(plan(start)),
            _shown(devices(start)),
            _shown(sample(start)),
            escape(when(start.get("time"), zone, now)),
            _status(status),
            f"<code>{_shown(str(start.get('uid', ''))[:8])}</code>",
        )
        for start, status in rows
    ]
    rest = "… and more" if more is True else f"… and {more:,} more" if more > 0 else ""
    return _table(head, body) + (f'<div style="{_QUIET}">{rest}</div>' if rest else "")


def _streams(streams: Iterable[STREAM]) -> str:
    rows = [
        (_shown(name), f"{count:,}", escape(one_line(", ".join(fields), 400)))
        for name, count, fields in streams
    ]
    return _table(("stream", "events", "fields"), rows) if rows else ""


def _status(status: str) -> str:
    colour = _COLOURS.get(status)
    style = f' style="color:{colour};font-weight:600"' if colour else ""
    return f"<span{style}>{escape(status)}</span>"


def _shown(value: Any) -> str:
    return "" if value is None else escape(one_line(value))


def _pairs(rows: Iterable[tuple[str, str]]) -> str:
    lines = "".join(
        f'<tr style="background:none"><th style="{_CELL};font-weight:600">{escape(name)}</th>'
        f'<td style="{_CELL}">{html}</td></tr>'
        for name, html in rows
    )
    return f'<table style="{_TABLE}"><tbody>{lines}</tbody></table>'


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    names = "".join(f'<th style="{_CELL};{_QUIET}">{name}</th>' for name in head)
    lines = "".join(
        '<tr style="background:none">'
        + "".join(f'<td style="{_CELL}">{cell}</td>' for cell in row)
        + "</tr>"
        for row in rows
    )
    return (
        f'<table style="{_TABLE}"><thead><tr style="background:none">{names}</tr></thead>'
        f"<tbody>{lines}</tbody></table>"
    )


def _quiet(text: str) -> str:
    return f'<div style="{_QUIET}">{escape(text)}</div>'


def _folded(summary: str, html: str) -> str:
    return f'<details><summary style="cursor:pointer">{summary}</summary>{html}</details>'


def _block(title: str, *parts: str) -> str:
    heading = f'<div style="font-weight:600;font-size:110%">{title}</div>'
    return f'<div class="databroker">{heading}{"".join(parts)}</div>'
