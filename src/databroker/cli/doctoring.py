"""``databroker doctor``."""

from __future__ import annotations

import click

from .command import BrokerCommand
from .opening import known_names
from .outcome import NO
from .output import say, say_styled, width
from .records import Form, json_option, say_records

_MARKS = {"good": ("ok", "green"), "note": ("note", "yellow"), "bad": ("BAD", "red")}


@click.command(
    "doctor",
    cls=BrokerCommand,
    examples=[
        "databroker doctor",
        "databroker doctor -b example",
        "databroker doctor --brief",
        "databroker doctor --json",
    ],
)
@click.option("--brief", is_flag=True, help="Only what is not as it should be.")
@json_option
def doctor(names: tuple[str, ...], brief: bool, form: Form | None) -> int | None:
    """Look why a broker does not do what one expects, and say how that is mended.

    Looks at what is installed, at the configurations, and at the brokers that are named, or all:
    whether the store can be reached, root maps lead to folders, handlers can be imported, there
    is room on the disk, the clock is right, and whether documents wait for a server.

    Ends with the exit code 1 if something does not work.
    """
    from ..doctor import examine
    from .tables import findings_table

    found = list(examine(names or known_names()))
    shown = [each for each in found if not (brief and each.state == "good")]
    if form:
        say_records(form, ("state", "about", "found", "mend"), map(vars, shown))
    elif shown:
        rows = [(*_MARKS[each.state], each.about, each.found, each.mend) for each in shown]
        say_styled(findings_table(rows, width()))
    else:
        say("All is as it should be.")
    return None if all(each.ok for each in found) else NO
