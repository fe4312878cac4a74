"""Settings from the environment: what is retired, contradicts itself, or is known to Airflow alone."""

from pathlib import Path

import pytest

from regsosek.errors import ConfigurationError
from regsosek.settings import load_settings

NEEDED = {
    "REGSOSEK_WAREHOUSE_URL": "postgresql+psycopg://u@h/d",
    "REGSOSEK_S3_ACCESS_KEY_ID": "a",
    "REGSOSEK_S3_SECRET_ACCESS_KEY": "b",
    "REGSOSEK_HMAC_KEY": "0" * 32,
    "REGSOSEK_ENV_FILE": "/nonexistent",
}


@pytest.mark.parametrize(
    ("name", "fix"),
    [("OFFICES_FILE", "as rows of role operasional"), ("PLATFORM_RECIPIENTS", "as rows 00,platform")],
)
def test_a_retired_variable_says_where_its_content_goes(name: str, fix: str) -> None:
    with pytest.raises(ConfigurationError, match=f"REGSOSEK_{name} is no more: .*{fix}.*REGSOSEK_RECIPIENTS_FILE"):
        load_settings(NEEDED | {f"REGSOSEK_{name}": "x"})
    assert load_settings(NEEDED | {f"REGSOSEK_{name}": ""})


def test_mail_is_secured_in_one_way() -> None:
    with pytest.raises(ConfigurationError, match=r"(?i)REGSOSEK_SMTP_TLS and .* exclude each other"):
        load_settings(NEEDED | {"REGSOSEK_SMTP_TLS": "true", "REGSOSEK_SMTP_STARTTLS": "true"})


def test_a_connection_counts_where_no_host_is_set() -> None:
    named = NEEDED | {"REGSOSEK_SMTP_CONN_ID": "surat"}
    assert load_settings(named | {"REGSOSEK_SMTP_HOST": ""}).mail_is_airflows
    assert not load_settings(named | {"REGSOSEK_SMTP_HOST": "relay"}).mail_is_airflows
    of_connection = {"REGSOSEK_SMTP_HOST": "smtp.bps.example", "REGSOSEK_SMTP_PORT": "465", "REGSOSEK_SMTP_TLS": "true"}
    settings = load_settings(named | {"REGSOSEK_SMTP_HOST": "", "REGSOSEK_SMTP_PORT": ""}, beneath=of_connection)
    assert (settings.smtp_host, settings.smtp_port, settings.smtp_tls) == ("smtp.bps.example", 465, True)
    assert not settings.mail_is_airflows
    assert load_settings(named | {"REGSOSEK_SMTP_HOST": "relay"}, beneath=of_connection).smtp_host == "relay"


@pytest.mark.parametrize("name", ["MAIL_SENDER", "MAIL_REPLY_TO"])
@pytest.mark.parametrize(
    "given",
    ["régsosek@bps.example", "a@bps.exämple", "regsosek", "a@b.example, c@d.example", "a@b.example\nBcc: c@d.e"],
)
def test_mail_comes_from_a_plain_address(name: str, given: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"(?i)REGSOSEK_{name}: .*one e-mail address in ascii, such as"):
        load_settings(NEEDED | {f"REGSOSEK_{name}": given})


@pytest.mark.parametrize(
    "given", ["nightly@bps.go.id", "Regsosek – malam <nightly@bps.go.id>", "a@xn--bps-qla.example"]
)
def test_a_plain_address_may_have_a_name(given: str) -> None:
    assert load_settings(NEEDED | {"REGSOSEK_MAIL_SENDER": given}).mail_sender == given


@pytest.mark.parametrize("name", ["HMAC_KEY", "WAREHOUSE_URL", "SMTP_PASSWORD", "WATCHDOG_PING_URL"])
def test_a_secret_may_lie_in_a_file(name: str, tmp_path: Path) -> None:
    secret = "postgresql+psycopg://u:rahasia@h/d" if name.endswith("URL") else "rahasia-" * 5
    (tmp_path / "secret").write_text(f"{secret}\n", encoding="utf-8")
    named = NEEDED | {f"REGSOSEK_{name}": "", f"REGSOSEK_{name}_FILE": str(tmp_path / "secret")}
    assert getattr(load_settings(named), name.lower()).get_secret_value() == secret
    with pytest.raises(ConfigurationError, match=f"REGSOSEK_{name}: set it, or name its file, not both"):
        load_settings(named | {f"REGSOSEK_{name}": "x" * 40})
    with pytest.raises(ConfigurationError, match=f"REGSOSEK_{name}_FILE names .*nowhere: FileNotFoundError"):
        load_settings(named | {f"REGSOSEK_{name}_FILE": str(tmp_path / "nowhere")})


def test_what_is_no_secret_lies_in_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="REGSOSEK_SMTP_HOST_FILE"):
        load_settings(NEEDED | {"REGSOSEK_SMTP_HOST_FILE": str(tmp_path)})


def test_an_empty_file_is_no_secret(tmp_path: Path) -> None:
    (tmp_path / "secret").touch()
    given = {name: value for name, value in NEEDED.items() if name != "REGSOSEK_HMAC_KEY"}
    with pytest.raises(ConfigurationError, match="REGSOSEK_HMAC_KEY"):
        load_settings(given | {"REGSOSEK_HMAC_KEY_FILE": str(tmp_path / "secret")})


def test_who_hashes_nothing_needs_no_key_of_hashes() -> None:
    given = {name: value for name, value in NEEDED.items() if name != "REGSOSEK_HMAC_KEY"}
    with pytest.raises(ConfigurationError, match="REGSOSEK_HMAC_KEY: field required"):
        load_settings(given)
    settings = load_settings(given | {"REGSOSEK_TOKEN_KEY": "t" * 32})
    assert settings.token_secret == b"t" * 32
    with pytest.raises(ConfigurationError, match="REGSOSEK_HMAC_KEY is not set here"):
        _ = settings.hash_keys


def test_the_key_of_hashes_signs_tokens_where_there_is_no_other() -> None:
    assert load_settings(NEEDED).token_secret == load_settings(NEEDED).hash_keys[-1] == b"0" * 32
    assert load_settings(NEEDED | {"REGSOSEK_TOKEN_KEY": "t" * 32}).token_secret == b"t" * 32
