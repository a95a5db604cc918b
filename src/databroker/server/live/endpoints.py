"""The endpoints of live streams: changes, runs, the documents of one run."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from ...documents.readonly import ALL
from ...errors import InvalidRequest, NoSuchRun
from ...runs.following.runs import RunsFollower
from ...runs.results import Results
from ...runs.run import Run
from .event_stream import EventStream
from .feeds import DocumentsFeed, Feed, RunsFeed, StateFeed
from .messages import cursor_of

if TYPE_CHECKING:
    from ..source import SourceView

_HEARTBEAT = 15.0
"""Seconds between two heartbeats; proxies close silent connections after a minute or so."""


async def changes(view: SourceView, request: Request) -> Response:
    """Send an event each time that more is stored."""
    return _stream(view, request, StateFeed(_cursor(request)))


async def runs(view: SourceView, request: Request) -> Response:
    """Send runs as they begin and end."""
    session = view.session
    search = partial(Results, session, make_run=partial(Run, session))
    follower = await view.run(RunsFollower, view.signed_store, search, _cursor(request))
    feed = RunsFeed(follower, view.run, [view.caller.name])  # for whom cursors are signed
    return _stream(view, request, feed)


async def documents(view: SourceView, request: Request) -> Response:
    """Send the documents of a run until it ends."""
    cursor, asked = _cursor(request), request.query_params
    if isinstance(cursor, dict) and cursor.get("ended"):
        return Response(status_code=204)  # upon which browsers do not come again
    uid = request.path_params["uid"]
    record = await view.run(view.store.record, uid)
    if record is None:
        raise NoSuchRun(f"There is no run {uid!r:.80} here.")
    stream, fields = asked.get("stream", ALL), asked.get("fields")
    run = Run(view.session, record)
    follower = run.follow(stream, None if fields is None else fields.split(","), cursor=cursor)
    feed = DocumentsFeed(follower, view.run, [uid, stream, fields])
    return _stream(view, request, feed)


def _cursor(request: Request) -> object:
    """Return the cursor of a request, which browsers that reconnect send by themselves."""
    given = request.headers.get("last-event-id") or request.query_params.get("cursor")
    return cursor_of(given)


def _stream(view: SourceView, request: Request, feed: Feed) -> Response:
    return EventStream(view.listening(), feed, _heartbeat(request), view.is_still_valid)


def _heartbeat(request: Request) -> float:
    text = request.query_params.get("heartbeat", str(_HEARTBEAT))
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.1 <= seconds <= 60:
        raise InvalidRequest(f"'heartbeat' takes 0.1 to 60 seconds, not {text!r:.80}.")
    return seconds


STREAMS = {"live": changes, "live/runs": runs, "live/runs/{uid:path}": documents}
"""The endpoints by their paths below the version."""
