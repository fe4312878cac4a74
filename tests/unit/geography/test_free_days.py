"""Days on which heads of SLS are at home."""

from datetime import date

from regsosek.geography import free_days as room
from regsosek.geography.free_days import free_days, holidays


def test_the_weekend_of_the_coming_week() -> None:
    assert free_days("64", date(2022, 10, 26)) == (date(2022, 10, 29), date(2022, 10, 30))
    # a Saturday's night asks for its Sunday and the next Saturday
    assert free_days("64", date(2022, 10, 29)) == (date(2022, 10, 30), date(2022, 11, 5))


def test_holidays_of_the_nation_and_of_the_province_alone(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    own = frozenset({(date(2022, 10, 27), "*"), (date(2022, 10, 28), "51")})
    monkeypatch.setattr(room, "holidays", lambda: own)
    assert free_days("64", date(2022, 10, 26))[0] == date(2022, 10, 27)
    assert date(2022, 10, 28) in free_days("51", date(2022, 10, 26))
    assert date(2022, 10, 28) not in free_days("64", date(2022, 10, 26))


def test_the_known_holidays() -> None:
    assert (date(2022, 12, 25), "*") in holidays()
