"""docker-compose.yaml: valid, without default secrets, and in step with the settings it feeds."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
import yaml

from regsosek.settings import PREFIX, PROJECT_ROOT, RETIRED, Settings, load_settings

COMPOSE = PROJECT_ROOT / "docker-compose.yaml"
SECRET_NAME = re.compile(r"PASSWORD|SECRET|_KEYS?$|KEY_ID$|SQL_ALCHEMY_CONN|WAREHOUSE_(\w+_)?URL|BROKER_URL|CLI_AUTH")
INTERPOLATION = re.compile(r"\$\{(?P<name>\w+)(?P<rule>:[?-])?(?P<text>[^}]*)\}")
# A mail relay may want no login, not everybody reads bounces, and a key may be the first; then there is no secret.
MAY_BE_EMPTY = {"REGSOSEK_SMTP_PASSWORD", "REGSOSEK_BOUNCE_IMAP_PASSWORD", "REGSOSEK_FORMER_TRAIL_KEYS"}
# What stands in the image, or is the same on every server.
OF_THE_IMAGE = {"REGSOSEK_EXPECTATIONS_DIR", "REGSOSEK_RELEASE_SIGNING_KEY_FILE", "REGSOSEK_SMTP_TIMEOUT_SECONDS"}
# Of the watchdog outside Airflow alone.
OF_THE_WATCHDOG = {"REGSOSEK_WATCHDOG_PING_URL"}
SHARED_SECRETS = (
    "AIRFLOW__CORE__FERNET_KEY",
    "AIRFLOW__API_AUTH__JWT_SECRET",
    "AIRFLOW__API_AUTH__JWT_ISSUER",
    "AIRFLOW__CORE__EXECUTION_API_SERVER_URL",
)
ONE_SHOT = {"airflow-init", "command"}
STORE = {"REGSOSEK_S3_ACCESS_KEY_ID", "REGSOSEK_S3_SECRET_ACCESS_KEY"}
PIPELINE = STORE | {"REGSOSEK_WAREHOUSE_URL", "REGSOSEK_TOKEN_KEY"}
HASHES = {"REGSOSEK_HMAC_KEY"}
TRAIL = {"REGSOSEK_TRAIL_KEY", "REGSOSEK_FORMER_TRAIL_KEYS"}
ARCHIVE = {"REGSOSEK_ARCHIVE_KEY"}
ACCOUNTS = {f"REGSOSEK_WAREHOUSE_{part}_URL" for part in ("PUBLISHER", "ALERTER", "WATCHDOG")}
OWNER = {"REGSOSEK_WAREHOUSE_OWNER_URL"}
# The account that each service asks the warehouse by; beside it those whose work it does too.
WAREHOUSE_ACCOUNT = {
    "airflow-init": "regsosek",
    "airflow-apiserver": "regsosek_portal",
    "airflow-scheduler": "regsosek_loader",
    "airflow-worker": "regsosek_loader",
    "watchdog": "regsosek_watchdog",
    "command": "regsosek_loader",
}
# Of services whose one account it is, or of `regsosek migrate`.
OF_ONE_SERVICE = OWNER | {"REGSOSEK_WAREHOUSE_LOADER_URL", "REGSOSEK_WAREHOUSE_PORTAL_URL"}
AIRFLOW = {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"}
ISSUER = {"AIRFLOW__API_AUTH__JWT_SECRET", "AIRFLOW__CORE__FERNET_KEY"}
MAIL = {"REGSOSEK_SMTP_PASSWORD"}
NIGHT = {"REGSOSEK_RELEASE_SIGNING_KEY", "REGSOSEK_BOUNCE_IMAP_PASSWORD"}
BROKER = {"AIRFLOW__CELERY__BROKER_URL"}
# The table of docs/server.md: what each service holds, can write on disk, and can speak to.
SECRETS = {
    "postgres": {"POSTGRES_PASSWORD", "AIRFLOW_DB_PASSWORD"}
    | {f"WAREHOUSE_{who}_PASSWORD" for who in ("DB", "LOADER", "PUBLISHER", "ALERTER", "PORTAL", "WATCHDOG")},
    "object-store": STORE,
    "airflow-init": AIRFLOW | PIPELINE | HASHES | {"AIRFLOW_ADMIN_PASSWORD"},
    "airflow-apiserver": AIRFLOW | ISSUER | PIPELINE | TRAIL | {"AIRFLOW__API__SECRET_KEY"},
    "airflow-scheduler": AIRFLOW | ISSUER | BROKER | PIPELINE | ACCOUNTS | MAIL | TRAIL | HASHES | ARCHIVE | NIGHT,
    "airflow-dag-processor": AIRFLOW,
    "airflow-triggerer": AIRFLOW,
    "airflow-worker": AIRFLOW | BROKER | PIPELINE | ACCOUNTS | MAIL | TRAIL | HASHES | ARCHIVE | NIGHT,
    "redis": {"REDISCLI_AUTH"},
    "watchdog": PIPELINE | MAIL,
    "command": PIPELINE | OWNER | ACCOUNTS | MAIL | TRAIL | HASHES | ARCHIVE | NIGHT,
    "mail": set(),
}
VOLUMES = {
    "postgres": {
        "postgres",
        "./docker/create-databases.sh",
        "./docker/warehouse-accounts.sh",
        "./include/regsosek/warehouse/access/closed_functions.sql",
    },
    "object-store": {"objects"},
    "airflow-init": {"./config"},
    "airflow-apiserver": {"airflow-logs", "./config"},
    "airflow-scheduler": {"airflow-logs", "./config", "work"},
    "airflow-dag-processor": {"airflow-logs", "./config"},
    "airflow-triggerer": {"airflow-logs"},
    "airflow-worker": {"airflow-logs", "./config", "work"},
    "redis": {"redis"},
    "watchdog": {"./config", "watchdog"},
    "command": {"./config", "/var/lib/regsosek/work"},
    "mail": set(),
}
NETWORKS = {
    "postgres": {"database"},
    "object-store": {"objects", "outside"},
    "airflow-init": {"database"},
    "airflow-apiserver": {"airflow", "database", "objects", "outside"},
    "airflow-scheduler": {"airflow", "broker", "database", "objects", "outside"},
    "airflow-dag-processor": {"database"},
    "airflow-triggerer": {"database"},
    "airflow-worker": {"airflow", "broker", "database", "objects", "outside"},
    "redis": {"broker"},
    "watchdog": {"airflow", "database", "objects", "outside"},
    "command": {"database", "objects", "outside"},
    "mail": {"outside"},
}


def variables(compose: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """(service, variable, value) of every environment entry."""
    for service, definition in compose["services"].items():
        for name, value in definition.get("environment", {}).items():
            yield service, name, value


def test_valid_against_the_compose_schema() -> None:
    arguments = ["--builtin-schema", "vendor.compose-spec", str(COMPOSE)]
    checked = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", *arguments], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_no_secret_has_a_default(compose: dict[str, Any]) -> None:
    found = 0
    for service, name, value in variables(compose):
        if not SECRET_NAME.search(name):
            continue
        parts = list(INTERPOLATION.finditer(str(value)))
        assert parts, f"{service}: {name} stands in the file itself"
        for part in parts:
            optional = name in MAY_BE_EMPTY and part["rule"] == ":-" and not part["text"]
            assert part["rule"] == ":?" or optional, f"{service}: {part[0].partition('?')[0]} has a default"
        found += 1
    assert found > len(SHARED_SECRETS)


def test_a_missing_variable_says_how_to_set_it() -> None:
    demanded = [part for part in INTERPOLATION.finditer(COMPOSE.read_text(encoding="utf-8")) if part["rule"] == ":?"]
    assert {part["text"] for part in demanded} == {"set it in .env, make one with make env"}


def test_every_project_variable_is_a_setting(compose: dict[str, Any]) -> None:
    names = {name for _, name, _ in variables(compose) if name.startswith(PREFIX)} - set(RETIRED)
    assert {name.removeprefix(PREFIX).lower() for name in names} <= set(Settings.model_fields)


def test_the_scheduler_has_every_setting_without_default(compose: dict[str, Any]) -> None:
    given = compose["services"]["airflow-scheduler"]["environment"]
    required = {f"{PREFIX}{name.upper()}" for name, field in Settings.model_fields.items() if field.is_required()}
    assert required <= set(given)


def test_every_setting_has_a_place(compose: dict[str, Any]) -> None:
    """A setting that no service is given can't be set on a server, whatever its documentation says."""
    given = compose["services"]["airflow-scheduler"]["environment"]
    settings = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    assert settings - set(given) == OF_THE_IMAGE | OF_THE_WATCHDOG | OF_ONE_SERVICE
    assert set(compose["services"]["watchdog"]["environment"]) >= OF_THE_WATCHDOG


def secrets_of(service: dict[str, Any]) -> set[str]:
    return {name for name in service.get("environment", {}) if SECRET_NAME.search(name)}


def test_a_service_holds_the_secrets_that_it_uses_and_no_others(compose: dict[str, Any]) -> None:
    assert {name: secrets_of(service) for name, service in compose["services"].items()} == SECRETS


def test_a_service_asks_the_warehouse_by_the_account_of_its_own_work(compose: dict[str, Any]) -> None:
    found = {
        service: value.partition("://")[2].partition(":")[0]
        for service, name, value in variables(compose)
        if name == "REGSOSEK_WAREHOUSE_URL"
    }
    assert found == WAREHOUSE_ACCOUNT


def test_a_service_sees_the_disks_that_it_uses_and_no_others(compose: dict[str, Any]) -> None:
    """Clear text lies in the scratch space while a task runs: only where tasks run is it there."""
    mounted = {
        name: {entry.split(":")[0] for entry in service.get("volumes", [])}
        for name, service in compose["services"].items()
    }
    assert mounted == VOLUMES


def test_who_is_told_of_the_operators_files_can_read_them(compose: dict[str, Any]) -> None:
    """A name in .env leads into ./config; where that is not mounted, the first start ends."""
    told = {name for name, service in compose["services"].items() if "REGSOSEK_ACCOUNTS_FILE" in service["environment"]}
    assert told >= {"airflow-init", "airflow-apiserver", "airflow-scheduler"}
    for name in told:
        assert "./config:/opt/regsosek/config:ro" in compose["services"][name]["volumes"], name


def test_a_service_reaches_the_networks_that_it_uses_and_no_others(compose: dict[str, Any]) -> None:
    assert {name: set(service["networks"]) for name, service in compose["services"].items()} == NETWORKS
    inner = {name for name, network in compose["networks"].items() if (network or {}).get("internal")}
    assert set(compose["networks"]) - inner == {"outside"}


def test_what_a_service_is_given_is_enough_for_its_settings(
    compose: dict[str, Any], command: Callable[[str], ModuleType]
) -> None:
    """With nothing but what `make env` writes; a service that looks at no warehouse needs no settings."""
    written = command("docker/make_env.py").fresh_values()
    loaded = set()
    for name, service in compose["services"].items():
        given = {key: filled(value, written) for key, value in service.get("environment", {}).items()}
        if "REGSOSEK_WAREHOUSE_URL" in given:
            assert load_settings(given | {"REGSOSEK_ENV_FILE": "/nonexistent"}), name
            loaded.add(name)
    assert loaded >= {"airflow-init", "airflow-apiserver", "airflow-scheduler", "airflow-worker", "watchdog", "command"}


def filled(value: str, written: dict[str, str]) -> str:
    """A value as Compose fills it in."""

    def fill(part: re.Match[str]) -> str:
        return written.get(part["name"]) or (part["text"] if part["rule"] == ":-" else "")

    return INTERPOLATION.sub(fill, str(value))


def test_in_clear_is_spoken_between_our_own_services_alone(compose: dict[str, Any]) -> None:
    [named] = {value for _, name, value in variables(compose) if name == "REGSOSEK_PLAIN_HOSTS"}
    default = INTERPOLATION.fullmatch(named)
    assert default is not None
    assert set(default["text"].split(",")) <= set(compose["services"])


def test_a_service_with_a_port_is_on_a_network_that_may_have_one(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert not service.get("ports") or "outside" in service["networks"], name


def test_no_service_can_write_beside_its_volumes_or_gain_rights(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert service["read_only"] is True, name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["cap_drop"] == ["ALL"], name
        assert "cap_add" not in service, name
        assert not service.get("privileged"), name
        assert any(place.startswith("/tmp:") for place in service["tmpfs"]), name
        assert all("size=" in place for place in service["tmpfs"]), f"{name}: memory without a limit"


def test_no_service_runs_as_root(compose: dict[str, Any], own_services: dict[str, dict[str, Any]]) -> None:
    """Our own image names its user itself."""
    for name, service in compose["services"].items():
        assert name in own_services or service["user"] not in {"root", "0"}, name


def test_files_are_mounted_for_reading(compose: dict[str, Any]) -> None:
    entries = [entry for service in compose["services"].values() for entry in service.get("volumes", [])]
    assert all(entry.endswith(":ro") for entry in entries if entry.startswith("."))


def test_the_workers_of_celery_are_the_same_image_on_one_broker(own_services: dict[str, dict[str, Any]]) -> None:
    """A worker accepts tokens and asks the API server for connections: it holds no key to make or open them."""
    worker, scheduler = own_services["airflow-worker"], own_services["airflow-scheduler"]
    assert worker["environment"].items() <= scheduler["environment"].items()
    assert set(scheduler["environment"]) - set(worker["environment"]) == ISSUER
    assert "@redis:6379/" in worker["environment"]["AIRFLOW__CELERY__BROKER_URL"]
    assert worker["volumes"] == scheduler["volumes"]


def test_services_of_ours_share_one_image(own_services: dict[str, dict[str, Any]]) -> None:
    assert len(own_services) >= 5
    assert len({service["image"] for service in own_services.values()}) == 1


@pytest.mark.parametrize("name", SHARED_SECRETS)
def test_airflow_processes_agree(own_services: dict[str, dict[str, Any]], name: str) -> None:
    given = [service["environment"][name] for service in own_services.values() if name in service["environment"]]
    assert len(given) >= 2
    assert len(set(given)) == 1


def test_everything_that_stays_up_is_watched_restarted_and_bounded_in_its_logs(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert "max-size" in service["logging"]["options"], name
        if name not in ONE_SHOT:
            assert "healthcheck" in service, name
            assert service["restart"] == "unless-stopped", name


def test_nothing_waits_for_a_service_that_cannot_answer(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for name, service in services.items():
        for needed, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert "healthcheck" in services[needed], f"{name} waits for {needed}"
            switched_off = set(services[needed].get("profiles", ())) - set(service.get("profiles", ()))
            assert not switched_off or not how.get("required", True), f"{name}: {needed} may be switched off"


def test_ports_open_on_loopback_only(compose: dict[str, Any]) -> None:
    ports = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_every_named_volume_is_declared(compose: dict[str, Any]) -> None:
    used = {entry.split(":")[0] for service in compose["services"].values() for entry in service.get("volumes", [])}
    assert {name for name in used if not name.startswith((".", "/"))} == set(compose["volumes"])


def test_the_schema_check_can_fail(tmp_path: Any) -> None:
    broken = tmp_path / "compose.yaml"
    broken.write_text(yaml.safe_dump({"services": {"a": {"imagee": "b"}}}), encoding="utf-8")
    arguments = ["--builtin-schema", "vendor.compose-spec", str(broken)]
    checked = subprocess.run([sys.executable, "-m", "check_jsonschema", *arguments], capture_output=True, check=False)
    assert checked.returncode != 0
