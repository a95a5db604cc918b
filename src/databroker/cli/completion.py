"""``databroker completion``."""

from __future__ import annotations

import click

from .command import Command
from .output import say_exactly

_SHELLS = ("bash", "zsh", "fish")


@click.command(
    "completion",
    cls=Command,
    examples=["databroker completion bash", "databroker completion zsh"],
)
@click.argument("shell", type=click.Choice(_SHELLS), required=False)
def completion(shell: str | None) -> None:
    """Print what makes a shell complete commands, options, configurations, runs and fields.

    For bash, put this line into ~/.bashrc, for zsh with zsh into ~/.zshrc:

        eval "$(databroker completion bash)"

    For fish, write the output into ~/.config/fish/completions/databroker.fish. Without SHELL, it is
    for the one that you use.
    """
    from click.shell_completion import get_completion_class

    from .app import app

    chosen = shell or _own_shell()
    kind = get_completion_class(chosen)
    assert kind is not None  # click has all that can be chosen
    say_exactly(f"{kind(app, {}, 'databroker', '_DATABROKER_COMPLETE').source()}\n")


def _own_shell() -> str:
    import os

    name = os.path.basename(os.environ.get("SHELL", ""))
    if name not in _SHELLS:
        raise click.UsageError(f"Say for which shell: {', '.join(_SHELLS)}.")
    return name
