"""The page on configuration names every key that is accepted, and no other."""

import re
from pathlib import Path

import pytest
import yaml

from databroker.config import from_mapping
from databroker.config.configuration import COMMON_KEYS
from databroker.stores.registry import DRIVERS

PAGE = (Path(__file__).parents[1] / "docs/configuration.md").read_text()


def rows(heading):
    """The first cells of the tables below a heading, without their code marks."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    for line in re.findall(r"^\| `.*", section, re.MULTILINE):
        yield [cell.strip().strip("`") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def test_every_common_key_is_on_the_page():
    assert [row[0] for row in rows("Keys of every configuration")] == ["driver", *COMMON_KEYS]


def test_every_key_of_every_driver_is_on_the_page():
    named = {(driver, key) for driver, key, *_ in rows("Drivers and their keys")}
    accepted = {(name, key) for name, driver in DRIVERS.items() for key in driver.accepted or ("",)}
    assert named == accepted


@pytest.mark.parametrize("text", re.findall(r"^```yaml\n(.*?)^```", PAGE, re.M | re.S))
def test_the_files_on_the_page_are_accepted(text, monkeypatch):
    monkeypatch.setenv("LAB_PASSWORD", "swordfish")
    from_mapping(yaml.safe_load(text))
