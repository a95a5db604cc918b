"""What is said of running a server for others is what there is."""

import re
import shlex
import tomllib
from pathlib import Path

import click
import pytest

from databroker.cli.app import app
from databroker.cli.serving import serve
from databroker.server import Limits

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/deploying.md").read_text()
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def commands():
    """Yield what follows ``databroker serve`` on the page, and in a container."""
    yield from re.findall(r"databroker serve (csx[^\n`]*)", PAGE)
    yield re.search(r"^ +databroker (csx.*)$", PAGE, re.MULTILINE)[1]
    (entry,) = re.findall(r'^ENTRYPOINT \["databroker", "serve", (.*)\]', DOCKERFILE, re.MULTILINE)
    yield f"{entry.replace(',', ' ')} csx"


@pytest.mark.parametrize("command", list(commands()))
def test_commands_have_options_that_there_are(command):
    context = serve.make_context("serve", shlex.split(command))
    assert context.params["sources"] == ("csx",)


def test_other_commands_are_there_too():
    said = [shlex.split(line) for line in re.findall(r"`databroker ((?!serve|keys)[^`]+)`", PAGE)]
    assert len(said) > 3
    for name, *arguments in said:
        command = app.get_command(click.Context(app), name)
        known = {option for param in command.params for option in param.opts}
        assert {each for each in arguments if each.startswith("-")} <= known


def test_proxies_take_as_much_as_the_server():
    most = Limits().request_bytes // 2**20
    assert re.findall(r"client_max_body_size (\d+)m;", PAGE) == [str(most)]
    assert re.findall(r"max_size (\d+)MiB", PAGE) == [str(most)]
    (seconds,) = re.findall(r"proxy_read_timeout (\d+)s;", PAGE)
    assert int(seconds) > Limits().answer_seconds


def test_sessions_are_as_many_as_is_said():
    from databroker.stores.sql.engine.postgresql.sessions import MOST

    assert f"Each worker has up to {MOST} sessions" in PAGE


def test_an_image_has_what_the_build_needs_and_extras_that_there_are():
    ignored = (ROOT / ".dockerignore").read_text().split()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = {"src", "pyproject.toml", project["readme"], *project["license-files"]}
    assert needed <= {line[1:] for line in ignored if line.startswith("!")}
    (extras,) = re.findall(r"whl\)\[(.*)\]", DOCKERFILE)
    assert set(extras.split(",")) <= set(project["optional-dependencies"])
    assert re.search(r"^USER [1-9]\d+$", DOCKERFILE, re.MULTILINE)
    assert "/healthz" in DOCKERFILE
