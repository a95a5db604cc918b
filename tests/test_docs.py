"""Every example in the documentation runs, page by page, in one namespace each."""

import doctest
import re
import warnings
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def examples(page: Path) -> list[str]:
    """The Python blocks of a page."""
    return re.findall(r"^```python\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_examples_of_a_page_run(page, at_demo_home, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # examples may write files
    blocks = examples(page)
    assert all(">>> " in block for block in blocks), "examples are written as sessions"
    test = doctest.DocTestParser().get_doctest("".join(blocks), {}, page.name, str(page), 0)
    failures: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("default")  # as a reader has it
        result = doctest.DocTestRunner(optionflags=OPTIONS).run(test, out=failures.append)
    assert result.failed == 0, "".join(failures)
    assert result.attempted == len(test.examples)


def test_the_readme_names_the_two_commands():
    readme = (ROOT / "README.md").read_text()
    makefile = (ROOT / "Makefile").read_text()
    for command in ("make demo", "make test"):
        assert command in readme
        assert re.search(rf"^{command.split()[1]}:", makefile, re.MULTILINE)


def test_links_between_pages_lead_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_file_that_is_named_is_there():
    places = (
        ROOT,
        ROOT / "src/databroker",
        ROOT / "src/databroker/stores",
        ROOT / "tests/interface",
    )
    for page in [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]:
        for name in re.findall(r"`([a-z_0-9/]+\.py)`", page.read_text()):
            assert any((place / name).exists() for place in places), f"{page.name} names {name}"
