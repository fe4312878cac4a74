"""What follows from an answer: who is tried again, who is given up, and that nothing comes three times."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regsosek.alerts.outbox.retry import QuietHours, pace
from regsosek.alerts.outbox.send_outcome import UNKNOWN_TWICE, Letter, Result, SendOutcome, follows

NOW = datetime(2022, 10, 26, 18, 5, tzinfo=UTC)
LETTER = Letter(7, 12, "prov64", date(2022, 10, 26), "email", "a@bps.example", "s", "b", NOW)
LIMITS = pace()
POSSIBLE = [result for result in Result if result is not Result.WITHDRAWN]


@pytest.mark.parametrize(
    ("result", "state"),
    [
        (Result.TAKEN, "sent"),
        (Result.REFUSED_FOR_NOW, "waiting"),
        (Result.REFUSED_FOR_GOOD, "failed"),
        (Result.UNREACHED, "waiting"),
        (Result.UNCLEAR, "waiting"),
    ],
)
def test_one_answer(result: Result, state: str) -> None:
    change = follows(LETTER, SendOutcome(result, "RCPT 450"), NOW, LIMITS)
    assert (change.state, change.attempts) == (state, 1)
    assert (change.next_try_at is not None) == (state == "waiting")
    assert change.last_error == (None if state == "sent" else "RCPT 450")


def test_a_recipient_is_given_up_and_a_server_is_not() -> None:
    tired = replace(LETTER, attempts=LIMITS.most_tries - 1)
    assert follows(tired, SendOutcome(Result.REFUSED_FOR_NOW, "RCPT 452"), NOW, LIMITS).state == "failed"
    assert follows(tired, SendOutcome(Result.UNREACHED, "TimeoutError"), NOW, LIMITS).state == "waiting"


def test_a_try_that_would_fall_into_quiet_hours_waits_for_their_end() -> None:
    quiet = QuietHours(time(21), time(6), ZoneInfo("Asia/Makassar"))
    change = follows(replace(LETTER, quiet=quiet), SendOutcome(Result.UNREACHED), NOW, LIMITS)
    assert change.next_try_at == datetime(2022, 10, 26, 22, tzinfo=UTC)


@given(answers=st.lists(st.sampled_from(POSSIBLE), max_size=60))
def test_nothing_comes_three_times_and_nothing_is_forgotten(answers: list[Result]) -> None:
    letter, now, came = LETTER, NOW, 0
    for result in answers:
        came += result in {Result.TAKEN, Result.UNCLEAR}
        change = follows(letter, SendOutcome(result), now, LIMITS)
        if change.state != "waiting":
            break
        assert change.next_try_at is not None
        assert now < change.next_try_at <= now + timedelta(minutes=LIMITS.longest_minutes)
        letter, now = replace(letter, attempts=change.attempts, unclear=change.unclear), change.next_try_at
    assert came <= 2


def test_two_senders_that_ended_without_a_word_are_the_last() -> None:
    change = follows(replace(LETTER, unclear=2), SendOutcome(Result.REFUSED_FOR_GOOD), NOW, LIMITS)
    assert (change.state, change.last_error) == ("failed", UNKNOWN_TWICE)
