"""Writes terminal.md, the page on the command, from the commands themselves."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path

import click

from databroker.cli.app import SECTIONS, app
from databroker.cli.outcome import CODES

HERE = Path(__file__).parent

EVERYWHERE = {"--help", "--debug", "--broker"}
"""Options of which the page speaks once."""

KINDS = {"integer range": "NUMBER", "integer": "NUMBER", "float": "NUMBER"}
"""What is called otherwise than click does."""

INTRODUCTION = """\
# In a terminal

What one wants of a run at three in the morning is one line:

    databroker list                           # the newest runs
    databroker table                          # the data of the newest
    databroker plot 1234 --y I0               # a picture of scan 1234, in the terminal
    databroker search good sample             # full text, and conditions such as 'scan_id>1200'
    databroker export -5: --format xlsx -o out  # the newest five as workbooks
    databroker doctor                         # why does it not work?

Each command explains itself with `--help`. With `--debug`, an error is shown with where in the
code it arose.

**Which broker.** `-b NAME`, before the command or behind it, names a configuration, a path
(`-b ./runs`, `-b home.db`) or the address of [a server](serving.md) (with its token in the variable
`DATABROKER_TOKEN`: command lines can be read by all on a machine); given again, the runs of
[several](several-sources.md) are one. Without it, the variable `DATABROKER` says which, or else it
is the only configuration, or `example`.

**Which runs.** RUN is what `db[...]` takes: the beginning of a uid, a scan_id, -1 for the newest,
and where several are meant, a slice such as `-5:`. Many runs are searched for by `--where`,
`--text`, `--since` and `--until`:

    databroker list --where plan_name=scan --where 'scan_id>=1200' --where 'sample.name~^Ni'
    databroker list --where '{"$or": [{"motors": "eta"}, {"motors": "phi"}]}' --since 2024-03

A condition is a key, one of `=`, `!=`, `>`, `>=`, `<`, `<=` or `~` (a pattern), and a value; a
shell wants those with `<` or `>` in quotes. [Search](search.md) has all that a query can say.

**In scripts.** Results go to the standard output, errors, warnings and progress to the other one.
Where a command has `--json` or `--csv`, these stay as they are from version to version, while
what is made for people may change. Colours and progress are for terminals only, where lines end
where words do, and the variable `NO_COLOR` turns colours off. The exit code says what happened:

"""

COMPLETION = """
**Completion.** Shells complete commands, options, configurations, runs, fields and formats. For
bash, put this line into `~/.bashrc` (for others, see `databroker completion --help`):

    eval "$(databroker completion bash)"

<!-- Made by `python docs/terminal_page.py` from the commands; do not edit. -->
"""


def page() -> str:
    """Return the page."""
    codes = "".join(f"- `{code}`: {meaning}\n" for code, meaning in CODES.items())
    return "".join([INTRODUCTION, codes, COMPLETION, *sections()]).replace("\n\n\n", "\n\n")


def sections() -> Iterator[str]:
    """Yield what is said of each command, section by section."""
    context = click.Context(app, info_name="databroker")
    for title, names in SECTIONS.items():
        yield f"\n## {title}\n"
        for name in names:
            command = app.get_command(context, name)
            assert command is not None
            yield from described(command, f"databroker {name}")


def described(command: click.Command, path: str) -> Iterator[str]:
    """Yield what is said of a command, and of those in it."""
    with click.Context(command, info_name=path) as context:
        usage = " ".join(command.collect_usage_pieces(context))
        yield f"\n### {path}\n\n    {path} {usage}\n\n{paragraphs(command.help or '')}\n"
        options = list(filter(None, map(row, command.get_params(context))))
        if options:
            yield "\n| option | |\n| --- | --- |\n"
            yield from (f"| {names} | {text} |\n" for names, text in options)
    examples = getattr(command, "examples", ())
    if examples:
        yield "\n" + "".join(f"    {line}\n" for line in examples)
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from described(inner, f"{path} {name}")


def paragraphs(text: str) -> str:
    """Return help as Markdown: names in capitals and options as they are typed."""
    whole = inspect.cleandoc(text).replace("\b\n", "")
    return whole.replace("<", "&lt;")


def row(param: click.Parameter) -> tuple[str, str] | None:
    """Return an option as the page shows it; None for what every command has."""
    if not isinstance(param, click.Option) or EVERYWHERE.intersection(param.opts):
        return None
    names = ", ".join(f"`{name}`" for name in param.opts)
    if not param.is_flag:
        names += f" {param.metavar or KINDS.get(param.type.name, param.type.name.upper())}"
    default = param.default
    text = param.help or ""
    if param.show_default and default not in (None, False, ()):
        several = default if isinstance(default, list | tuple) else [default]
        text += f" By default {', '.join(f'`{each}`' for each in several)}."
    return names, text.replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    (HERE / "terminal.md").write_text(page(), encoding="utf-8")
