"""Dates are intervals; leap years and time zones count."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scaling.errors import TableError
from scaling.trends import dates


def test_a_day_is_shorter_than_a_month_is_shorter_than_a_year() -> None:
    day, month, year = (dates.parse(x) for x in ("2012-06-14", "2012-06", "2012"))
    assert day.end - day.start == pytest.approx(1 / 366)
    assert month.end - month.start == pytest.approx(30 / 366)
    assert (year.start, year.end) == (2012.0, 2013.0)
    assert day.sigma < month.sigma < year.sigma == pytest.approx(1 / np.sqrt(12))


def test_leap_years_have_366_days() -> None:
    assert dates.decimal_year(date(2012, 3, 1)) == pytest.approx(2012 + 60 / 366)
    assert dates.decimal_year(date(2013, 3, 1)) == pytest.approx(2013 + 59 / 365)
    assert dates.parse("2012-02-29").start == pytest.approx(2012 + 59 / 366)
    with pytest.raises(TableError, match="2013-02-29"):
        dates.parse("2013-02-29")


def test_december_ends_the_year() -> None:
    assert dates.parse("2013-12").end == 2014.0
    assert dates.parse("2013-12-31").end == 2014.0
    assert dates.parse("9999-12-31").end == dates.parse("9999-12").end == 10000.0


def test_time_zones_are_brought_to_utc() -> None:
    late = datetime(2012, 12, 31, 23, 0, tzinfo=timezone(timedelta(hours=-8)))
    assert dates.decimal_year(late) == pytest.approx(2013 + 7 / (365 * 24))
    assert dates.parse("2012-12-31T23:00:00-08:00").start == pytest.approx(dates.decimal_year(late))
    assert dates.parse("2012-12-31T23:00:00").start == dates.parse("2012-12-31T23:00:00Z").start
    assert dates.decimal_year(datetime(2012, 1, 1, tzinfo=UTC)) == 2012.0


def test_one_date_of_a_column_tells_which_part_is_the_day() -> None:
    day, fourth = dates.parse("2012-06-14").middle, dates.parse("2012-04-03").middle
    assert dates.parse_all(["6/14/2012", "4/3/2012"])[0].tolist() == [day, fourth]
    assert dates.parse_all(["3/4/2012", "14/6/2012"])[0].tolist() == [fourth, day]
    assert dates.parse("4/4/2012") == dates.parse("2012-04-04")
    assert dates.parse("3.4.2012") == dates.parse("2012-04-03")
    for column in (["3/4/2012"], ["2012-01-01", "03/04/2012"]):
        with pytest.raises(
            TableError, match="may begin with the day or the month; write it as 2012-03-04 or"
        ):
            dates.parse_all(column)
    with pytest.raises(TableError, match=r"row 2 .*'6/14/2012' cannot be read"):
        dates.parse_all(["14/6/2012", "6/14/2012"])


def test_american_slashes_and_decimal_years() -> None:
    assert dates.parse("6/14/2012") == dates.parse("2012-06-14")
    assert dates.parse(1971.875) == dates.When(start=1971.875, end=1971.875)
    assert dates.parse("20120614") == dates.parse("2012-06-14")
    assert dates.parse(2012) == dates.parse("2012")


@pytest.mark.parametrize(
    "bad", ["####", "", "soon", "2012-13", "2012-00-01", "12-06-2012", None, float("nan")]
)
def test_what_is_no_date_says_so(bad: object) -> None:
    with pytest.raises(TableError, match="cannot be read"):
        dates.parse(bad)


def test_the_row_is_named() -> None:
    with pytest.raises(TableError, match="row 2 of column 'released'"):
        dates.parse_all(["2012", "later"], column="released")


@settings(deadline=None, max_examples=60)
@given(st.dates(min_value=date(1900, 1, 1), max_value=date(2100, 1, 1)))
def test_a_day_comes_back(day: date) -> None:
    assert dates.calendar_day(dates.parse(day.isoformat()).middle) == day.isoformat()
