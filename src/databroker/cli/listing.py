"""``databroker list`` and ``databroker search``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .choosing import SearchCommand, SearchingWords
from .completing import complete_column
from .opening import open_broker
from .output import say, say_styled, width
from .queries import Query, listed
from .records import Form, record_options

if TYPE_CHECKING:
    from ..broker.broker import Broker
    from ..runs.run import Run

_Function = TypeVar("_Function", bound=Callable[..., Any])


def _shown_as(command: _Function) -> _Function:
    """Give a command the options that say how many runs it prints, and what of them."""
    options = (
        click.option(
            *("--limit", "-n"),
            type=click.IntRange(min=1),
            default=20,
            show_default=True,
            help="How many runs, the newest.",
        ),
        click.option(
            *("--columns", "-c"),
            shell_complete=complete_column,
            help="Only these columns, with commas between them: captions of the list, events, "
            "source, or any metadata such as sample.name or stop.reason.",
        ),
        click.option("--uids", is_flag=True, help="Print nothing but whole uids, a line each."),
        record_options,
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command(
    "list",
    cls=SearchCommand,
    examples=[
        "databroker list",
        "databroker list --limit 100",
        "databroker list -b example --where plan_name=scan --since 2024",
        "databroker list --columns scan_id,started,sample.name,events",
        "databroker list --json -c uid,sample",
    ],
)
@_shown_as
def list_runs(names: tuple[str, ...], query: Query, **shown: Any) -> None:
    """List runs, the newest first."""
    with open_broker(*names) as db:
        if _say_runs(db, query, **shown):
            say(f"There are more: these are the newest {shown['limit']}. See --limit.")


@click.command(
    "search",
    cls=SearchingWords,
    examples=[
        "databroker search good sample",
        "databroker search plan_name=scan 'num_points>=5' --since 2024",
        "databroker search '\"good sample\" -burnt'",
        """databroker search '{"motors": {"$in": ["motor", "eta"]}}' --count""",
        "databroker search sample~^good --csv -c uid,started,operator",
    ],
)
@click.option("--count", is_flag=True, help="Print only how many runs there are.")
@_shown_as
def search(names: tuple[str, ...], query: Query, count: bool, **shown: Any) -> None:
    """Search runs by words of their metadata, by conditions, or by queries as JSON.

    Words are whole words, and all must occur; in one pair of quotes, '"good sample" -burnt'
    finds words that stand together, and leaves out runs with others. A condition is key=value,
    'key>value' (or != >= < <= ~, which is a pattern); a query is a JSON object.
    """
    from ..display.counting import runs_in_words

    with open_broker(*names) as db:
        found = db(query.query, **query.keywords)
        if count:
            say(str(found.count()))
        elif _say_runs(db, query, **shown):
            say(f"These are the newest {shown['limit']} of {runs_in_words(found.count())}.")


def _say_runs(
    db: Broker, query: Query, limit: int, columns: str | None, uids: bool, form: Form | None
) -> bool:
    """Print runs; tell whether there are more, which a person should know."""
    runs = iter(db(query.query, **query.keywords))
    shown = islice(runs, limit)
    if uids:
        for run in shown:
            say(run.uid)
    elif form:
        _say_records(shown, listed(columns), form)
    else:
        first = next(shown, None)
        if first is None:
            say("No run is like that." if query else f"There are no runs yet in {db.store}.")
            return False
        _say_table(db, list(chain([first], shown)), listed(columns))
        return next(runs, None) is not None
    return False


def _say_records(runs: Iterable[Run], columns: list[str] | None, form: Form) -> None:
    from ..runs.pipeline import COLUMNS
    from .columns import value_of
    from .records import say_records

    names = columns or COLUMNS
    say_records(form, names, ({name: value_of(run, name) for name in names} for run in runs))


def _say_table(db: Broker, runs: list[Run], columns: list[str] | None) -> None:
    from ..display.summary import list_of_runs
    from .tables import runs_table

    if columns:
        from .columns import explain_empty, texts_of

        chosen = texts_of(runs, columns, db.zone)
        explain_empty(db.store, chosen)
    else:
        chosen = list_of_runs([(run.start, run.status) for run in runs], db.zone)
    say_styled(runs_table(chosen, width()))
