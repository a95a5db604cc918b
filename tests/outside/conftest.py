"""What is here is installed, as far as Python can tell, while it is tested."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _installed(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
