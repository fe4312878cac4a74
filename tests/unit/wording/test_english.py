"""Numbers and dates as English readers write them."""

from datetime import UTC, date, datetime

from regsosek.wording.english import day, full_date, long_date, moment, number, percent_of, plain_percentage


def test_written() -> None:
    assert (number(1234567), percent_of(312, 1000), plain_percentage(2.5)) == ("1,234,567", "31.2%", "2.5%")
    assert (day(date(2022, 10, 1)), long_date(date(2022, 10, 1))) == ("1 Oct 2022", "1 October 2022")
    assert full_date(date(2022, 10, 21)) == "Friday, 21 October 2022"
    assert moment(datetime(2022, 10, 26, 23, 59, tzinfo=UTC)) == "26 Oct 2022 23:59 UTC"


def test_names_of_months_and_days() -> None:
    firsts = [date(2022, month, 1) for month in range(1, 13)]
    assert " ".join(day(each).split()[1] for each in firsts) == "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"
    assert " ".join(long_date(each).split()[1] for each in firsts) == (
        "January February March April May June July August September October November December"
    )
    week = [full_date(date(2022, 10, 3 + number)).partition(",")[0] for number in range(7)]
    assert " ".join(week) == "Monday Tuesday Wednesday Thursday Friday Saturday Sunday"
