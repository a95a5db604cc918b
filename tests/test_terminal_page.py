"""The page on the command says what the commands say of themselves."""

import importlib.util
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"


def made():
    spec = importlib.util.spec_from_file_location("terminal_page", DOCS / "terminal_page.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_made_from_the_commands():
    again = "make it again: python docs/terminal_page.py"
    assert (DOCS / "terminal.md").read_text(encoding="utf-8") == made().page(), again
