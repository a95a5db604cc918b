"""Runs and their external files in one folder or zip, which is opened and copied anywhere.

Examples
--------
>>> import databroker, tempfile
>>> db = databroker.temp()
>>> db.insert("start", {"uid": "a", "time": 1.0})
>>> with tempfile.TemporaryDirectory() as folder:
...     pack(db(), f"{folder}/runs.zip").runs
...     verify_pack(f"{folder}/runs.zip")
1
3 files are as packed.
"""

from .pack import pack
from .report import PackReport
from .verify import PackCheck, is_pack, verify_pack

__all__ = ["PackCheck", "PackReport", "is_pack", "pack", "verify_pack"]
