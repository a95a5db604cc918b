"""What a notebook shows: brokers, lists of runs, runs, streams, arrays and documents."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from .. import times
from ..documents.kinds import Document
from .counting import counted, runs_in_words
from .markup import block, code, escape, folded, pairs, quiet, shown, table
from .markup import status as status_html
from .summary import (
    STREAM,
    by_people,
    by_programs,
    facts,
    is_number,
    list_of_runs,
    one_line,
    sample,
    size,
)

_DEEPEST = 8
_MOST_ITEMS = 200
_RUN_FACT = 9
"""Where the columns of a list of runs are cut, so that a page of 800 pixels has room for all."""

_SAID = 12
"""So many things that people said of a run are seen at once."""


def header_html(
    start: Document,
    stop: Document | None,
    streams: Iterable[STREAM],
    status: str,
    zone: datetime.tzinfo | None = None,
    now: float | None = None,
    note: str | None = None,
    source: str | None = None,
) -> str:
    """Return a run: how it went, its streams, and its metadata folded away.

    "Ago" is relative to `now`, which is the clock's by default; the note is what else a person
    should know; the source is said where there are several.
    """
    local = times.resolve_zone(zone)
    reason = stop.get("reason") if stop else None
    known = facts(start, stop, local, now)
    rows = [
        ("status", status_html(status) + (f": {shown(reason)}" if reason else "")),
        *_said(start),
        *((name, escape(known[name])) for name in ("plan", "devices", "started", "took")),
        ("scan_id", escape(known["scan_id"])),
        ("uid", code(known["uid"])),
        ("source", escape(source or "")),
    ]
    ordered = by_people(start) | by_programs(start)
    parts = [quiet(note)] if note else []
    parts += [pairs((name, html) for name, html in rows if html), _streams(streams)]
    parts.append(folded("Start document", document_html(ordered, local)))
    if stop:
        parts.append(folded("Stop document", document_html(stop, local)))
    return block(f"Run {known['uid'][:8]}", *parts)


def _said(start: Document) -> Iterator[tuple[str, str]]:
    """Yield what people said of a run, in short."""
    said = by_people(start)
    for key in list(said)[:_SAID]:
        value = sample(start) if key == "sample" and sample(start) else said[key]
        if value is not None:
            yield one_line(key, 40), escape(one_line(value, 120))
    if len(said) > _SAID:
        yield "…", f"{len(said) - _SAID} more in the start document"


def stream_html(
    name: str,
    run: str,
    events: int,
    descriptors: Sequence[Document],
    zone: datetime.tzinfo | None = None,
) -> str:
    """Return a stream: its fields, and the configuration of its devices folded away.

    The oldest descriptor comes first; fields are shown as the newest describes them.
    """
    keys: dict[str, Any] = {}
    configuration: dict[str, Any] = {}
    for descriptor in descriptors:
        keys |= descriptor.get("data_keys") or {}
        for device, parts in (descriptor.get("configuration") or {}).items():
            if parts and parts.get("data"):
                configuration[device] = parts["data"]
    columns = {"field": [one_line(field) for field in keys]}
    for word in _WORDS:
        columns[word] = [_described(key, word) for key in keys.values()]
    said = f"{counted(events, 'event')} of run {one_line(run)[:8]}"
    if len(descriptors) > 1:
        said += f" · {len(descriptors)} descriptors"
    parts = [quiet(said)]
    parts += [table(columns)] if keys else []
    local = times.resolve_zone(zone)
    if configuration:
        parts.append(folded("Configuration", document_html(configuration, local)))
    return block("Stream " + one_line(name), *parts)


_WORDS = ("dtype", "shape", "units", "source")


def _described(key: Any, word: str) -> str:
    value = key.get(word) if isinstance(key, Mapping) else None
    if word == "shape" and isinstance(value, list | tuple):
        return one_line(" x ".join(map(str, value)), 40)
    if word == "dtype" and isinstance(key, Mapping) and key.get("external"):
        return one_line(f"{value} (external)", 40)
    return "" if value is None else one_line(value)


def streams_html(streams: Iterable[STREAM]) -> str:
    """Return the streams of a run."""
    return block("Streams", _streams(streams) or quiet("none yet"))


def array_html(name: str, shape: Sequence[int], dtype: Any, nbytes: int) -> str:
    """Return a field that is read when it is sliced: what it is, and how large.

    The shape begins with the number of events.
    """
    columns = {
        "events": [f"{shape[0]:,}"],
        "each": [" x ".join(map(str, shape[1:]))],
        "dtype": [str(dtype)],
        "all of it": [size(nbytes)],
    }
    how = quiet("Nothing is loaded until it is sliced, such as [0] or [:].")
    return block(f"Field {one_line(name)}", table(columns, ["events", "all of it"]), how)


def catalogs_html(rows: Sequence[tuple[str, str | None, str | None]]) -> str:
    """Return the configurations of this machine: names, descriptions, and what is wrong."""
    if not rows:
        return block("Catalogs", quiet("none yet; 'databroker demo' makes one"))
    texts = [
        f"broken: {one_line(fault, 400)}" if fault else one_line(said or "")
        for _, said, fault in rows
    ]
    columns = {"name": [one_line(name) for name, _, _ in rows], "description": texts}
    return block("Catalogs", table(columns, widest=48))


def results_html(
    rows: Sequence[tuple[Document, str]],
    more: int | bool = False,
    zone: datetime.tzinfo | None = None,
    asked: str = "",
    title: str = "Search results",
) -> str:
    """Return a list of runs, each its start document and its status.

    `more` is how many further runs there are, or whether there are any; `asked` what was
    searched for.
    """
    searched = quiet(one_line(asked, 400)) if asked else ""
    return block(one_line(title), searched, _runs(rows, more, times.resolve_zone(zone)))


def broker_html(
    name: str | None,
    store: str,
    runs: int | None,
    newest: Sequence[tuple[Document, str]] = (),
    zone: datetime.tzinfo | None = None,
) -> str:
    """Return a broker: its name and store in words, how many runs if known, the newest of them."""
    more = (runs or 0) - len(newest)
    listed = _runs(newest, more, times.resolve_zone(zone)) if newest else ""
    title = "Broker" + (f" {one_line(name)}" if name else "")
    return block(title, quiet(f"{store} · {runs_in_words(runs)}"), listed)


def document_html(doc: Mapping[Any, Any], zone: datetime.tzinfo, depth: int = 0) -> str:
    """Return a document, or what is so deep in it, as a table; what is nested is folded away."""
    items = list(doc.items())
    rows = [
        (one_line(key, 60), _value(key, value, zone, depth)) for key, value in items[:_MOST_ITEMS]
    ]
    if len(items) > _MOST_ITEMS:
        rows.append(("…", f"{len(items) - _MOST_ITEMS} more keys"))
    return pairs(rows)


def _value(key: Any, value: Any, zone: datetime.tzinfo, depth: int) -> str:
    if isinstance(value, Mapping) and value and depth < _DEEPEST:
        names = one_line(", ".join(map(str, list(value)[:20])), 60)
        return folded(names, document_html(value, zone, depth + 1))
    if key == "time" and is_number(value):
        return f"{escape(str(value))} ({escape(times.format_time(value, zone))})"
    return shown(value)


def _runs(rows: Sequence[tuple[Document, str]], more: int | bool, zone: datetime.tzinfo) -> str:
    if not rows:
        return quiet("no runs")
    columns = list_of_runs(rows, zone)
    rest = "… and more" if more is True else f"… and {more:,} more" if more > 0 else ""
    marks = {"uid": code, "status": status_html}
    started = [caption for caption in columns if caption.startswith("started")]
    html = table(columns, ["scan_id"], marks, widest=_RUN_FACT, uncut=started)
    return html + (quiet(rest) if rest else "")


def _streams(streams: Iterable[STREAM]) -> str:
    rows = list(streams)
    columns = {
        "stream": [one_line(name) for name, _, _ in rows],
        "events": [f"{count:,}" for _, count, _ in rows],
        "fields": [one_line(", ".join(fields), 400) for _, _, fields in rows],
    }
    return table(columns, ["events"], widest=32) if rows else ""
