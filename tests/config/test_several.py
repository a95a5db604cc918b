"""Configurations that list members, and names that are opened together."""

import os

import pytest

from databroker.config import from_mapping, load, load_together, lookup_config, survey_configs
from databroker.errors import InvalidConfiguration, StoreUnavailable, UnknownBrokerName

ALL = """\
driver: federation
members:
- csx
- name: archive
  driver: sqlite
  path: old/runs.db
- {driver: memory}
write_to: csx
skip_unavailable: true
"""


@pytest.fixture
def written(write):
    write("csx.yml", "driver: sqlite\npath: ~/csx.db\ntimezone: Europe/Berlin\n")
    write("all.yml", ALL)


def test_members_are_names_or_mappings(written, home):
    found = load("all")
    assert list(found.members) == ["csx", "archive", "member 3"]
    assert found.members["csx"].timezone == "Europe/Berlin"
    folder = home / ".config/databroker"
    assert found.members["archive"].options == {"path": str(folder / "old/runs.db")}
    assert found.options == {"write_to": "csx", "skip_unavailable": True}
    assert found.stale_after is None
    assert "members=['csx', 'archive', 'member 3']" in repr(found)
    assert lookup_config("all")["members"][0] == "csx"


def test_it_is_opened_with_its_members(written, home):
    (home / ".config/databroker/old").mkdir()
    store = load("all").open()
    assert list(store.members) == ["csx", "archive", "member 3"]
    assert (home / "csx.db").exists()
    store.close()


def test_a_member_may_list_members(written, write):
    write("more.yml", "driver: federation\nmembers: [all, {driver: memory}]\n")
    assert list(load("more").members["all"].members) == ["csx", "archive", "member 3"]


def test_members_may_have_the_old_forms(home, write):
    source = "{driver: bluesky-mongo-embedded-catalog, args: {datastore_db: 'mongodb://h/d'}}"
    write("catalogs.yml", f"sources: {{old: {source}}}")
    write("both.yml", "driver: federation\nmembers: [old]\n")
    assert load("both").members["old"].driver == "mongo-embedded"
    assert survey_configs()["both"].fault is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("members: csx", "line 2: 'members' must be a list"),
        ("members: []", "line 2: 'members' must be a list"),
        ("", "needs 'members'"),
        ("members: [nowhere]", "line 2: the member 'nowhere' cannot be used.*no configuration"),
        ("members: [5]", "a member is a name or a mapping, not 5"),
        ("members: [csx, csx]", "two members are called 'csx'"),
        ("members: [csx]\nwrite_to: cxs", "line 3: 'write_to' is 'cxs'.*'csx'"),
        ("members: [csx]\nskip_unavailable: 1", "line 3: 'skip_unavailable' must be true or false"),
        ("members: [csx]\nskip: 1", "line 3: there is no key 'skip'"),
        ("members: [{driver: sqlit}]", "line 2: There is no driver 'sqlit'"),
        ("members: [bad]", "the member 'bad' cannot be used.*bad.yml, line 2: 'path' must be"),
        ("members: [wrong]", r"wrong -> wrong: it would contain itself"),
    ],
)
def test_mistakes_say_where(written, write, text, said):
    write("bad.yml", "driver: sqlite\npath: 5\n")
    write("wrong.yml", f"driver: federation\n{text}\n")
    with pytest.raises(InvalidConfiguration, match=said):
        load("wrong")


def test_names_are_opened_together(written, write):
    write("other.yml", "driver: memory\ntimezone: Europe/Berlin\n")
    found = load_together(["csx", "other"], "other", False)
    assert (found.name, found.timezone) == ("csx+other", "Europe/Berlin")
    assert found.original == {
        "driver": "federation",
        "members": ["csx", "other"],
        "write_to": "other",
    }
    assert load_together(["csx", "all"], None, True).timezone is None
    with pytest.raises(InvalidConfiguration, match=r"'all'.*'csx', 'other'"):
        load_together(["csx", "other"], "all", False)
    with pytest.raises(UnknownBrokerName, match="'nowhere'"):
        load_together(["csx", "nowhere"], None, False)


# -- secrets ---------------------------------------------------------------


def test_a_secret_may_stand_in_a_variable(write, monkeypatch):
    monkeypatch.setenv("LAB_PASSWORD", "swordfish")
    write("lab.yml", "driver: postgresql\nuri: 'postgresql://ann:{{ env(LAB_PASSWORD) }}@db/lab'\n")
    found = load("lab")
    assert found.options["uri"] == "postgresql://ann:swordfish@db/lab"
    assert "swordfish" not in repr(found)
    assert "swordfish" not in str(lookup_config("lab"))
    assert "swordfish" not in str(found.original)


def test_templates_are_filled_in_wherever_they_stand(write, home, monkeypatch):
    monkeypatch.setenv("DATA", "/mnt/data")
    text = """\
    description: costs {{ much }}
    driver: sqlite
    path: "{{ CATALOG_DIR }}/{{env('DATA')}}.db"
    root_map: {/old: '{{ env("DATA") }}/new'}
    allowed_roots: ['{{ env(DATA) }}']
    """
    write("lab.yml", text)
    found = load("lab")
    assert found.options["path"] == f"{home}/.config/databroker/mnt/data.db"
    assert found.root_map == {"/old": "/mnt/data/new"}
    assert found.allowed_roots == ("/mnt/data",)
    assert found.description == "costs {{ much }}"


def test_templates_work_in_members_too(monkeypatch):
    monkeypatch.setenv("DATA", "/mnt/data")
    mapping = {"driver": "sqlite", "path": "{{ env(DATA) }}/a.db"}
    found = from_mapping({"driver": "federation", "members": [mapping]})
    (member,) = found.members.values()
    assert member.options["path"] == os.path.normpath("/mnt/data/a.db")


@pytest.mark.parametrize("value", ["{{ env(HOME) }}", "{{ env(HOME) }}/runs.db"])
def test_braces_without_quotes_are_told_from_other_mistakes(write, value):
    write("lab.yml", f"driver: sqlite\npath: {value}\n")
    with pytest.raises(InvalidConfiguration, match=r"line 2: .*braces is written in quotes"):
        load("lab")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("{{ env(NOT_THERE) }}", "line 2: the environment variable 'NOT_THERE' is not set"),
        ("{{ shell(pass show lab) }}", "line 2: the template 'shell' is not supported.*no command"),
        ("{{ nonsense }}", "line 2: the template 'nonsense' is not supported"),
        ("{{ env(HOME) | upper }}", r"the template 'env\(HOME\) \| upper' is not supported"),
        ("{{ env() }}", "the template 'env' is not supported"),
        ("{{}}", "the template '' is not supported"),
    ],
)
def test_a_template_that_stands_for_nothing_is_an_error(write, value, said):
    write("lab.yml", f"driver: sqlite\npath: '{value}'\n")
    with pytest.raises(InvalidConfiguration, match=said):
        load("lab")


def test_no_document_waits_for_any_of_them_if_that_is_not_wished():
    away = {"driver": "postgresql", "uri": "postgresql://127.0.0.1:9/lab", "spill_after": 9}
    both = {"driver": "federation", "members": [{"driver": "memory"}, away]}
    found = from_mapping(both).without_spill()
    assert [member.options.get("spill") for member in found.members.values()] == [None, False]
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        found.open()
