"""The API over a published campaign: what it answers is what was published, page by page, to whom it may."""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from regsosek.geography.provinces import provinces
from regsosek.geography.regions import region_master
from regsosek.portal.login.viewer import Viewer
from regsosek.release.figures.schema import typed
from regsosek.settings import Settings
from regsosek.statistics.definitions.definitions import definitions, needed_beside
from support.checks.matrix import examples
from support.worlds.served_portal import (
    API,
    HOME,
    NATIONAL,
    NEIGHBOUR,
    NIGHTS,
    OFFICE,
    OFFICERS_TOO,
    PUBLIC,
    Portal,
    served_portal,
    viewer,
)

TABLES = {
    "daily": "harian", "arrivals": "kedatangan", "revisions": "revisi", "changes": "perubahan", "floor": "terendah",
    "forecast": "prakiraan", "what-if": "skenario", "streams": "sumber_data", "photos": "foto",
    "calendar": "kalender", "rules": "mutu",
}  # fmt: skip
LISTS = {"quarantine", "gaps", "appointments", "figures/subsls"}
OTHERS = {"figures", "releases", "regions", "definitions", "nights", "deliveries", "quality"}
# A page of a whole list is asked for once per example: what is sought does not depend on how often.
FEW = settings(
    max_examples=examples(40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def portal(services_env: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    with served_portal(services_env.model_copy(update={"work_dir": tmp_path_factory.mktemp("work")})) as portal:
        yield portal


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_every_path_keeps_its_contract(portal: Portal, mode: GenerationMode) -> None:
    """All checks of schemathesis on what it makes up for every path: valid, and deliberately not."""
    portal.seen_by(NATIONAL)
    tried = Counter[str]()
    for found in schemathesis.openapi.from_asgi(f"{API}/openapi.json", portal.app).get_all_operations():
        operation = found.ok()

        @settings(FEW, max_examples=examples(8), suppress_health_check=list(HealthCheck), database=None)
        @given(case=operation.as_strategy(generation_mode=mode))
        def keeps_it(case: schemathesis.Case) -> None:
            tried[operation.path] += 1  # noqa: B023 - called in this very round
            case.call_and_validate()

        keeps_it()
    assert len(tried) == len(TABLES) + len(LISTS) + len(OTHERS) + 1, "and one release by its id"


def get(client: TestClient, path: str, **asked: Any) -> dict[str, Any]:
    answer = client.get(f"{API}/{path}", params=asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def all_pages(client: TestClient, path: str, **asked: Any) -> Iterator[dict[str, Any]]:
    """Every row of every page, by the addresses that the pages name."""
    following: str | None = f"{API}/{path}?{urlencode(asked, doseq=True)}"
    while following:
        answer = client.get(following)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        yield from page["rows"]
        following = page["next"]


def published(portal: Portal, name: str) -> list[dict[str, Any]]:
    """A table as it lies in the release that readers see, as JSON has its values."""
    resources = portal.resources
    current = json.loads(
        resources.store.get_bytes(resources.settings.release_bucket, "rilis/terkini.json", max_bytes=9999) or b""
    )
    content = resources.store.get_bytes(
        resources.settings.release_bucket, f"{current['prefix']}{name}.csv", max_bytes=1 << 26
    )
    rows: list[dict[str, Any]] = json.loads(json.dumps(typed(f"{name}.csv", content or b"").to_pylist(), default=str))
    return rows


@FEW
@given(
    path=st.sampled_from([*TABLES, "figures"]), limit=st.integers(1, 1000), level=st.sampled_from(["kabkota", "desa"])
)
def test_all_pages_are_the_published_table(portal: Portal, path: str, limit: int, level: str) -> None:
    name, asked = (level, {"tingkat": level}) if path == "figures" else (TABLES[path], {})
    whole = published(portal, name)
    limit = max(limit, len(whole) // 20)  # at most twenty pages
    assert list(all_pages(portal.seen_by(NATIONAL), path, limit=limit, **asked)) == whole
    assert whole or path in {"revisions"}


LISTS_WITH_KEYS = {
    "quarantine": ("id_dokumen",), "gaps": ("kode", "selisih"), "appointments": ("kode",), "figures/subsls": ("kode",),
    "deliveries": ("provinsi", "id_kiriman", "tanggal_kiriman"), "quality": ("provinsi", "dataset", "aturan"),
    "nights": ("malam", "kode"), "definitions": ("kolom",), "releases": ("release_id",),
}  # fmt: skip


@FEW
@given(path=st.sampled_from(sorted(LISTS_WITH_KEYS)), limit=st.integers(1, 1000))
def test_all_pages_of_a_list_are_the_list(portal: Portal, path: str, limit: int) -> None:
    client, asked = portal.seen_by(NATIONAL), {"provinsi": HOME} if path in LISTS else {}
    whole = get(client, path, limit=1000, **asked)
    limit = max(limit, len(whole["rows"]) // 20)
    rows = list(all_pages(client, path, limit=limit, **asked))
    assert whole["next"] is None
    assert rows == whole["rows"]
    keys = [tuple(row[name] for name in LISTS_WITH_KEYS[path]) for row in rows]
    assert len(set(keys)) == len(keys)
    assert keys or path == "gaps"


def test_the_quarantine_is_what_the_warehouse_holds(portal: Portal) -> None:
    open_cases = "SELECT case_id FROM core.kasus_terkini WHERE province = :home AND waiting IS NOT NULL"
    told = list(all_pages(portal.seen_by(OFFICE), "quarantine", provinsi=HOME, limit=3))
    assert {(row["id_dokumen"],) for row in told} == set(portal.rows(open_cases, home=HOME))
    assert all(row["aturan"] for row in told)
    [(violations,)] = portal.rows(
        "SELECT sum(violations) FROM quality.rule_result r JOIN ledger.delivery d USING (province, delivery_id) "
        "WHERE d.night = :night AND province = :home",
        night=NIGHTS[-1], home=HOME,
    )  # fmt: skip
    quality = list(all_pages(portal.seen_by(OFFICE), "quality", malam=str(NIGHTS[-1])))
    assert sum(row["pelanggaran"] for row in quality) == violations
    assert {row["tingkat_aturan"] for row in quality} == {"error", "warning"}
    assert all(row["baris"] >= row["pelanggaran"] for row in quality)


def test_sub_sls_are_told_as_the_warehouse_counts_them(portal: Portal) -> None:
    client = portal.seen_by(OFFICE)
    [province] = get(client, "figures", tingkat="provinsi")["rows"]
    rows = list(all_pages(client, "figures/subsls", provinsi=HOME))
    assert sum(row["kerangka"] for row in rows) == province["kerangka"] > 0
    placed = portal.rows(
        "SELECT DISTINCT ON (code) code, visited, complete FROM mart.total WHERE province = :home AND placed "
        "ORDER BY code, night DESC", home=HOME,
    )  # fmt: skip
    framed = {row["kode"] for row in rows}
    counted = {(row["kode"], row["dikunjungi"], row["selesai"]) for row in rows if row["dikunjungi"]}
    assert counted == {each for each in placed if each[0] in framed and each[1]}
    # Families whose code leads no lower than the desa are in no sub-SLS.
    elsewhere = sum(visited for code, visited, _ in placed if code not in framed)
    assert sum(row["dikunjungi"] for row in rows) + elsewhere == province["dikunjungi"] > 0
    kabkota = region_master().regions[region_master().regions[rows[0]["kode_induk"]].parent_code or ""].parent_code
    own = list(all_pages(client, "figures/subsls", provinsi=HOME, kode_induk=kabkota))
    assert 0 < len(own) < len(rows)
    assert own == [row for row in rows if row["kode"].startswith(str(kabkota))]


# --- who sees what ------------------------------------------------------------------------------------------------

CODE_COLUMNS = {
    "kode", "kode_induk", "provinsi", "kabkota", "id_subsls", "kode_terendah",
}  # fmt: skip
PROVINCE_NAMES = {each.name for each in provinces()}


def parameters(client: TestClient) -> Mapping[str, frozenset[str]]:
    """Every path of the OpenAPI document, without the leading slash, with the parameters that it knows."""
    described = client.get(f"{API}/openapi.json").json()["paths"]
    return {
        path[1:]: frozenset(each["name"] for each in of["get"].get("parameters", ())) for path, of in described.items()
    }


def told(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text of an answer with the name that it stands under."""
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield "", name
            yield from told(each, name)
    elif isinstance(value, list):
        for each in value:
            yield from told(each, key)
    elif isinstance(value, str):
        yield from ((key, part) for part in value.split("; "))


def foreign(body: Any, home: str) -> list[tuple[str, str]]:
    """What an answer says of regions outside of a province: their codes and names."""
    names = PROVINCE_NAMES - {each.name for each in region_master().regions.values() if each.code.startswith(home)}
    return [
        (key, value)
        for key, value in told(body)
        if value in names
        or (key in CODE_COLUMNS and value.isdigit() and not value.startswith(home) and value != "00")
        or (not key and value in {each.code for each in provinces()} - {home})
    ]


def release_ids(portal: Portal) -> list[str]:
    return [row[0] for row in portal.rows("SELECT release_id FROM release.release ORDER BY night")]


def values(portal: Portal) -> st.SearchStrategy[dict[str, str]]:
    """Parameters that mean something, of home and of the neighbour."""
    regions = ["00", HOME, NEIGHBOUR, f"{HOME}01", f"{NEIGHBOUR}01", "99"]
    return st.fixed_dictionaries(
        {},
        optional={
            "provinsi": st.sampled_from([HOME, NEIGHBOUR, "00", "99"]),
            "kode": st.sampled_from(regions),
            "kode_induk": st.sampled_from(regions),
            "tingkat": st.sampled_from(["nasional", "provinsi", "kabkota", "kecamatan", "desa"]),
            "malam": st.sampled_from([str(night) for night in NIGHTS]),
            "limit": st.sampled_from(["1", "7", "1000"]),
            "release": st.sampled_from(release_ids(portal)),
            "format": st.sampled_from(["json", "csv"]),
        },
    )


@settings(FEW, max_examples=examples(150))
@given(data=st.data())
def test_the_account_of_a_province_hears_of_no_other(portal: Portal, data: st.DataObject) -> None:
    known = parameters(portal.seen_by(NATIONAL))
    template = data.draw(st.sampled_from(sorted(known)))
    client = portal.seen_by(data.draw(st.sampled_from([OFFICE, OFFICERS_TOO])))
    path = template.replace("{release_id}", data.draw(st.sampled_from(release_ids(portal))))
    # A path refuses what it does not know: then nothing would be seen.
    asked = {name: value for name, value in data.draw(values(portal)).items() if name in known[template]}
    answer = client.get(f"{API}/{path}", params=asked)
    assert answer.status_code in {200, 400, 404}
    if answer.headers["content-type"].startswith("text/csv"):
        body: Any = list(csv.DictReader(io.StringIO(answer.text)))
    else:
        body = answer.json()
    assert foreign(body, HOME) == []


def test_what_is_sought_is_there_for_others(portal: Portal) -> None:
    client = portal.seen_by(NATIONAL)
    for path in ("daily", "figures", "regions", "nights", "deliveries", "quality"):
        assert foreign(get(client, path, limit=1000), HOME), path
    assert foreign(get(client, "figures/subsls", provinsi=NEIGHBOUR)["rows"], HOME)


@pytest.mark.parametrize("path", sorted(LISTS | OTHERS - {"releases", "definitions"} | {"daily", "floor"}))
def test_a_foreign_code_is_an_unknown_one(portal: Portal, path: str) -> None:
    client = portal.seen_by(OFFICE)
    answers = [client.get(f"{API}/{path}", params={"provinsi": code}) for code in (NEIGHBOUR, "99", "00")]
    assert [answer.status_code for answer in answers] == [404] * 3
    assert len({answer.content for answer in answers}) == 1
    assert answers[0].headers["content-type"] == "application/problem+json"
    assert client.get(f"{API}/{path}", params={"provinsi": HOME}).status_code == 200


def test_who_reads_only_what_is_public_reads_all_of_it_and_nothing_else(portal: Portal) -> None:
    client = portal.seen_by(PUBLIC)
    assert list(all_pages(client, "figures", tingkat="kabkota")) == published(portal, "kabkota")
    for path in LISTS:
        assert client.get(f"{API}/{path}", params={"provinsi": HOME}).status_code == 404
    for path in ("nights", "deliveries", "quality"):
        assert get(client, path)["rows"] == get(client, path)["missing"] == []


def test_officers_are_told_with_the_right_to_it_alone(portal: Portal) -> None:
    known = {row[0] for row in portal.rows("SELECT DISTINCT ppl FROM core.kasus WHERE province = :home", home=HOME)} - {
        None
    }

    def codes(account: Viewer) -> set[str | None]:
        return {row["kode_ppl"] for row in all_pages(portal.seen_by(account), "quarantine", provinsi=HOME)}

    assert codes(OFFICE) == {None}
    assert codes(viewer(*NATIONAL.provinces, operator=True)) == {None}
    assert codes(OFFICERS_TOO) - {None} and codes(OFFICERS_TOO) <= known


def test_no_answer_holds_a_personal_value(portal: Portal) -> None:
    personal = set[str]()
    for table, columns in (
        ("keluarga_identity", ("r108_nama_kepala", "r107_alamat", "r114_no_kk")),
        ("anggota_identity", ("r402_nama", "r403_nik")),
        ("geotag_identity", ("lintang", "bujur", "kunci_foto")),
    ):
        found = portal.rows(f"SELECT {', '.join(columns)} FROM restricted.{table}")
        personal |= {str(value) for row in found for value in row if value is not None and len(str(value)) > 5}
    assert len(personal) > 100, "there is something to find"
    client = portal.seen_by(NATIONAL)
    for path in [*TABLES, *LISTS, *OTHERS]:
        asked = {"provinsi": HOME} if path in LISTS else {}
        strings = (
            {value for _, value in told([*all_pages(client, path, limit=1000, **asked)])}
            if path != "regions"
            else set()
        )
        assert not strings & personal, path


# --- form -----------------------------------------------------------------------------------------------------------


def test_a_share_never_comes_without_what_it_divides(portal: Portal) -> None:
    client = portal.seen_by(NATIONAL)
    shares = [each for each in definitions().values() if each.is_share]
    row = get(client, "figures", tingkat="provinsi")["rows"][0]
    tried = [share for share in shares if share.column in row]
    for share in tried:
        [told_row, *_] = get(client, "figures", tingkat="provinsi", kolom=share.column)["rows"]
        beside = {definitions()[name].column for name in needed_beside(share)} & set(row)
        assert beside | {share.column, "kode", "malam", "provinsi_belum_lengkap"} <= set(told_row) < set(row)
    assert len(tried) > 5


def test_what_is_not_public_at_a_level_is_refused_there(portal: Portal) -> None:
    client = portal.seen_by(NATIONAL)
    assert client.get(f"{API}/figures", params={"tingkat": "desa", "kolom": "selesai"}).status_code == 404
    assert client.get(f"{API}/figures", params={"tingkat": "kabkota", "kolom": "selesai"}).status_code == 200


def test_what_is_known_is_not_sent_again_and_what_differs_has_another_tag(portal: Portal) -> None:
    tags = set()
    for account in (NATIONAL, OFFICE):
        client = portal.seen_by(account)
        for path, asked in (
            ("daily", {}), ("daily", {"limit": 2}), ("daily", {"format": "csv"}), ("nights", {}), ("regions", {}),
            ("quarantine", {"provinsi": HOME}), (f"releases/{release_ids(portal)[-1]}", {}),
        ):  # fmt: skip
            first = client.get(f"{API}/{path}", params=asked)
            assert first.headers["cache-control"] == "private, no-cache"
            again = client.get(f"{API}/{path}", params=asked, headers={"If-None-Match": first.headers["etag"]})
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
            tags.add(first.headers["etag"])
    assert len(tags) == 14


def test_pages_stay_in_one_release_while_another_is_published(portal: Portal) -> None:
    client = portal.seen_by(NATIONAL)
    *_, former, current = release_ids(portal)
    page = get(client, "daily", release=former, limit=3)
    assert page["as_of"]["rilis"] == former != get(client, "daily")["as_of"]["rilis"] == current
    following = client.get(page["next"].replace(f"release={former}&", "")).json()
    assert following["as_of"]["rilis"] == former
    mixed = client.get(page["next"].replace(former, current))
    assert mixed.status_code == 404 and mixed.json()["parameter"] == "cursor"


def test_csv_holds_the_same_rows(portal: Portal) -> None:
    client = portal.seen_by(NATIONAL)
    rows = get(client, "daily", limit=5)["rows"]
    for asked in (
        {"params": {"limit": 5, "format": "csv"}},
        {"params": {"limit": 5}, "headers": {"Accept": "text/csv"}},
    ):
        answer = client.get(f"{API}/daily", **asked)
        assert answer.headers["link"].endswith('rel="next"')
        told_rows = list(csv.DictReader(io.StringIO(answer.text)))
        assert [[str(v) if v is not None else "" for v in row.values()] for row in rows] == [
            [*row.values()] for row in told_rows
        ]


def test_problems_name_parameter_and_fix_and_repeat_no_value(portal: Portal) -> None:
    client = portal.seen_by(OFFICE)
    secret = "6403015202840099"
    for asked in ({"limit": secret}, {"kode": f"x{secret}"}, {secret: "1"}, {"cursor": secret}, {"tingkat": secret}):
        answer = client.get(f"{API}/figures", params=asked)
        assert answer.status_code in {400, 404}
        assert answer.json()["fix"] and answer.json()["parameter"]
        assert secret not in answer.text


def test_an_address_that_leads_nowhere_is_a_problem_too(portal: Portal) -> None:
    for path in ("releases/a%0Ab", "nothing", "releases/2022-10-23-0123456789ab"):
        answer = portal.seen_by(OFFICE).get(f"{API}/{path}")
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_the_regions_are_the_master(portal: Portal) -> None:
    rows = list(all_pages(portal.seen_by(OFFICE), "regions", limit=1000))
    assert {row["kode"] for row in rows} == {
        code for code in region_master().regions if region_master().province_of(code) == HOME
    }
    assert get(portal.seen_by(NATIONAL), "regions", tingkat="nasional")["rows"][0]["kode"] == "00"
