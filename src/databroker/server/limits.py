"""How much a server takes on, and for how long."""

from __future__ import annotations

from dataclasses import dataclass, fields

from ..errors import InvalidConfiguration


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a server; each process of several has its own.

    Attributes
    ----------
    request_bytes
        The size of a request.
    question_bytes
        The size of one that only asks: it is all made values of Python, which take several times
        the room.
    held_bytes
        The size of all requests in progress together, in bytes; it is at least that of one. One
        caller has half of it at most, or one request.
    answer_seconds
        The time for an answer, or for the next part of a long one, in seconds. Inserts take the
        time that they need.
    requests
        The number of requests in progress, without those of followers.
    requests_per_caller
        The number of requests in progress of one caller.
    followers
        The number of followers that wait for something new; one caller has half of them at most.
    threads
        The number of threads that query the stores; one caller has a quarter of them at most.
    connections
        The number of open connections, idle ones included.
    header_seconds
        The time until the headers of a request are complete, in seconds.
    idle_seconds
        How long a connection stays open between two requests, in seconds. It must be longer than
        a reverse proxy keeps it: else a request that the proxy sends just then is lost.
    stalled_seconds
        The time, in seconds, within which a client must send some more of a request, or take some
        kilobytes more of its answer.

    Raises
    ------
    InvalidConfiguration
        A limit is not more than 0.

    Examples
    --------
    >>> Limits(answer_seconds=20).requests
    1000
    >>> Limits(threads=0)
    Traceback (most recent call last):
    databroker.errors.InvalidConfiguration: The limit 'threads' must be more than 0, not 0.
    """

    request_bytes: int = 256 * 2**20
    question_bytes: int = 16 * 2**20
    held_bytes: int = 2**30
    answer_seconds: float = 60.0
    requests: int = 1_000
    requests_per_caller: int = 250
    followers: int = 3_000
    threads: int = 40
    connections: int = 4_000
    header_seconds: float = 20.0
    idle_seconds: int = 75
    stalled_seconds: float = 60.0

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if not value > 0:
                raise InvalidConfiguration(
                    f"The limit {each.name!r} must be more than 0, not {value}."
                )

    def largest(self, *, writes: bool) -> int:
        """Return how many bytes a request has at most, which writes or only asks."""
        return self.request_bytes if writes else min(self.request_bytes, self.question_bytes)
