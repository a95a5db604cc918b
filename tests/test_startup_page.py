"""The startup file of docs/runengine.md, in the IPython that it is meant for."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from databroker import Broker

PAGE = Path(__file__).parents[1] / "docs/runengine.md"


@pytest.fixture
def session(empty_home):
    """Make a home with the files of the page; run code in a new IPython of it."""
    pytest.importorskip("IPython")
    startup, more = re.findall(r"^```py\n(.*?)^```", PAGE.read_text(), re.M | re.S)
    configuration = re.search(r"^```yaml\n(.*?)^```", PAGE.read_text(), re.M | re.S)[1]
    folders = (".ipython/profile_default/startup", ".config/databroker")
    for folder in folders:
        (empty_home / folder).mkdir(parents=True)
    (empty_home / folders[0] / "00-databroker.py").write_text(startup + more)
    (empty_home / folders[1] / "beamtime.yml").write_text(configuration)

    def run(code):
        subprocess.run(
            [sys.executable, "-m", "IPython", "--no-banner", "-c", code],
            check=True,
            capture_output=True,
            text=True,
            timeout=120,
            env=os.environ | {"IPYTHONDIR": str(empty_home / ".ipython")},
        )

    return run


def test_runs_are_saved_and_scan_ids_go_on_in_the_next_session(session):
    plan = "from bluesky.plans import count; from ophyd.sim import det; "
    session(plan + "RE(count([det])); RE(count([det]), sample='Ni')")
    session(plan + "RE(count([det], num=3))")
    with Broker.named("beamtime") as db:
        assert [header.start["scan_id"] for header in db()] == [3, 2, 1]
        assert {header.start["operator"] for header in db()} == {"Dan"}
        assert {header.status for header in db()} == {"success"}
        assert len(db[3].table()) == 3
