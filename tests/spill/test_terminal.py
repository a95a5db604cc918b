"""What the terminal says of what waits, and how it sends it."""

import pytest
import yaml

from databroker import Broker
from databroker.cli import main
from databroker.stores.spill.journal import new_journal
from databroker.testing.conformance.base import start, whole_run


@pytest.fixture
def typed(capsys):
    """Run a command; give its exit code and output."""

    def run(*arguments):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        shown = capsys.readouterr()
        assert shown.err == ""
        return caught.value.code or 0, shown.out

    return run


@pytest.fixture
def folder(empty_home, postgresql_config):
    """Where documents of the configuration 'lab' wait."""
    place = empty_home / ".config/databroker"
    place.mkdir(parents=True)
    (place / "lab.yml").write_text(yaml.safe_dump(postgresql_config))
    with Broker.named("lab") as db:
        assert db.store.folder.parent == empty_home / ".local/share/databroker/spill"
        return db.store.folder


@pytest.fixture
def left(folder):
    """Leave documents waiting, as a program that was killed."""

    def leave(*pairs):
        journal = new_journal(folder, {}, sync=False)
        journal.append(pairs)
        journal.close()

    return leave


def test_what_waits_is_told_and_sent(typed, left):
    code, said = typed("status", "-b", "lab")
    assert code == 0
    assert "nothing waits" in said
    left(*whole_run("a"))
    code, said = typed("status", "-b", "lab")
    assert code == 0
    assert f"{len(whole_run())} documents wait" in said
    assert "runs      0" in said
    assert ".spill" in said
    with Broker.named("lab") as db:
        stats = db.stats()
        assert (stats["runs"], stats["waiting"], stats["refused"]) == (0, len(whole_run()), [])
        assert stats["bytes"] > 0
    assert typed("replay", "-b", "lab") == (0, f"Sent: {len(whole_run())} documents.\n")
    assert typed("replay", "-b", "lab") == (0, "Nothing waits to be sent.\n")
    with Broker.named("lab") as db:
        assert db[-1].start["uid"] == "a"
        assert db.stats()["waiting"] == 0


def test_what_was_refused_is_told_until_its_file_is_removed(typed, left):
    left(("start", start("a")))
    typed("replay", "-b", "lab")
    left(("start", start("a", sample="another")), ("start", start("b")))
    code, said = typed("replay", "-b", "lab")
    assert code == 1
    assert "start 'a': ConflictingDocument" in said
    assert ".refused" in said
    code, said = typed("status")
    assert "start 'a': ConflictingDocument" in said
    assert "runs      2" in said


def test_what_waits_for_a_former_address_is_told_and_sent_to_the_new_one(typed, left, folder):
    left(*whole_run("a"))
    former = folder.rename(folder.with_name("http-former"))
    for command in ("status", "replay"):
        code, said = typed(command, "-b", "lab")
        assert code == 0
        assert f"for other addresses:\n  {former}" in said
    sent = f"Sent: {len(whole_run())} documents.\n"
    assert typed("replay", "-b", "lab", "--from", str(former)) == (0, sent)
    assert "other addresses" not in typed("status", "-b", "lab")[1]
    with Broker.named("lab") as db:
        assert db["a"].uid == "a"
