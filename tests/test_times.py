import contextlib
import datetime
import math
import subprocess
import sys
import warnings
import zoneinfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from databroker.errors import DatabrokerError, InvalidConfiguration, InvalidQuery
from databroker.times import (
    ago,
    clock_time,
    format_time,
    parse_bound,
    resolve_zone,
    zone_names,
)

UTC = resolve_zone("UTC")
BERLIN = resolve_zone("Europe/Berlin")
NEW_YORK = resolve_zone("America/New_York")
APIA = resolve_zone("Pacific/Apia")  # had no 2011-12-30 at all
LORD_HOWE = resolve_zone("Australia/Lord_Howe")  # changes by half an hour
ZONES = [UTC, BERLIN, NEW_YORK, APIA, LORD_HOWE, resolve_zone("Asia/Kathmandu")]


def shown(value, zone=UTC, **kwargs):
    return format_time(parse_bound(value, zone, **kwargs), zone)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2015", "2015-01-01 00:00:00 UTC"),
        ("2015-3", "2015-03-01 00:00:00 UTC"),
        ("2015-03", "2015-03-01 00:00:00 UTC"),
        ("2015-3-5", "2015-03-05 00:00:00 UTC"),
        ("  2015-3-5\n", "2015-03-05 00:00:00 UTC"),
        ("2015-3-5 1", "2015-03-05 01:00:00 UTC"),
        ("2015-3-5 1:2", "2015-03-05 01:02:00 UTC"),
        ("2015-3-5   1:2:3", "2015-03-05 01:02:03 UTC"),
        ("2015-03-05T10:01:30", "2015-03-05 10:01:30 UTC"),
        ("2015-03-05t10", "2015-03-05 10:00:00 UTC"),
        ("2015-03-05T10:01:30Z", "2015-03-05 10:01:30 UTC"),
        ("2015-03-05 10:01:30 UTC", "2015-03-05 10:01:30 UTC"),
        ("2015-03-05T10:01:30+02:00", "2015-03-05 08:01:30 UTC"),
        ("2015-03-05T10:01:30-0530", "2015-03-05 15:31:30 UTC"),
        ("2015-03-05 10:01 +2", "2015-03-05 08:01:00 UTC"),
        ("1969-12-31 23:59:59", "1969-12-31 23:59:59 UTC"),
        ("0001", "0001-01-01 00:00:00 UTC"),
    ],
)
def test_text_is_the_first_instant_of_what_it_names(text, expected):
    assert shown(text) == expected
    assert shown(text, edge="until") == expected


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-1-1 0:0:1.5", 1.5),
        ("1970-1-1 0:0:1,25", 1.25),
        ("1969-12-31 23:59:58.75", -1.25),
        ("2020-11-04 22:11:59.017866850", 1604527919.01786685),
        ("2020-11-04T22:11:59.0073605Z", 1604527919.0073605),
    ],
)
def test_fractions_of_a_second(text, seconds):
    assert parse_bound(text, UTC) == seconds


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        " ",
        "03/05/2015",
        "2015/03/05",
        "5 March 2015",
        "20150305",
        "1425549690",
        "15-3-5",
        "2015-13",
        "2015-0",
        "2015-2-30",
        "2015-3-5 24",
        "2015-3-5 10:60",
        "2015-3-5 10:01:60",
        "2015-3-5 10:01:30.",
        "2015-03Z",
        "2015-3-5 10:01+25:00",
        "0000",
        "٢٠١٥",
        "tuesday week",
        "3 fortnights ago",
        "-3 days ago",
        "days ago",
        "999999999 days ago",
        "3000 years ago",
        "today 10",
        "today 25:00",
        "today 13 pm",
        "0am",
        "15",
        "8h",
        "10:60",
        "last today",
        "this monday",
        "1.5 days ago",
        "-8",
        "- h",
        "22:00 22:00",
        "2015\x00",
        "'; drop table runs; --",
        "😀",
        "9" * 100_000,
        True,
        False,
        None,
        float("nan"),
        10**400,
        b"2015",
        [2015],
        {},
        object(),
        datetime.time(10),
        datetime.timedelta(days=1),
        np.datetime64("NaT", "s"),
        np.array([1, 2]),
        np.bool_(True),
        pd.NaT,
    ],
)
def test_anything_else_is_refused_and_shows_the_accepted_forms(wrong):
    with pytest.raises(InvalidQuery, match="accepted are '2015', '2015-3'") as caught:
        parse_bound(wrong, UTC)
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, DatabrokerError)
    assert len(str(caught.value)) < 1_000


def test_the_error_says_what_is_wrong_with_a_date():
    with pytest.raises(InvalidQuery, match=r"month must be in 1\.\.12"):
        parse_bound("2015-13", UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (0, 0.0),
        (5, 5.0),
        (-1.5, -1.5),
        (np.float32(0.5), 0.5),
        (np.float64(1.5), 1.5),
        (np.int64(7), 7.0),
        (float("inf"), math.inf),
    ],
)
def test_numbers_are_seconds_since_1970(value, seconds):
    found = parse_bound(value, NEW_YORK)
    assert found == seconds
    assert type(found) is float


def test_dates_and_datetimes():
    naive = datetime.datetime(2015, 3, 5, 10, 1, 30, 500_000)
    expected = parse_bound("2015-03-05 10:01:30.5", NEW_YORK)
    assert parse_bound(naive, NEW_YORK) == expected
    assert parse_bound(naive.replace(tzinfo=NEW_YORK), BERLIN) == expected
    assert parse_bound(pd.Timestamp(naive), NEW_YORK) == expected
    assert parse_bound(pd.Timestamp(naive, tz="America/New_York"), BERLIN) == expected
    assert parse_bound(np.datetime64(naive), NEW_YORK) == expected
    assert parse_bound(np.datetime64(naive, "ns"), NEW_YORK) == expected
    midnight = parse_bound("2015-03-05", NEW_YORK)
    assert parse_bound(naive.date(), NEW_YORK) == midnight
    assert parse_bound(np.datetime64("2015-03-05"), NEW_YORK) == midnight


def test_an_aware_datetime_keeps_the_reading_that_it_has():
    later = datetime.datetime(2015, 10, 25, 2, 30, tzinfo=BERLIN, fold=1)
    assert parse_bound(later, UTC, "since") == later.timestamp()
    assert parse_bound(later.replace(fold=0), UTC, "until") == later.timestamp() - 3600


# Thursday, 5 March 2015, 10:01:30 in New York.
NOW = parse_bound("2015-03-05 10:01:30", NEW_YORK)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", "2015-03-05 10:01:30 EST"),
        ("today", "2015-03-05 00:00:00 EST"),
        (" Yesterday ", "2015-03-04 00:00:00 EST"),
        ("thursday", "2015-03-05 00:00:00 EST"),
        ("wednesday", "2015-03-04 00:00:00 EST"),
        ("Friday", "2015-02-27 00:00:00 EST"),
        ("monday", "2015-03-02 00:00:00 EST"),
        ("90 seconds ago", "2015-03-05 10:00:00 EST"),
        ("1 minute ago", "2015-03-05 10:00:30 EST"),
        ("a minute ago", "2015-03-05 10:00:30 EST"),
        ("an hour ago", "2015-03-05 09:01:30 EST"),
        ("2 hours ago", "2015-03-05 08:01:30 EST"),
        ("3 days ago", "2015-03-02 10:01:30 EST"),
        ("1 week ago", "2015-02-26 10:01:30 EST"),
        ("2 months ago", "2015-01-05 10:01:30 EST"),
        ("3 months ago", "2014-12-05 10:01:30 EST"),
        ("8 months ago", "2014-07-05 10:01:30 EDT"),
        ("2 years ago", "2013-03-05 10:01:30 EST"),
        ("0 days ago", "2015-03-05 10:01:30 EST"),
        ("8 h ago", "2015-03-05 02:01:30 EST"),
        ("8h ago", "2015-03-05 02:01:30 EST"),
        ("-8h", "2015-03-05 02:01:30 EST"),
        ("- 8 hrs", "2015-03-05 02:01:30 EST"),
        ("1.5 h ago", "2015-03-05 08:31:30 EST"),
        ("-90s", "2015-03-05 10:00:00 EST"),
        ("-5 min", "2015-03-05 09:56:30 EST"),
        ("-1d", "2015-03-04 10:01:30 EST"),
        ("-2 weeks", "2015-02-19 10:01:30 EST"),
        ("-1mo", "2015-02-05 10:01:30 EST"),
        ("-1y", "2014-03-05 10:01:30 EST"),
        ("tomorrow", "2015-03-06 00:00:00 EST"),
        ("last thursday", "2015-02-26 00:00:00 EST"),
        ("last wednesday", "2015-03-04 00:00:00 EST"),
        ("this week", "2015-03-02 00:00:00 EST"),
        ("Last Week", "2015-02-23 00:00:00 EST"),
        ("this month", "2015-03-01 00:00:00 EST"),
        ("last month", "2015-02-01 00:00:00 EST"),
        ("this year", "2015-01-01 00:00:00 EST"),
        ("last  year", "2014-01-01 00:00:00 EST"),
        ("3am", "2015-03-05 03:00:00 EST"),
        ("3 AM", "2015-03-05 03:00:00 EST"),
        ("12am", "2015-03-05 00:00:00 EST"),
        ("12 pm", "2015-03-04 12:00:00 EST"),
        ("10:01", "2015-03-05 10:01:00 EST"),
        ("10:02", "2015-03-04 10:02:00 EST"),
        ("9:30:15", "2015-03-05 09:30:15 EST"),
        ("9:30 pm", "2015-03-04 21:30:00 EST"),
        ("yesterday 22:00", "2015-03-04 22:00:00 EST"),
        ("yesterday at 10 pm", "2015-03-04 22:00:00 EST"),
        ("today 22:00", "2015-03-05 22:00:00 EST"),
        ("monday 3am", "2015-03-02 03:00:00 EST"),
        ("last thursday 23:59:59", "2015-02-26 23:59:59 EST"),
    ],
)
def test_relative_times(text, expected):
    assert shown(text, NEW_YORK, now=NOW) == expected


def test_days_are_counted_by_the_calendar_and_hours_by_the_clock():
    # Clocks went forward in the night to 8 March.
    now = parse_bound("2015-03-08 12:00", NEW_YORK)
    assert shown("1 day ago", NEW_YORK, now=now) == "2015-03-07 12:00:00 EST"
    assert shown("24 hours ago", NEW_YORK, now=now) == "2015-03-07 11:00:00 EST"


@pytest.mark.parametrize(
    ("now", "text", "zone", "since", "until"),
    [
        ("2015-10-25 12:00", "2:30", BERLIN, "25 02:30:00 CEST", "25 02:30:00 CET"),
        ("2015-10-25 12:00", "today 2:30", BERLIN, "25 02:30:00 CEST", "25 02:30:00 CET"),
        ("2015-10-26 12:00", "yesterday 2:30 am", BERLIN, "25 02:30:00 CEST", "25 02:30:00 CET"),
        ("2015-03-29 12:00", "2:30", BERLIN, "29 03:00:00 CEST", "29 03:00:00 CEST"),
        ("2015-03-30 12:00", "sunday 2am", BERLIN, "29 03:00:00 CEST", "29 03:00:00 CEST"),
        ("2015-03-29 12:00", "-12h", BERLIN, "28 23:00:00 CET", "28 23:00:00 CET"),
        ("2015-03-30 02:30", "1 day ago", BERLIN, "29 03:00:00 CEST", "29 03:00:00 CEST"),
        ("2015-10-05 12:00", "yesterday 2:15", LORD_HOWE, "04 02:30:00 +11", "04 02:30:00 +11"),
        ("2011-12-31 12:00", "yesterday", APIA, "31 00:00:00 +14", "31 00:00:00 +14"),
        ("2011-12-31 12:00", "yesterday 22:00", APIA, "31 00:00:00 +14", "31 00:00:00 +14"),
    ],
)
def test_phrases_where_clocks_change(now, text, zone, since, until):
    seconds = parse_bound(now, zone)
    found = [shown(text, zone, edge=edge, now=seconds) for edge in ("since", "until")]
    assert [each.split("-")[2] for each in found] == [since, until]


PHRASES = [
    *("now", "today", "yesterday", "monday", "last sunday", "this week", "last month", "last year"),
    *("3am", "2:30", "22:00", "yesterday 2:30", "tuesday 12 am", "8 h ago", "-1.5h", "-3d", "-1mo"),
]


@pytest.mark.parametrize("text", PHRASES)
@given(
    now=st.datetimes(datetime.datetime(1970, 1, 9), datetime.datetime(2037, 12, 1)),
    zone=st.sampled_from(ZONES),
)
def test_a_phrase_is_never_an_error_and_never_after_now(text, now, zone):
    seconds = parse_bound(now, zone)
    since, until = (parse_bound(text, zone, edge, seconds) for edge in ("since", "until"))
    assert since <= until
    assert since <= seconds or zone is APIA  # which left out a day, as if it were an hour
    assert until - since in (0, 1800, 3600, 86400)


def test_of_a_time_of_day_the_most_recent_is_meant():
    for now, day in (("2015-03-05 02:59", "04"), ("2015-03-05 03:00", "05")):
        found = shown("3am", UTC, now=parse_bound(now, UTC))
        assert found == f"2015-03-{day} 03:00:00 UTC"


def test_a_month_before_the_31st_is_the_last_day_of_the_month():
    now = parse_bound("2016-03-31", UTC)
    assert shown("1 month ago", now=now) == "2016-02-29 00:00:00 UTC"
    assert shown("13 months ago", now=now) == "2015-02-28 00:00:00 UTC"


def test_without_a_reference_the_clock_is_used():
    import time

    before = time.time()
    assert before <= parse_bound("now", UTC) <= time.time()


@pytest.mark.parametrize(
    ("text", "zone", "since", "until"),
    [
        ("2015-10-25 02:30", BERLIN, "02:30:00 CEST", "02:30:00 CET"),
        ("2015-10-25 02", BERLIN, "02:00:00 CEST", "02:00:00 CET"),
        ("2015-10-25 03:00", BERLIN, "03:00:00 CET", "03:00:00 CET"),
        ("2015-03-29 02:00", BERLIN, "03:00:00 CEST", "03:00:00 CEST"),
        ("2015-03-29 02:30:15.5", BERLIN, "03:00:00 CEST", "03:00:00 CEST"),
        ("2015-03-29 03:00", BERLIN, "03:00:00 CEST", "03:00:00 CEST"),
        ("2015-03-08 02:59:59", NEW_YORK, "03:00:00 EDT", "03:00:00 EDT"),
        ("2015-11-01 01:00", NEW_YORK, "01:00:00 EDT", "01:00:00 EST"),
        ("2015-10-04 02:15", LORD_HOWE, "02:30:00 +11", "02:30:00 +11"),
    ],
)
def test_clock_changes_never_raise(text, zone, since, until):
    assert shown(text, zone, edge="since").endswith(since)
    assert shown(text, zone, edge="until").endswith(until)


def test_a_day_that_was_left_out_begins_with_the_next():
    for value in ("2011-12-30", datetime.date(2011, 12, 30), datetime.datetime(2011, 12, 30, 15)):
        assert shown(value, APIA).startswith("2011-12-31 00:00:00")


naive_times = st.datetimes(datetime.datetime(1902, 1, 1), datetime.datetime(2037, 12, 31))


@given(
    naive_times,
    st.timedeltas(datetime.timedelta(0), datetime.timedelta(days=2)),
    st.sampled_from(ZONES),
)
@example(datetime.datetime(2015, 3, 29, 2, 30), datetime.timedelta(minutes=10), BERLIN)
@example(datetime.datetime(2015, 10, 25, 2, 59), datetime.timedelta(minutes=1), BERLIN)
def test_a_later_local_time_is_never_an_earlier_bound(local, step, zone):
    one, other = (t.isoformat() for t in (local, local + step))
    for edge in ("since", "until"):
        assert parse_bound(one, zone, edge) <= parse_bound(other, zone, edge)
    assert parse_bound(one, zone, "since") <= parse_bound(one, zone, "until")


@given(st.integers(-2_000_000_000, 2_000_000_000), st.sampled_from(ZONES))
def test_every_instant_lies_within_the_bounds_of_its_own_local_time(instant, zone):
    local = datetime.datetime.fromtimestamp(instant, zone).replace(tzinfo=None).isoformat(" ")
    assert parse_bound(local, zone, "since") <= instant <= parse_bound(local, zone, "until")


@given(naive_times, st.sampled_from(ZONES))
def test_text_datetime_and_timestamp_agree(local, zone):
    for edge in ("since", "until"):
        expected = parse_bound(local.isoformat(" "), zone, edge)
        assert parse_bound(local, zone, edge) == expected
        assert parse_bound(pd.Timestamp(local), zone, edge) == expected
        assert parse_bound(np.datetime64(local, "us"), zone, edge) == expected


@given(st.text(max_size=30) | st.from_regex(r"[0-9 :T+-]{1,25}", fullmatch=True))
def test_any_text_is_a_bound_or_refused(text):
    with contextlib.suppress(InvalidQuery):
        assert isinstance(parse_bound(text, BERLIN), float)


# -- zones -----------------------------------------------------------------------


def test_zones_by_name_by_object_and_of_the_machine():
    assert resolve_zone("Europe/Berlin") == zoneinfo.ZoneInfo("Europe/Berlin")
    assert resolve_zone(datetime.UTC) is datetime.UTC
    assert resolve_zone() is not None


@pytest.mark.parametrize("name", ["Europe/Berlni", "", "../etc/passwd", "x\x00", 5, "a" * 5_000])
def test_unknown_zones_are_refused(name):
    with pytest.raises(InvalidConfiguration, match="unknown time zone"):
        resolve_zone(name)


def test_a_nearly_right_zone_is_suggested():
    with pytest.raises(InvalidConfiguration, match="Did you mean 'America/New_York'"):
        resolve_zone("America/NewYork")


@pytest.mark.parametrize(
    ("tz", "expected"), [("Asia/Tokyo", "1970-01-01 09:00:00 JST"), ("UTC", "UTC")]
)
def test_the_machine_zone_follows_the_environment(tz, expected):
    code = "from databroker.times import *; print(format_time(0, resolve_zone()))"
    result = subprocess.run(
        [sys.executable, "-c", code],
        env={"TZ": tz, "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert expected in result.stdout


def test_a_machine_without_a_sensible_zone_warns_and_uses_utc(monkeypatch):
    import tzlocal

    def broken():
        raise zoneinfo.ZoneInfoNotFoundError("no such zone")

    monkeypatch.setattr(tzlocal, "get_localzone", broken)
    with pytest.warns(UserWarning, match="not known"):
        assert resolve_zone() is datetime.UTC


# -- display ---------------------------------------------------------------------


def test_times_are_shown_with_their_zone():
    assert format_time(1604527919.0073605, NEW_YORK) == "2020-11-04 17:11:59 EST"
    assert format_time(-0.5, UTC) == "1969-12-31 23:59:59 UTC"


@pytest.mark.parametrize("damaged", [float("nan"), float("inf"), 1e300, "yesterday", None, 10**400])
def test_what_is_no_time_is_shown_as_it_is(damaged):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert format_time(damaged, UTC) == str(damaged)


@pytest.mark.parametrize(
    ("elapsed", "expected"),
    [
        (0, "just now"),
        (1, "1 second ago"),
        (59.9, "59 seconds ago"),
        (60, "1 minute ago"),
        (7200, "2 hours ago"),
        (86400, "1 day ago"),
        (8 * 86400, "1 week ago"),
        (45 * 86400, "1 month ago"),
        (800 * 86400, "2 years ago"),
        (-90, "in 1 minute"),
    ],
)
def test_how_long_ago(elapsed, expected):
    assert ago(1_000_000_000 - elapsed, 1_000_000_000) == expected


@pytest.mark.parametrize(("fold", "hour"), [(0, 5), (1, 6)])
def test_a_datetime_says_which_of_two_equal_hours_it_means(fold, hour):
    zone = zoneinfo.ZoneInfo("America/New_York")
    twice = datetime.datetime(2024, 11, 3, 1, 30, fold=fold)
    found = parse_bound(twice, zone, "since")
    expected = datetime.datetime(2024, 11, 3, hour, 30, tzinfo=datetime.UTC).timestamp()
    assert found == expected
    assert parse_bound(twice, zone, "until") == expected + (1 - fold) * 3600


def test_a_zone_may_be_named_apart_from_the_times():
    assert clock_time(1604527919.5, NEW_YORK) == "2020-11-04 17:11:59"
    assert zone_names([0], NEW_YORK) == "EST"
    assert zone_names([0, 15e6], NEW_YORK) == "EST/EDT"
