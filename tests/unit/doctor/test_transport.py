"""The doctor names each connection, and what it is: verified, here, allowed in clear, open, or refused."""

from pathlib import Path

import pytest

from regsosek.doctor.check_result import CheckResult
from regsosek.doctor.services import transport
from regsosek.doctor.surroundings import Surroundings

HERE = {
    "REGSOSEK_ENV_FILE": "/nonexistent",
    "REGSOSEK_WAREHOUSE_URL": "postgresql+psycopg://regsosek:word@127.0.0.1:5432/regsosek",
    "REGSOSEK_S3_ENDPOINT_URL": "http://127.0.0.1:9000",
    "REGSOSEK_S3_ACCESS_KEY_ID": "key",
    "REGSOSEK_S3_SECRET_ACCESS_KEY": "word",
    "REGSOSEK_HMAC_KEY": "0" * 32,
}
ELSEWHERE = {
    "REGSOSEK_WAREHOUSE_URL": "postgresql+psycopg://regsosek:word@db.bps.example/regsosek",
    "REGSOSEK_S3_ENDPOINT_URL": "https://s3.bps.example",
    "REGSOSEK_SMTP_HOST": "relay.bps.example",
    "REGSOSEK_BOUNCE_IMAP_HOST": "imap.bps.example",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "postgresql+psycopg://airflow:word@db.bps.example/airflow?sslmode=verify-full",
    "AIRFLOW__CELERY__BROKER_URL": "rediss://:word@redis.bps.example:6379/0?ssl_cert_reqs=required",
    "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": "https://nightly.bps.example/execution/",
    "REGSOSEK_WATCHDOG_PING_URL": "https://ping.example/secret-word",
}


def examined(**given: str) -> CheckResult:
    [check] = transport.CHECKS
    return check.examine(Surroundings.of(HERE | given))


def test_on_this_machine_nothing_is_demanded() -> None:
    found = examined()
    assert found.verdict == "ok"
    assert "warehouse (127.0.0.1) on this machine" in found.found


def test_elsewhere_all_is_verified() -> None:
    found = examined(**ELSEWHERE)
    assert found.verdict == "ok", found
    assert found.found.count(" verified") == len(ELSEWHERE)
    assert "word" not in found.found


@pytest.mark.parametrize(
    ("name", "given", "told"),
    [
        (
            "REGSOSEK_WAREHOUSE_URL",
            "postgresql+psycopg://u@db.bps.example/d?sslmode=require",
            "warehouse (db.bps.example)",
        ),
        ("REGSOSEK_S3_ENDPOINT_URL", "http://s3.bps.example", "object store (s3.bps.example)"),
    ],
)
def test_what_we_refuse_fails(name: str, given: str, told: str) -> None:
    found = examined(**ELSEWHERE | {name: given})
    assert found.verdict == "FAIL"
    assert f"{told} refused" in found.found


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "postgresql+psycopg://airflow:word@db.bps.example/airflow"),
        ("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "postgresql+psycopg://airflow@db.bps.example/airflow?sslmode=require"),
        ("AIRFLOW__CELERY__BROKER_URL", "redis://:word@redis.bps.example:6379/0"),
        ("AIRFLOW__CELERY__BROKER_URL", "rediss://:word@redis.bps.example:6379/0"),
        ("AIRFLOW__CELERY__BROKER_URL", "rediss://:word@redis.bps.example:6379/0?ssl_cert_reqs=none"),
        ("AIRFLOW__CORE__EXECUTION_API_SERVER_URL", "http://nightly.bps.example:8080/execution/"),
        ("AIRFLOW__API__BASE_URL", "http://nightly.bps.example"),
        ("REGSOSEK_WATCHDOG_WEBHOOK_URL", "http://chat.example/secret-word"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector.bps.example:4318"),
    ],
)
def test_what_others_open_is_warned_of(name: str, given: str) -> None:
    found = examined(**ELSEWHERE | {name: given})
    assert found.verdict == "warn"
    assert name in found.found
    assert "in clear or not verified" in found.found
    assert "word" not in found.found + found.fix


def test_what_a_setting_allows_is_named_all_the_same() -> None:
    found = examined(
        **ELSEWHERE
        | {
            "REGSOSEK_WAREHOUSE_URL": "postgresql+psycopg://u@postgres/d",
            "REGSOSEK_SMTP_HOST": "mail",
            "REGSOSEK_PLAIN_HOSTS": "postgres,mail",
        }
    )
    assert found.verdict == "warn"
    assert "warehouse (postgres) in clear, as REGSOSEK_PLAIN_HOSTS allows" in found.found
    assert "mail relay (mail) in clear, as" in found.found
    assert "object store (s3.bps.example) verified" in found.found


def test_airflow_may_verify_the_broker_itself() -> None:
    given = {
        "AIRFLOW__CELERY__BROKER_URL": "rediss://:word@redis.bps.example:6379/0",
        "AIRFLOW__CELERY__SSL_ACTIVE": "True",
    }
    assert examined(**ELSEWHERE | given).verdict == "ok"


def test_webhooks_in_clear_are_named_without_what_is_secret(tmp_path: Path) -> None:
    (tmp_path / "webhooks.conf").write_text(
        "a=json://chat.bps.example/secret-word\nb=jsons://safe.bps.example/secret-word\n"
        "c=tgram://123456789:abcdefg_hijklmnop/12315544/\nd=json://127.0.0.1:9/x\n",
        encoding="utf-8",
    )
    found = examined(**ELSEWHERE, REGSOSEK_WEBHOOKS_FILE=str(tmp_path / "webhooks.conf"))
    assert found.verdict == "warn"
    assert "webhook (chat.bps.example) in clear or not verified" in found.found
    assert found.found.count("webhook (") == 2
    assert "secret-word" not in found.found
