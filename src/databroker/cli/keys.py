"""``databroker keys``: keys for persons and programs, what they allow, and until when."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .choosing import SearchingCommand
from .command import Command
from .completing import offered
from .output import complain, say, say_styled, width
from .records import Form, json_option, say_json, say_records

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from ..server.access.caller import Scope
    from ..server.access.key_file import KeyFile
    from ..server.access.keys import Key
    from .queries import Query

_Function = TypeVar("_Function", bound=Callable[..., Any])

_COLUMNS = ("name", "id", "scopes", "runs", "made", "expires")


def _complete_key(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    from ..errors import DatabrokerError

    try:
        found = _file(ctx.params.get("keys")).keys().values()
    except DatabrokerError:
        return []
    return offered((each.caller.name for each in found), incomplete)


def keys_option(command: _Function) -> _Function:
    """Give a command the option --keys, which it takes as `keys`."""
    return click.option(
        "--keys",
        type=click.Path(dir_okay=False, path_type=Path),
        help="The file with the keys; by default keys.json in a configuration folder.",
    )(command)


@click.group("keys")
def keys() -> None:
    """Make, list and revoke keys, which give access to 'databroker serve'."""


@keys.command(
    "make",
    cls=SearchingCommand,
    examples=[
        "databroker keys make ann --where proposal=1234",
        "databroker keys make beamline --scope write --expires 2099-12-31",
        "databroker keys make staff --scope read --scope admin --keys ./keys.json --json",
    ],
)
@click.argument("name")
@click.option(
    *("--scope", "scopes"),
    multiple=True,
    type=click.Choice(["read", "write", "admin"]),
    default=["read"],
    show_default=True,
    help="What the key allows. Can be given several times.",
)
@click.option("--expires", metavar="TIME", help="When the key ends, such as 2099-12-31.")
@keys_option
@json_option
def make(
    name: str,
    scopes: tuple[Scope, ...],
    expires: str | None,
    keys: Path | None,
    query: Query,
    form: Form | None,
) -> None:
    """Make a key for NAME, a person or a program, and print it. It is shown only once.

    With conditions, the key is limited to the runs that match; all others are hidden.
    """
    from ..query.parse import from_keywords
    from ..server.access.caller import Caller
    from ..times import resolve_zone

    runs = from_keywords(query.query, query.keywords, resolve_zone())
    until = None if expires is None else _future(expires)
    file = _file(keys)
    key, text = file.make(Caller(name, frozenset(scopes), runs), until)
    if form:
        say_json({**_record(key), "key": text})
    else:
        say(text)
        complain("warning: this key is shown only once. Whoever has it has access.")
    if query and "write" in scopes:
        complain(
            "warning: documents can name any file. Set 'allowed_roots' in the configuration that "
            "is served, so that no other files are opened."
        )


@keys.command("list", cls=Command, examples=["databroker keys list", "databroker keys list --json"])
@keys_option
@json_option
def list_keys(keys: Path | None, form: Form | None) -> None:
    """List the keys: whose they are, what they allow, and until when."""
    found = [_record(key) for key in _file(keys).keys().values()]
    if form:
        say_records(form, _COLUMNS, found)
    elif found:
        from .tables import columns_table

        say_styled(columns_table(_columns(found), width()))
    else:
        say("There are no keys yet. 'databroker keys make NAME' makes one.")


@keys.command("revoke", cls=Command, examples=["databroker keys revoke ann"])
@click.argument("name", shell_complete=_complete_key)
@keys_option
def revoke(name: str, keys: Path | None) -> None:
    """Revoke the key of NAME, or the key with this id, at once."""
    for key in _file(keys).revoke(name):
        say(f"Revoked: {key.caller.name} ({key.id})")


def _file(path: Path | None) -> KeyFile:
    from ..server.access.key_file import KeyFile, default_key_file

    return KeyFile(path or default_key_file())


def _future(text: str) -> float:
    import time

    from ..times import parse_bound, resolve_zone

    found = parse_bound(text, resolve_zone(), "until")
    if found <= time.time():
        raise click.UsageError(f"{text!r} is in the past: a key must expire in the future.")
    return found


def _record(key: Key) -> dict[str, Any]:
    from ..query.nodes import Everything

    kept = key.to_json()
    runs = None if key.caller.query == Everything() else repr(key.caller.query)
    return {
        "name": kept["name"],
        "id": key.id,
        "scopes": kept["scopes"],
        "runs": runs,
        "made": key.made,
        "expires": key.expires,
    }


def _columns(records: list[dict[str, Any]]) -> dict[str, list[str]]:
    from ..display.summary import one_line
    from ..times import format_time, resolve_zone

    zone = resolve_zone()
    return {
        "name": [one_line(each["name"]) for each in records],
        "id": [each["id"] for each in records],
        "scopes": [", ".join(each["scopes"]) for each in records],
        "runs": [one_line(each["runs"] or "all") for each in records],
        "expires": [
            "never" if each["expires"] is None else format_time(each["expires"], zone)
            for each in records
        ],
    }
