"""One function turns partition key or form into the night that is run."""

from datetime import UTC, date, datetime

import pytest

from regsosek.errors import ConfigurationError, ReferenceDataError
from regsosek.night.run_request import chosen, run_request

AFTER = datetime(2022, 10, 21, 18, 0, tzinfo=UTC)


def test_the_partition_key_is_the_night() -> None:
    assert run_request("2022-10-20", {}, run_after=AFTER, run_type="scheduled").night == date(2022, 10, 20)


def test_the_date_of_the_form_wins() -> None:
    request = run_request("2022-10-20", {"date": "2022-10-17"}, run_after=AFTER, run_type="manual")
    assert request.night == date(2022, 10, 17)


def test_without_either_it_is_yesterday_in_jakarta() -> None:
    before_midnight_utc = datetime(2022, 10, 21, 16, 59, tzinfo=UTC)  # 23:59 in Jakarta
    assert run_request(None, {}, run_after=before_midnight_utc, run_type="manual").night == date(2022, 10, 20)
    assert run_request(None, {}, run_after=AFTER, run_type="manual").night == date(2022, 10, 21)


def test_what_is_no_date_is_refused_by_name() -> None:
    with pytest.raises(ConfigurationError, match="2022-13-01"):
        run_request("2022-13-01", {}, run_after=AFTER, run_type="manual")


@pytest.mark.parametrize(
    ("run_type", "params", "expected"),
    [
        ("scheduled", {}, True),
        ("manual", {"alerts": False}, False),
        ("backfill", {"alerts": True}, False),
        ("DagRunType.BACKFILL_JOB", {}, False),
    ],
)
def test_backfilled_nights_send_no_alerts(run_type: str, params: dict[str, bool], expected: bool) -> None:
    assert run_request("2022-10-20", params, run_after=AFTER, run_type=run_type).alerts is expected


def test_no_choice_means_all_34() -> None:
    assert len(chosen([])) == len(chosen(None)) == 34


def test_an_unknown_province_is_refused() -> None:
    with pytest.raises(ReferenceDataError, match="99"):
        chosen(["64", "99"])
