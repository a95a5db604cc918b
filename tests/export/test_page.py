"""The page about exports names every format, and every option of each."""

import importlib
import inspect
from pathlib import Path

import pytest

from databroker.export import registry

PAGE = (Path(__file__).parents[2] / "docs" / "export.md").read_text()


def kind_of(name):
    module, _, kind = registry._OURS[name].partition(":")
    return getattr(importlib.import_module(f"databroker.export.{module}"), kind)


@pytest.mark.parametrize("name", registry._OURS)
def test_a_format_is_in_the_table(name):
    row = next(line for line in PAGE.splitlines() if line.startswith("| `") and f"`{name}`" in line)
    assert f"`{kind_of(name).suffix}`" in row


@pytest.mark.parametrize("name", registry._OURS)
def test_an_option_is_documented(name):
    constructors = (base.__init__ for base in kind_of(name).__mro__ if base is not object)
    options = {each for init in constructors for each in inspect.signature(init).parameters}
    for option in options - {"self", "args", "kwargs", "options"}:
        assert f"{option}=" in PAGE, option
