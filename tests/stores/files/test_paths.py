"""Files are named by folders, patterns and their own paths, and may be compressed."""

import gzip
import json
import os
import pathlib
import subprocess
import sys
import tempfile
from contextlib import closing

import pytest

import databroker
from databroker.errors import InvalidConfiguration, StoreIsReadOnly
from databroker.stores.files import JSONLStore
from databroker.testing.conformance.base import event, insert_all
from databroker.testing.reference import read_rows
from helpers.run_files import encoded, few, uids, write


def test_patterns_files_and_folders_are_understood(cls, tmp_path):
    for number in range(4):
        (tmp_path / f"{number}").mkdir()
        write(cls, tmp_path / f"{number}", f"run{number}", few(f"{number}"))
    suffix = cls.format.suffix
    for paths, wanted in [
        (tmp_path / "0", "0"),
        ([tmp_path / "0", str(tmp_path / "2" / f"run2{suffix}")], "02"),
        (tmp_path / "*" / f"*{suffix}", "0123"),
        (tmp_path / "[12]" / f"run?{suffix}", "12"),
        (f"{tmp_path}/**/run3{suffix}", "3"),
        (tmp_path / "none" / "*", ""),
    ]:
        with closing(cls(paths)) as store:
            assert uids(store) == list(wanted)
            assert f"{store}".startswith(cls.format.name)


@pytest.mark.parametrize("pattern", ["", "/*.{}"])
def test_a_folder_may_have_a_name_like_a_pattern(cls, tmp_path, pattern):
    folder = tmp_path / "run[1]"
    folder.mkdir()
    write(cls, folder, "a", few("a"))
    with closing(cls(f"{folder}{pattern.format(cls.format.name)}")) as store:
        assert uids(store) == ["a"]
        insert_all(store, few("b"))
        assert uids(store) == ["a", "b"]
        assert (folder / f"b{cls.format.suffix}").exists()


SHUT = {"*/*.jsonl": 0o100, "*/01.jsonl": 0o400, "**/01.jsonl": 0, "**": 0, "*/[0]?.jsonl": 0}
"""What may be done in a folder, too little for a pattern."""


LOOK = """
import json, os, sys, warnings
from databroker.query.nodes import Everything
from databroker.stores.files import JSONLStore

def look(pattern):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        store = JSONLStore(pattern, index=False)
        runs = []
        for _ in range(2):
            store._follower._watch._next_look = 0.0
            runs.append([run.uid for run in store.find(Everything())])
        store.close()
    return runs, [[each.category.__name__, str(each.message)] for each in said]

look(sys.argv[1])  # all that is needed is imported
if os.geteuid() == 0:  # who may read everything
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
print(json.dumps([look(pattern) for pattern in sys.argv[1:]]))
"""


def test_a_folder_that_may_not_be_read_is_named_once():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        folder.chmod(0o777)
        for number, mode in enumerate(SHUT.values()):
            for each in ("open", "shut"):
                (folder / f"{number}" / each).mkdir(parents=True)
                write(JSONLStore, folder / f"{number}" / each, "01", few(each))
            (folder / f"{number}" / "shut").chmod(mode)
        patterns = [f"{folder}/{number}/{pattern}" for number, pattern in enumerate(SHUT)]
        try:
            done = subprocess.run(
                [sys.executable, "-c", LOOK, *patterns],
                env={
                    **os.environ,
                    "PYTHONPATH": str(pathlib.Path(databroker.__file__).parents[1]),
                    "TMPDIR": name,
                },
                capture_output=True,
                text=True,
                check=True,
            )
        finally:
            for each in folder.glob("*/shut"):
                each.chmod(0o755)
    for number, (runs, said) in enumerate(json.loads(done.stdout)):
        assert runs == [["open"], ["open"]]
        ((category, text),) = said
        assert category == "DamageWarning"
        assert f"may not be read is left out: {folder}/{number}/shut. " in text


def test_home_is_a_tilde(cls, empty_home):
    (empty_home / "runs").mkdir()
    write(cls, empty_home / "runs", "a", few("a"))
    with closing(cls("~/runs")) as store:
        assert uids(store) == ["a"]


def test_compressed_files_are_read_and_not_written(cls, folder, store):
    path = folder / f"a{cls.format.suffix}.gz"
    path.write_bytes(gzip.compress(encoded(cls, few("a"))))
    assert uids(store) == ["a"]
    assert len(read_rows(store, "event", "a-desc")) == 3
    with pytest.raises(StoreIsReadOnly, match="compressed"):
        store.insert("event", event(9, "a-desc"))
    path.write_bytes(gzip.compress(encoded(cls, few("b"))))
    assert uids(store) == ["b"]


def test_a_file_of_another_kind_is_refused(cls, tmp_path):
    path = tmp_path / "runs.txt"
    path.touch()
    with pytest.raises(InvalidConfiguration, match=r"runs\.txt is a file whose name does not end"):
        cls(path)
