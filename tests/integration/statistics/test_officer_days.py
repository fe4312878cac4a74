"""The officer-days of a release: pairs of enumerator and day, in each kab/kota, of cases as they stand."""

from datetime import date, timedelta

from regsosek.statistics.definitions.as_of import AsOf
from regsosek.statistics.forecast.series import officers
from support.deliveries.families import PROVINCE
from support.worlds.field_world import Family, FieldWorld, family, withdrawal
from support.worlds.published_world import FIRST, SECOND, receive, release, table

TABLES_ALONE = True
KEPT_RULES = ("S01",)
HERE, THERE, NOBODY = "6403", "6401", "6402"
NUMBERS = ["officer_days", "officer_families"]


def there(document: str, **changes: str) -> Family:
    """A family in another kab/kota than the others', under an SLS that its frame does not have."""
    place = {"id_subsls": "6401010009000100", "r102_kabkota": "01", "r103_kecamatan": "010", "r104_desa": "009"}
    return family(document, **place, **changes)


def seen(world: FieldWorld, night: date) -> dict[str, tuple[int, ...]]:
    """Officer-days and their families by code."""
    with world.resources.engine.connect() as connection:
        found = officers(connection, AsOf(night, {PROVINCE: night}))
    return {str(code): tuple(map(int, row)) for code, row in zip(found.index, found[NUMBERS].values, strict=True)}


def test_two_officers_with_one_code_in_two_kabkota_are_two_and_nobody_is_none(world: FieldWorld) -> None:
    receive(world, FIRST, [family("D1", r202_kode_ppl="0001"), there("D2", r202_kode_ppl="0001")])
    rows = table(world, release(world, FIRST), "prakiraan.csv")
    columns = ("hari_petugas", "keluarga_hari_petugas", "petugas_per_hari")
    found = {code: tuple(rows[code][column] for column in columns) for code in (HERE, THERE, PROVINCE, NOBODY)}
    one = ("1", "1", "1.00")
    assert found == {HERE: one, THERE: one, PROVINCE: ("2", "2", "2.00"), NOBODY: ("", "", "")}


def test_a_family_counts_as_it_stands_once_and_not_where_it_was_withdrawn(world: FieldWorld) -> None:
    before, other = {"r201_tanggal_pencacahan": str(FIRST - timedelta(days=2))}, {"r202_kode_ppl": "0008"}
    receive(world, FIRST, [family("D1", number=1), family("D2", number=2), family("D3", number=3, **before, **other)])
    assert seen(world, FIRST)[HERE] == (2, 3)
    # D1 goes, D2 was another officer's, D3 of another day.
    corrected = [family(f"D{n}", 2, number=n, **other) for n in (2, 3)]
    receive(world, SECOND, [withdrawal("D1", 2, number=1), *corrected])
    assert seen(world, SECOND) == {HERE: (1, 2), PROVINCE: (1, 2)}
    assert seen(world, FIRST)[HERE] == (2, 3)
