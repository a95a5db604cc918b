"""Keys of servers are made, listed and revoked in a terminal."""

import json
import os
import stat
from pathlib import Path

import pytest

from databroker.cli.outcome import MISUSED, NO, NOT_THERE
from databroker.server import KeyFile
from databroker.server.access.authenticator import Credentials
from databroker.server.command import serve


def test_a_key_is_shown_once_and_kept_for_its_owner_alone(run_at_lab, empty_home):
    code, out, errors = run_at_lab("keys", "make", "ann")
    assert code == 0
    assert "shown only once" in errors
    path = empty_home / ".config/databroker/keys.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    secret = out.strip().split("_", 2)[2]
    assert secret not in path.read_text()
    assert secret not in run_at_lab("keys", "list")[1]
    assert KeyFile(path).authenticate(Credentials(out.strip())).name == "key:ann"


def test_keys_are_listed_with_what_they_are_for(run_at_lab):
    assert run_at_lab("keys", "list")[1].startswith("There are no keys yet")
    run_at_lab("keys", "make", "ann", "--where", "proposal=1234", "--since", "2026")
    run_at_lab("keys", "make", "scan", "--scope", "write", "--expires", "2099-12-31")
    _, ann, scan = run_at_lab("keys", "list")[1].splitlines()
    assert "Key('proposal') == 1234" in ann
    assert "never" in ann
    assert "write" in scan
    assert "2099-12-31" in scan
    (first, _) = json.loads(run_at_lab("keys", "list", "--json")[1])
    assert (first["name"], first["scopes"], first["expires"]) == ("ann", ["read"], None)


def test_a_key_is_revoked_by_its_name_or_its_id(run_at_lab, tmp_path):
    path = str(tmp_path / "keys.json")
    ids = [
        json.loads(run_at_lab("keys", "make", name, "--keys", path, "--json")[1])["id"]
        for name in ("ann", "bob", "eve")
    ]
    assert run_at_lab("keys", "revoke", "ann", "--keys", path)[0] == 0
    assert run_at_lab("keys", "revoke", ids[1], "--keys", path)[0] == 0
    assert list(KeyFile(path).keys()) == [ids[2]]
    code, _, errors = run_at_lab("keys", "revoke", "ann", "--keys", path)
    assert code == NOT_THERE
    assert "There: eve." in errors


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--expires", "2020"], MISUSED, "is in the past"),
        (["--expires", "soon"], MISUSED, "soon"),
        (["--scope", "everything"], MISUSED, "everything"),
        (["--where", "=5"], MISUSED, "no condition"),
        (["--scope", "write", "--where", "stop.exit_status=success"], NO, "by their start alone"),
    ],
)
def test_a_key_that_makes_no_sense_is_not_made(run_at_lab, empty_home, arguments, code, words):
    found, _, errors = run_at_lab("keys", "make", "ann", *arguments)
    assert (found, words in errors) == (code, True), errors
    assert not list(Path(empty_home).rglob("keys.json"))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may")
def test_an_administrator_leaves_the_file_to_its_owner(run_at_lab, tmp_path):
    path = tmp_path / "keys.json"
    for arguments in (["make", "ann"], ["make", "bob"], ["revoke", "ann"]):
        run_at_lab("keys", *arguments, "--keys", str(path))
        os.chown(path, 12345, 12346)
    run_at_lab("keys", "revoke", "bob", "--keys", str(path))
    assert (path.stat().st_uid, path.stat().st_gid) == (12345, 12346)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_keys_have_names_each_its_own(run_at_lab):
    assert "is empty" in run_at_lab("keys", "make", " ")[2]
    assert "There is none yet." in run_at_lab("keys", "revoke", "ann")[2]
    run_at_lab("keys", "make", "ann")
    code, _, errors = run_at_lab("keys", "make", "ann")
    assert (code, "There is a key of 'ann' already" in errors) == (NO, True)


def test_who_writes_some_runs_is_warned(run_at_lab):
    arguments = ["keys", "make", "ann", "--scope", "write", "--where", "proposal=1"]
    assert "allowed_roots" in run_at_lab(*arguments)[2]


def test_a_file_that_has_no_keys_is_left_alone(run_at_lab, tmp_path):
    path = tmp_path / "keys.json"
    path.write_text("[1]")
    for arguments in (["make", "ann"], ["list"], ["revoke", "ann"]):
        code, _, errors = run_at_lab("keys", *arguments, "--keys", str(path))
        assert (code, "is no file of keys" in errors) == (NO, True)
    assert path.read_text() == "[1]"


def test_a_file_of_keys_is_found_as_configurations_are(run_at_lab, tmp_path, monkeypatch):
    monkeypatch.setenv("DATABROKER_PATH", str(tmp_path))
    (tmp_path / "keys.json").write_text('{"keys": {}}')
    run_at_lab("keys", "make", "ann")
    assert "ann" in (tmp_path / "keys.json").read_text()


def test_what_is_served_is_for_whom_files_and_options_name(run, tmp_path, monkeypatch):
    served = []
    monkeypatch.setattr(serve, "run_worker", lambda serving, *_: served.append(serving))
    auth, keys = tmp_path / "auth.yml", tmp_path / "keys.json"
    auth.write_text("proxy: {addresses: [10.0.0.5], headers: {user: X-Remote-User}}")
    arguments = ["serve", "example", "--port", "0", "--keys", str(keys), "--auth", str(auth)]
    origin = "https://site.example.org"
    assert run(*arguments, "--no-token", "--allow-origin", origin)[0] == 0
    (serving,) = served
    assert (serving.keys, serving.auth, serving.with_token) == (keys, auth, False)
    assert serving.origins == (origin,)
    auth.write_text("oidc: {issuer: a, audience: b, keys: nowhere.json}")
    code, _, errors = run(*arguments)
    assert (code, "nowhere.json cannot be read" in errors) == (NO, True), errors
    auth.write_text("proxy: {addresses: [10.0.0.5]}\noidcc: {}")
    assert "auth.yml, line 2: there is no key 'oidcc'" in run(*arguments)[2]
    assert len(served) == 1


def test_names_of_keys_are_offered_to_who_revokes_one(run_at_lab, completed):
    for name in ("ann", "bob"):
        assert run_at_lab("keys", "make", name)[0] == 0
    assert completed("databroker keys revoke ").split() == ["plain,ann", "plain,bob"]
    assert completed("databroker keys revoke b").split() == ["plain,bob"]
