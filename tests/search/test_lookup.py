"""``db[...]``: what each kind of key finds, and what is said where nothing is found."""

import uuid
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

import databroker
from databroker import Header
from databroker.errors import AmbiguousPrefix, InvalidKey, KeyOfWrongType, NoSuchRun, TooFarBack


@pytest.fixture
def five(save):
    """Five runs, whose scan_ids begin again at 1, inserted in another order than that of time."""
    for number in (3, 1, 5, 2, 4):
        save(f"{'abcde'[number - 1]}{number:07}-uid", number * 100.0, scan_id=(number - 1) % 3 + 1)


def uids(found):
    if isinstance(found, Header):
        return found.uid[0]
    return [uids(item) for item in found]


@pytest.mark.usefixtures("five")
class TestFiveRuns:
    @pytest.mark.parametrize(
        ("key", "wanted"),
        [
            (-1, "e"),
            (-5, "a"),
            (1, "d"),
            (3, "c"),
            ("-1", "e"),
            ("1", "d"),
            (" 2 ", "e"),
            ("+3", "c"),
            (2.0, "e"),
            (Decimal(2), "e"),
            (Fraction(4, 2), "e"),
            (np.int64(-2), "d"),
            (np.float64(3), "c"),
            (np.array(3), "c"),
            ("c", "c"),
            ("c0000003", "c"),
            ("c0000003-uid", "c"),
            ([1, "a", -1], ["d", "a", "e"]),
            ((-1,), ["e"]),
            ([], []),
            ([-1, ["b", slice(-2, None)]], ["e", ["b", ["e", "d"]]]),
            (range(1, 3), ["d", "e"]),
            (np.array([1, 2]), ["d", "e"]),
        ],
    )
    def test_a_key_finds(self, db, key, wanted):
        assert uids(db[key]) == wanted

    def test_a_set_finds_each(self, db):
        assert sorted(uids(db[{1, "a"}])) == ["a", "d"]

    @pytest.mark.parametrize(
        ("start", "stop", "step", "wanted"),
        [
            (-3, None, None, "edc"),
            (-5, None, None, "edcba"),
            (-3, -1, None, "dc"),
            (-3, 0, None, "edc"),
            (-5, None, 2, "eca"),
            (-4, -1, 2, "db"),
            (-1, -3, None, ""),
            (-1, -3, -1, "de"),
            (-1, -6, -2, "ace"),
            (-3, -5, -1, "bc"),
            (-3, None, -1, ""),
            (-2, -2, None, ""),
        ],
    )
    def test_a_slice_is_newest_first(self, db, start, stop, step, wanted):
        assert uids(db[slice(start, stop, step)]) == list(wanted)

    @pytest.mark.parametrize("key", [slice(None), slice(0, 3), slice(5, None), slice(-3, 2)])
    def test_a_slice_that_does_not_count_back_is_refused(self, db, key):
        with pytest.raises(InvalidKey, match=r"negative number.*such as -5:"):
            db[key]

    @pytest.mark.parametrize("key", [slice("a", None), slice(-3, None, 0), slice(-2.5, None)])
    def test_a_slice_of_nonsense_is_refused(self, db, key):
        with pytest.raises(ValueError, match="slice"):
            db[key]

    @pytest.mark.parametrize(
        "key", [True, False, np.True_, [True], 2.9, np.float32(0.5), Decimal("2.5"), float("nan")]
    )
    def test_a_number_that_counts_nothing_is_refused(self, db, key):
        with pytest.raises(InvalidKey, match=r"no whole number|neither a scan_id nor an index"):
            db[key]

    @pytest.mark.parametrize("key", [-6, "-6", slice(-6, None), slice(-1, -7, -1), -(10**40)])
    def test_reaching_past_the_oldest_run_says_how_many_there_are(self, db, key):
        with pytest.raises(TooFarBack, match="only 5 runs") as caught:
            db[key]
        assert isinstance(caught.value, IndexError)

    @pytest.mark.parametrize("key", [4200, "4200", 0])
    def test_a_scan_id_that_is_missing_names_the_newest_run(self, db, key):
        with pytest.raises(NoSuchRun, match=r"no run with scan_id (4200|0)\..*newest.*scan_id 2"):
            db[key]

    @pytest.mark.parametrize("key", ["zz", "C0000003", "c0000003-uid ", ".", "c%", "_", "^c"])
    def test_a_prefix_that_is_missing_names_the_newest_run(self, db, key):
        with pytest.raises(NoSuchRun, match="newest run is scan_id 2, uid 'e0000005'") as caught:
            db[key]
        assert isinstance(caught.value, KeyError)

    @pytest.mark.parametrize("key", [b"c0000003", b"", bytearray(b"\x02"), {}, {"uid": "c0000003"}])
    def test_bytes_and_documents_are_not_taken_item_by_item(self, db, key):
        with pytest.raises(KeyOfWrongType, match=r"give (a uid as text|db\[doc\['uid'\]\])"):
            db[key]

    def test_an_empty_prefix_is_the_beginning_of_all(self, db):
        with pytest.raises(AmbiguousPrefix):
            db[""]

    def test_filters_do_not_apply(self, db):
        db.add_filter(scan_id=1)
        assert uids(db[-1]) == "e"

    @pytest.mark.parametrize("key", [None, object(), 1j, [None]])
    def test_what_is_no_key_is_a_type_error(self, db, key):
        with pytest.raises(TypeError):
            db[key]


class TestAHeaderAsAKey:
    """Whatever stands for a run means that run, wherever a uid does."""

    @pytest.fixture(params=["header", "v2 run"])
    def older(self, request, db, save):
        """The older of two runs, one of whose uids is the beginning of the other's."""
        save("ab", 1.0, scan_id=7)
        save("abc", 2.0, scan_id=7)
        return db["ab"] if request.param == "header" else db.v2["ab"]

    def test_it_is_that_run(self, db, older):
        assert db[older].uid == "ab"
        assert [header.uid for header in db[[older, -1]]] == ["ab", "abc"]
        assert repr(db.v2[older]) == "<BlueskyRun uid='ab'>"
        assert older in db.v2
        assert db.v2.get(older) is not None

    def test_it_can_be_closed(self, db, older):
        assert db.close_run(older, force=True).stop["exit_status"] == "fail"
        assert db["abc"].stop == {}

    def test_the_run_of_another_broker_is_looked_up_here(self, db, older):
        other = databroker.temp()
        with pytest.raises(NoSuchRun, match="'ab' is not among these"):
            other[older]
        db.export([db["ab"]], other)
        assert other[older].db is other
        assert older in other.v2

    def test_results_are_their_runs(self, db, older):
        assert uids(db[db(scan_id=7)]) == ["a", "a"]


def test_a_uuid_is_the_run_of_this_uid(db, save):
    uid = uuid.uuid4()
    save(str(uid))
    assert db[uid].uid == str(uid)


def test_an_empty_broker_says_so(db):
    for key in (5, "abc"):
        with pytest.raises(NoSuchRun, match="no runs here yet"):
            db[key]
    with pytest.raises(TooFarBack, match="no runs here yet"):
        db[-1]


def test_runs_far_back_are_counted_in_the_same_way(db, save):
    for number in range(600):
        save(f"{number:03}", float(number % 10))
    wanted = [header.uid for header in db()]
    assert [header.uid for header in db[-600:]] == wanted
    assert db[-599].uid == wanted[598]
    with pytest.raises(TooFarBack, match="only 600 runs"):
        db[-601]


def test_an_ambiguous_prefix_lists_the_candidates(db, save):
    for number in range(15):
        save(f"ab{number:02}-the-rest", float(number))
    with pytest.raises(AmbiguousPrefix) as caught:
        db["ab1"]
    assert isinstance(caught.value, ValueError)
    assert "ab10-the-rest" in str(caught.value)
    assert "..." not in str(caught.value)
    with pytest.raises(AmbiguousPrefix, match=r"ab09-the-rest\n +\.\.\."):
        db["ab"]


def test_a_whole_uid_is_not_ambiguous(db, save):
    for uid in ("ab", "abc", "abcd"):
        save(uid)
    assert db["ab"].uid == "ab"


def test_digits_are_a_uid_prefix_where_no_run_has_that_scan_id(db, save):
    save("1234-5678", scan_id=99)
    save("77-other", 1.0, scan_id=1)
    assert db["1234"].uid == "1234-5678"
    assert db["1"].uid == "77-other"
    with pytest.raises(NoSuchRun, match="no run with scan_id 55"):
        db["55"]


def test_a_number_that_is_too_long_for_one_is_no_trouble(db, save):
    save("a")
    for key in ("9" * 500, "9" * 5000, 10**40):
        with pytest.raises(NoSuchRun):
            db[key]


def test_scan_ids_are_found_as_numbers(db, save):
    save("text", 1.0, scan_id="7")
    save("list", 2.0, scan_id=[7, 8])
    save("float", 3.0, scan_id=8.0)
    assert db[8].uid == "float"
    assert db[7].uid == "list"


def test_of_a_repeated_scan_id_the_newest_is_found_and_the_notebook_tells_the_others(db, save):
    for number in range(3):
        save(f"{number}bc-{number}", float(number), scan_id=42)
    header = db[42]
    assert header.uid == "2bc-2"
    shown = header._repr_html_()
    assert "scan_id 42 was given to other runs too (this is the newest): 1bc-1, 0bc-0" in shown
    assert "db[42] is the newest" in db["0bc"]._repr_html_()


def test_a_scan_id_of_its_own_is_not_remarked_upon(db, save):
    save("one", scan_id=42)
    save("other", scan_id=43)
    save("neither")
    for uid in ("one", "other", "neither"):
        assert "other runs" not in db[uid]._repr_html_()


@pytest.mark.parametrize(
    "uid", ["'; DROP TABLE runs; --", "a%b", "q'uote\"s", "ü\x00", "😀-1", "a.b"]
)
def test_any_text_is_a_uid(db, save, uid):
    save(uid)
    save("other", 1.0)
    assert db[uid].uid == uid
    assert db[uid[0]].uid == uid
