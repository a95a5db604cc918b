"""The runs that a command is about: one, or those that are named or searched for."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import click

from .._util.suggestions import did_you_mean
from ..errors import InvalidQuery, NoSuchRun, NoSuchStream
from .command import BrokerCommand, Command
from .completing import complete_fields, complete_run, complete_stream, complete_time
from .opening import known_names, open_broker
from .queries import Query, query_of, query_of_words

if TYPE_CHECKING:
    from ..broker.broker import Broker
    from ..runs.results import Results
    from ..runs.run import Run
    from ..runs.stream.stream import Stream

Params = Sequence[click.Parameter]
_Function = TypeVar("_Function", bound=Callable[..., Any])

_RUN_HELP = "RUN is a uid or its beginning, a scan_id, or -1 for the newest run, -2 for the next."
_SEVERAL = "Several may be named, or a slice such as -5: for the newest five."

_NEGATIVE: dict[str, Any] = {"ignore_unknown_options": True}
"""The settings of a command whose argument may be -1, which would otherwise be an option."""

_SLICE = re.compile(r"(-?\d*):(-?\d*)(?::(-?\d+))?")
_MAY_BE_NEGATIVE = re.compile(r"-\d*:?-?\d*(:-?\d+)?")


class RunKey(click.ParamType):  # type: ignore[type-arg]
    """What ``db[...]`` takes, as it is typed: a uid, a number, or a slice of the newest runs."""

    name = "run"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> str | slice:
        """Return a key; a slice where one is typed."""
        if not isinstance(value, str):
            return value  # type: ignore[no-any-return]
        if value.startswith("-") and not _MAY_BE_NEGATIVE.fullmatch(value):
            known = [each for known in ctx.command.params for each in known.opts] if ctx else []
            hint = did_you_mean(value, [name for name in known if name.startswith("-")])
            raise click.UsageError(f"There is no option {value}.{hint}", ctx)
        match = _SLICE.fullmatch(value)
        if match is None:
            return value
        return slice(*(int(part) if part else None for part in match.groups()))


class RunCommand(BrokerCommand):
    """A command about one run, whose name it takes as `key`; without one, about the newest."""

    newest: ClassVar[str] = " Without it, the newest is meant."
    default: ClassVar[str | None] = "-1"

    def __init__(self, name: str | None, *, help: str, params: Params = (), **more: Any) -> None:
        runs = _runs_argument("[RUN]")
        super().__init__(
            name,
            help=f"{inspect.cleandoc(help)}\n\n{_RUN_HELP}{self.newest}",
            params=[runs, *params],
            context_settings=_NEGATIVE,
            **more,
        )

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take apart what was typed, of which one word at most is a run."""
        rest = super().parse_args(ctx, args)
        keys = ctx.params.pop("keys") or (self.default,)
        if (len(keys) > 1 or isinstance(keys[0], slice)) and not ctx.resilient_parsing:
            ctx.fail("One run is meant, and not several.")
        ctx.params["key"] = keys[0]
        return rest


class OptionalRunCommand(RunCommand):
    """A command that is about one run if one is named, which it takes as `key`; else None."""

    newest: ClassVar[str] = ""
    default: ClassVar[str | None] = None


class RunPairCommand(BrokerCommand):
    """A command about two runs, which it takes as `keys`; without them, about the two newest."""

    def __init__(self, name: str | None, *, help: str, params: Params = (), **more: Any) -> None:
        runs = _runs_argument("[RUN RUN]")
        super().__init__(
            name,
            help=f"{inspect.cleandoc(help)}\n\n{_RUN_HELP} Without them, the two newest are meant.",
            params=[runs, *params],
            context_settings=_NEGATIVE,
            **more,
        )

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take apart what was typed, of which two words are runs."""
        rest = super().parse_args(ctx, args)
        keys = ctx.params["keys"] = ctx.params["keys"] or ("-2", "-1")
        is_pair = len(keys) == 2 and not any(isinstance(key, slice) for key in keys)
        if not is_pair and not ctx.resilient_parsing:
            ctx.fail("Two runs are meant.")
        return rest


class SearchingCommand(Command):
    """A command that is told by options which runs to search for; it takes them as `query`."""

    def __init__(self, name: str | None, *, params: Params = (), **more: Any) -> None:
        super().__init__(name, params=[*params, *_search_options()], **more)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take apart what was typed, and make one query of what is said of it."""
        rest = super().parse_args(ctx, args)
        said = {name: ctx.params.pop(name) for name in ("where", "text", "since", "until")}
        ctx.params["query"] = _query(ctx, partial(query_of, **said))
        return rest


class SearchCommand(SearchingCommand, BrokerCommand):
    """A command about the runs of a search in a broker."""


class SearchingWords(BrokerCommand):
    """A command that is told by words which runs to search for; it takes them as `query`."""

    def __init__(self, name: str | None, *, params: Params = (), **more: Any) -> None:
        words = click.Argument(["words"], nargs=-1, required=False, metavar="[WORD]...")
        super().__init__(name, params=[words, *params, *_time_options()], **more)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take apart what was typed, and make one query of it."""
        rest = super().parse_args(ctx, args)
        said = {name: ctx.params.pop(name) for name in ("words", "since", "until")}
        ctx.params["query"] = _query(ctx, partial(query_of_words, **said))
        return rest


class RunsCommand(SearchCommand):
    """A command about many runs, which it takes as `chosen`: named, or searched for."""

    def __init__(self, name: str | None, *, help: str, params: Params = (), **more: Any) -> None:
        runs = _runs_argument("[RUN]...")
        super().__init__(
            name,
            help=f"{inspect.cleandoc(help)}\n\n{_RUN_HELP} {_SEVERAL}",
            params=[runs, *params],
            context_settings=_NEGATIVE,
            **more,
        )

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take apart what was typed."""
        rest = super().parse_args(ctx, args)
        keys, query = ctx.params.pop("keys"), ctx.params.pop("query")
        if keys and query:
            ctx.fail("Say which runs, or what to search for, but not both.")
        ctx.params["chosen"] = Chosen(keys, query)
        return rest


def _runs_argument(metavar: str) -> click.Argument:
    return click.Argument(
        ["keys"],
        nargs=-1,
        required=False,
        type=RunKey(),
        metavar=metavar,
        shell_complete=complete_run,
    )


def _query(ctx: click.Context, make: Callable[[], Query]) -> Query:
    """Return a query, or say what is wrong with what was typed; half of it makes none."""
    if ctx.resilient_parsing:
        return Query()
    try:
        return make()
    except InvalidQuery as error:
        ctx.fail(str(error))


def _search_options() -> list[click.Option]:
    """Return what says which runs are searched for."""
    where = click.Option(
        ["--where", "-w"],
        multiple=True,
        metavar="CONDITION",
        help="Only runs of which this holds: key=value, 'key>value' (or != >= < <= ~), or a query "
        "as JSON. Given again, all must hold.",
    )
    text = click.Option(["--text", "-t"], help="Only runs whose metadata have these words.")
    return [where, text, *_time_options()]


def _time_options() -> list[click.Option]:
    since = click.Option(
        ["--since"],
        metavar="TIME",
        shell_complete=complete_time,
        help="Only runs that began at this time or later.",
    )
    until = click.Option(
        ["--until"],
        metavar="TIME",
        shell_complete=complete_time,
        help="Only runs that began before this time.",
    )
    return [since, until]


def stream_option(command: _Function) -> _Function:
    """Give a command the option --stream, which it takes as `stream`."""
    return click.option(
        *("--stream", "-s"),
        default="primary",
        show_default=True,
        shell_complete=complete_stream,
        help="Which stream.",
    )(command)


def fields_option(command: _Function) -> _Function:
    """Give a command the option --fields, which it takes as `fields`."""
    return click.option(
        *("--fields", "-f"),
        shell_complete=complete_fields,
        help="Only these columns, with commas between them.",
    )(command)


@contextmanager
def opened_run(names: Sequence[str], key: str) -> Iterator[Run]:
    """Open a broker, and find the run that is meant."""
    with open_broker(*names) as db:
        yield one_run(db, key)


def one_run(db: Broker, key: str) -> Run:
    """Return the run that is meant.

    Raises
    ------
    NoSuchRun
        There is none; it may be that the name of a configuration was typed.
    """
    try:
        run: Run = db[key]
    except NoSuchRun as error:
        names = known_names()
        if key in names:
            raise NoSuchRun(f"{error} If the configuration is meant, type -b {key}") from None
        raise NoSuchRun(f"{error}{did_you_mean(key, names)}") from None
    return run


def stream_of(run: Run, name: str) -> Stream:
    """Return a stream of a run.

    Raises
    ------
    NoSuchStream
        There is none of this name.
    """
    streams = run.streams
    if name not in streams:
        raise NoSuchStream(
            f"Run {run.uid[:8]} has no stream {name!r}.{did_you_mean(name, streams)} "
            f"Its streams: {', '.join(streams) or 'none yet'}."
        )
    return streams[name]


@dataclass(frozen=True)
class Chosen:
    """Which runs are meant: those of the keys, or those that match; all, if nothing is said."""

    keys: tuple[str | slice, ...]
    query: Query

    def __bool__(self) -> bool:
        return bool(self.keys or self.query)

    def of(self, db: Broker) -> Iterable[Run]:
        """Return the runs: a search, which is lazy, or the runs that are named."""
        if not self.keys:
            return db(self.query.query, **self.query.keywords)
        runs: dict[str, Run] = {}
        for key in self.keys:
            found = db[key] if isinstance(key, slice) else [one_run(db, key)]
            runs.update((run.uid, run) for run in found)
        return list(runs.values())

    def results(self, db: Broker) -> Results[Run]:
        """Return the runs as the results of a search."""
        if not self.keys:
            return db(self.query.query, **self.query.keywords)
        return db({"uid": {"$in": [run.uid for run in self.of(db)]}})
