"""Under which name the command line keeps a decision."""

import pwd
from types import SimpleNamespace

import pytest

from regsosek.cli.common import operator
from regsosek.errors import DecisionError


def runs_as(monkeypatch: pytest.MonkeyPatch, name: str, shell: str) -> None:
    monkeypatch.setattr(pwd, "getpwuid", lambda _: SimpleNamespace(pw_name=name, pw_shell=shell))


def test_a_person_decides_under_the_login(monkeypatch: pytest.MonkeyPatch) -> None:
    runs_as(monkeypatch, "sari", "/bin/bash")
    assert operator("") == operator("sari") == "sari"
    assert operator("budi") == "budi as sari"


def test_a_services_account_decides_nothing_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    runs_as(monkeypatch, "regsosek", "/usr/sbin/nologin")
    with pytest.raises(DecisionError, match="--by"):
        operator("")
    assert operator("sari@bps.example") == "sari@bps.example as regsosek"


@pytest.mark.parametrize("name", ["6472015505800078", "sari\nadmin", "sari budi", "x" * 61, "\u202esari"])
def test_what_is_no_name_of_an_account_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    runs_as(monkeypatch, "regsosek", "/usr/sbin/nologin")
    with pytest.raises(DecisionError, match="--by takes"):
        operator(name)
