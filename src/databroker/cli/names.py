"""Which broker a command is about: its NAME or, as often as ``-b`` is given, several at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

_BY_OPTION = f"{__name__}.by_option"


class Name(click.Argument):
    """The argument for which ``-b`` may stand."""


class BrokerCommand(click.Command):
    """A command that is called with `names`: its `Name`, or what ``-b`` was given; perhaps none."""

    def __init__(self, name: str, *, params: Sequence[click.Parameter], **more: Any) -> None:
        option = click.Option(
            ["--broker", "-b", "brokers"],
            multiple=True,
            metavar="NAME",
            help="Instead of the name: a configuration or path. Given again, the runs of all.",
        )
        super().__init__(name, params=[*params, option], **more)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the parameters, without the argument that ``-b`` stands for, if it is given."""
        every = super().get_params(ctx)
        return [one for one in every if not (ctx.meta.get(_BY_OPTION) and isinstance(one, Name))]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take apart what was typed: which word is which depends on whether ``-b`` is given."""
        given, _, _ = self.make_parser(ctx).parse_args(list(args))
        ctx.meta[_BY_OPTION] = bool(given.get("brokers"))
        rest = super().parse_args(ctx, args)
        argument = next((one.name for one in self.params if isinstance(one, Name)), None)
        name = None if argument is None else ctx.params.pop(argument, None)
        ctx.params["names"] = ctx.params.pop("brokers") or (() if name is None else (name,))
        return rest
