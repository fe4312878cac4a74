"""What mail servers report of our messages, in the forms of those that offices use."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regsosek.alerts.dsn import Bounce, read_bounce

REPORTS = Path(__file__).parent / "dsn"
OURS = "<20221026.prov64.7.12@bps.example>"


def report(name: str) -> bytes:
    return (REPORTS / f"{name}.eml").read_bytes()


@pytest.mark.parametrize(
    ("name", "final", "status"),
    [
        ("postfix-failed", True, "5.1.1"),
        ("postfix-delayed", False, "4.4.1"),
        ("exchange-online-failed", True, "5.2.2"),
        ("google-failed", True, "5.1.1"),
        ("exim-failed", True, "5.0.0"),
    ],
)
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_a_report_is_read(name: str, final: bool, status: str, line_end: bytes) -> None:
    content = report(name).replace(b"\n", line_end)
    assert read_bounce(content) == Bounce(7, 12, OURS, final, status)


@pytest.mark.parametrize("name", ["postfix-delivered", "holiday", "of-somebody-else"])
def test_what_is_no_failure_of_ours_is_none(name: str) -> None:
    assert read_bounce(report(name)) is None


def test_a_report_names_no_address() -> None:
    assert "prov64@" not in repr(read_bounce(report("google-failed"))).replace(OURS, "")


@given(
    content=st.binary(max_size=400), cut=st.integers(0, 2000), name=st.sampled_from(["postfix-failed", "exim-failed"])
)
def test_nothing_that_arrives_stops_the_reader(content: bytes, cut: int, name: str) -> None:
    whole = report(name)
    for mail in (content, whole[:cut] + content + whole[cut:]):
        found = read_bounce(mail)
        assert found is None or found.delivery_id >= 0
