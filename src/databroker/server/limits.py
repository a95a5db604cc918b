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
        The size of all requests that are being answered, together; it is not less than that of one.
    answer_seconds
        For how long the store may be asked for an answer or, of a long one, for its next part.
        What is inserted takes the time that it takes.
    requests
        How many requests are answered at once.
    requests_per_caller
        How many of these are of one caller.
    followers
        How many requests, besides those, are of followers that wait for what comes; one caller
        has half of them at most.
    threads
        How many threads ask the stores; one caller has half of them at most.
    connections
        How many connections are open, idle ones too.
    header_seconds
        For how long a connection may be open until the headers of a request have come.
    idle_seconds
        For how long a connection stays open between two requests: longer than a reverse proxy
        keeps it, which would lose a request that it sends just then.
    stalled_seconds
        For how long a client may send nothing more of a request that it has begun, or take
        nothing more of its answer: some kilobytes at least, in this time.

    Raises
    ------
    InvalidConfiguration
        One is not more than 0.

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
