"""Who may log in to Airflow, as far as variables tell; FAB's accounts are asked of a real one."""

from pathlib import Path

import pytest

from regsosek.doctor.check_result import CheckResult, Verdict
from regsosek.doctor.examination import CHECKS, examine
from regsosek.doctor.services.airflow import DATABASE
from regsosek.geography.provinces import provinces
from regsosek.portal.login.accounts import read_accounts
from regsosek.settings import PROJECT_ROOT

SHIPPED = PROJECT_ROOT / "docker" / "accounts.csv"
PRETENDED = "postgresql+psycopg://airflow:database-password@127.0.0.1:1/airflow"
FAB = {"AIRFLOW__CORE__AUTH_MANAGER": "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"}
SIMPLE_USERS = "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS"


def found(**variables: str) -> CheckResult:
    checks = [check for check in CHECKS if check.name in {"accounts file", "logins of Airflow"}]
    environ = {"REGSOSEK_ENV_FILE": "/nonexistent", DATABASE: PRETENDED} | variables
    return examine(environ, checks)["logins of Airflow"]


def accounts(folder: Path, *lines: str) -> str:
    path = folder / "accounts.csv"
    path.write_text("\n".join(["account,kind,provinces,rights", *lines, ""]))
    return str(path)


def test_a_machine_of_one_person_is_well() -> None:
    assert found().verdict is Verdict.OK
    assert found(**{SIMPLE_USERS: "sari:admin"}).verdict is Verdict.OK


def test_the_simple_auth_manager_serves_no_province(tmp_path: Path) -> None:
    province = accounts(tmp_path, "admin,role,*,operator", "kanwil64,user,64,")
    told = found(REGSOSEK_ACCOUNTS_FILE=province)
    assert (told.verdict, told.found.endswith("shows all of Airflow to kanwil64")) == (Verdict.FAIL, True)
    assert "FAB" in told.fix
    operators = accounts(tmp_path, "admin,role,*,operator")
    assert found(REGSOSEK_ACCOUNTS_FILE=operators).verdict is Verdict.OK
    assert found(**{SIMPLE_USERS: "a:admin, b:viewer"}).verdict is Verdict.FAIL
    assert found(**{SIMPLE_USERS: "a:admin,b:op"}).verdict is Verdict.WARN


def test_nobody_is_let_in_without_a_login() -> None:
    assert found(AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS="True").verdict is Verdict.FAIL
    assert found(**FAB, AIRFLOW__FAB__AUTH_ROLE_PUBLIC="Viewer").verdict is Verdict.FAIL


def test_a_database_that_does_not_answer_is_told_without_its_password() -> None:
    told = found(**FAB)
    assert told.verdict is Verdict.FAIL
    assert "database-password" not in f"{told.found}{told.fix}"


def test_another_manager_is_not_taken_for_closed() -> None:
    assert found(AIRFLOW__CORE__AUTH_MANAGER="airflow.providers.keycloak.KeycloakAuthManager").verdict is Verdict.WARN


def test_without_airflow_there_is_nothing_to_see() -> None:
    [check] = [check for check in CHECKS if check.name == "logins of Airflow"]
    assert found(**{DATABASE: PRETENDED}).verdict is Verdict.OK
    environ = {"REGSOSEK_ENV_FILE": "/nonexistent"}
    files = [each for each in CHECKS if each.name in check.after]
    assert examine(environ, [*files, check])[check.name].found.startswith("Airflow is not configured")


@pytest.mark.parametrize("province", [each.code for each in provinces()])
def test_the_shipped_table_has_a_role_for_each_province_that_sees_it_alone(province: str) -> None:
    viewer = read_accounts(SHIPPED).viewer("somebody", [f"Kanwil{province}"])
    assert (viewer.provinces, viewer.operator, viewer.sensitive) == ({province}, False, False)


def test_the_shipped_table_knows_no_other_operators_than_airflows() -> None:
    operating = {name for (_, name), grant in read_accounts(SHIPPED).grants.items() if "operator" in grant.rights}
    assert operating == {"Admin", "Op"}
