"""Ages of keys, where they can be known."""

from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import SecretStr

from regsosek.doctor import keys
from regsosek.doctor.check_result import Verdict
from regsosek.errors import ConfigurationError
from regsosek.minisign import Signer

TODAY = date(2026, 11, 1)
SIGNER, OTHER = Signer.new(), Signer.new()


@pytest.fixture(autouse=True)
def on_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "_today", lambda: TODAY)


def resources(tmp_path: Path, **settings: Any) -> Any:
    path = tmp_path / "keys.csv"
    own = {"release_signing_key": SecretStr(SIGNER.secret_text), "release_keys_file": path, "producer_keys_file": path}
    return SimpleNamespace(settings=SimpleNamespace(release_signing_key_file=None, **{**own, **settings}))


def table(tmp_path: Path, *rows: tuple[Signer, str, str, str]) -> None:
    lines = [f"{signer.public.text},{begins},{ends},{revoked},note" for signer, begins, ends, revoked in rows]
    (tmp_path / "keys.csv").write_text("\n".join(["public_key,valid_from,valid_to,revoked_on,note", *lines]) + "\n")


def test_a_release_key_that_is_old_is_warned_of_and_one_that_may_not_sign_fails(tmp_path: Path) -> None:
    table(tmp_path, (SIGNER, "2026-01-01", "", ""))
    assert keys._signing(resources(tmp_path)).verdict is Verdict.OK
    table(tmp_path, (SIGNER, "2025-01-01", "", ""))
    assert "since 2025-01-01" in keys._signing(resources(tmp_path)).found
    assert keys._signing(resources(tmp_path)).verdict is Verdict.WARN
    for row in (
        (OTHER, "2026-01-01", "", ""),
        (SIGNER, "2025-01-01", "2026-10-01", ""),
        (SIGNER, "2025-01-01", "", "2026-10-30"),
    ):
        table(tmp_path, row)
        with pytest.raises(ConfigurationError, match="does not let it sign"):  # which the doctor makes a failure of
            keys._signing(resources(tmp_path))
    assert keys._signing(resources(tmp_path, release_keys_file=None)).verdict is Verdict.OK


@pytest.mark.parametrize(("days", "told"), [(10, True), (60, False)], ids=["soon", "later"])
def test_a_province_whose_last_key_ends_soon_is_named(tmp_path: Path, days: int, told: bool) -> None:
    ends = TODAY + timedelta(days=days)
    lines = [f"64,{SIGNER.public.text},2022-10-01,{TODAY},letter", f"64,{OTHER.public.text},2022-10-01,{ends},letter"]
    text = "\n".join(["province,public_key,valid_from,valid_to,source", *lines])
    (tmp_path / "keys.csv").write_text(text + "\n", encoding="utf-8")
    found = keys._producers(resources(tmp_path))
    assert (found.verdict is Verdict.WARN, f"64 on {ends}" in found.found) == (told, told)
