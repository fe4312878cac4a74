"""Which account sees what: the table, its faults, and what roles make of each other."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regsosek.errors import AccessError, ReferenceDataError
from regsosek.portal.login.accounts import RIGHTS, AccountsFile, read_accounts, without_file
from regsosek.portal.login.viewer import Viewer, all_provinces

TABLE = """account,kind,provinces,rights
platform,role,*,operator sensitive
Kanwil64,role,64,
Kanwil65,role,65,sensitive
Pusat,role,*,
kalimantan,user,61 62 63 64 65,sensitive
"""


def table(folder: Path, text: str = TABLE) -> Path:
    path = folder / "accounts.csv"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("name", "roles", "provinces", "operator", "sensitive"),
    [
        ("a", ["platform"], all_provinces(), True, True),
        ("a", ["Viewer", "Kanwil64"], {"64"}, False, False),
        ("a", ["Kanwil65"], {"65"}, False, True),
        # A right of one role reaches no province of another.
        ("a", ["Kanwil64", "Kanwil65"], {"64", "65"}, False, False),
        ("a", ["Pusat", "Kanwil65"], all_provinces(), False, False),
        ("a", ["platform", "Kanwil64"], all_provinces(), True, True),
        # A line of its own decides alone, also where it gives less.
        ("kalimantan", ["platform"], {"61", "62", "63", "64", "65"}, False, True),
    ],
)
def test_a_line_gives_what_it_says(
    tmp_path: Path, name: str, roles: list[str], provinces: set[str], operator: bool, sensitive: bool
) -> None:
    expected = Viewer(name, frozenset(provinces), operator, sensitive)
    assert read_accounts(table(tmp_path)).viewer(name, roles) == expected


def test_who_is_not_entered_is_told_what_to_do(tmp_path: Path) -> None:
    for name, roles in (("stranger", ["Admin"]), ("platform", []), ("a", ["kalimantan"]), ("a", ["kanwil64"])):
        with pytest.raises(AccessError, match=r"ask the platform team .* REGSOSEK_ACCOUNTS_FILE"):
            read_accounts(table(tmp_path)).viewer(name, roles)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("a,person,64,", r"data row 1 \(person a\): .* user or a role"),
        (",user,64,", "name an account"),
        ("a,user,,", "names no province; write two-digit"),
        ("a,user,64;65,", r"no such province: 64;65; write .* spaces"),
        ("a,user,64 98,", "no such province: 98"),
        ("a,user,64,admin", "no such right: admin; write operator, sensitive, or nothing"),
        ("a,user,64,operator", r"an operator needs provinces \*"),
        ("a,user,64,\na,user,65,", "data row 2 .*: stands twice; keep one line"),
        ("a,user,64", "data rows 1 must have 4 cells"),
    ],
)
def test_a_faulty_line_is_named_with_its_fix(tmp_path: Path, line: str, told: str) -> None:
    with pytest.raises(ReferenceDataError, match=told):
        read_accounts(table(tmp_path, f"account,kind,provinces,rights\n{line}\n"))


def test_without_a_table_whoever_runs_airflow_operates_and_others_read_what_is_public() -> None:
    for role in ("admin", "Op"):
        assert without_file("a", ["Viewer", role]) == Viewer("a", all_provinces(), operator=True, sensitive=False)
    for roles in ([], ["viewer"], ["user"], ["Administrator"]):
        assert without_file("a", roles) == Viewer("a", frozenset(), operator=False, sensitive=False)


def test_the_table_is_read_when_it_changed_and_a_lost_one_lets_nobody_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, reads = table(tmp_path), []
    monkeypatch.setattr(
        "regsosek.portal.login.accounts.read_accounts", lambda path: reads.append(path) or read_accounts(path)
    )
    accounts = AccountsFile(lambda: path)
    for _ in range(3):
        assert accounts.viewer("a", ["Kanwil64"]).provinces == {"64"}
    assert len(reads) == 1
    table(tmp_path, TABLE.replace("Kanwil64,role,64", "Kanwil64,role,63"))
    os.utime(path, ns=(1, 1))
    assert accounts.viewer("a", ["Kanwil64"]).provinces == {"63"}
    path.unlink()
    with pytest.raises(ReferenceDataError, match="REGSOSEK_ACCOUNTS_FILE"):
        accounts.viewer("a", ["platform"])


Lines = list[tuple[set[str], set[str]]]
SOME_PROVINCES = st.sets(st.sampled_from(["63", "64", "65"]), min_size=1)


@given(st.lists(st.tuples(SOME_PROVINCES, st.sets(st.just("sensitive"))), min_size=1))
def test_roles_never_make_more_of_each_other(tmp_path_factory: pytest.TempPathFactory, lines: Lines) -> None:
    text = "".join(f"r{n},role,{' '.join(sorted(p))},{' '.join(r)}\n" for n, (p, r) in enumerate(lines))
    path = table(tmp_path_factory.mktemp("accounts"), f"account,kind,provinces,rights\n{text}")
    viewer = read_accounts(path).viewer("a", [f"r{n}" for n in range(len(lines))])
    for province in viewer.provinces:
        for right in RIGHTS:
            given_there = any(province in provinces and right in rights for provinces, rights in lines)
            assert given_there or not getattr(viewer, right)


def test_a_province_is_shown_itself_and_the_public_everything_public() -> None:
    office, public = Viewer("a", frozenset({"64"}), False, False), Viewer("a", frozenset(), False, False)
    assert [office.reads(code) for code in ("64", "65", "00", None)] == [True, False, False, False]
    assert [public.reads(code) for code in ("64", "65", "00", None)] == [True] * 4
    assert [public.sees(code) for code in ("64", "00", "99")] == [False] * 3
    national = Viewer("a", all_provinces(), False, False)
    assert [national.sees(code) for code in ("64", "00", "99")] == [True, False, False]


def test_roles_are_read_from_both_auth_managers() -> None:
    from regsosek.portal.login.airflow_logins import roles_of

    simple = SimpleNamespace(role="viewer")
    fab = SimpleNamespace(roles=[SimpleNamespace(name="Viewer"), SimpleNamespace(name="Kanwil64")])
    assert roles_of(simple) == ("viewer",)
    assert roles_of(fab) == ("Viewer", "Kanwil64")
    assert roles_of(SimpleNamespace(role=None)) == roles_of(SimpleNamespace()) == ()
