"""A version of a reference dataset that cannot be used leaves what was loaded before, of all of them."""

from pathlib import Path

import pytest

from regsosek.errors import ReferenceDataError
from regsosek.night.reference import load_reference
from support.deliveries.families import PROVINCE
from support.deliveries.reference_folder import frame_row, write_reference
from support.worlds.field_world import FieldWorld

KEPT_RULES = ()
LOADED = """
SELECT (SELECT string_agg(dataset || ' ' || version || ' ' || manifest_sha256, ', ' ORDER BY dataset)
        FROM reference.version),
       (SELECT string_agg(f::text, E'\\n' ORDER BY f::text) FROM reference.subsls f),
       (SELECT string_agg(t::text, E'\\n' ORDER BY t::text) FROM reference.target t)
"""


def put(world: FieldWorld, folder: Path) -> None:
    for path in (each for each in folder.rglob("*") if each.is_file()):
        key = path.relative_to(folder).as_posix()
        world.resources.store.put_bytes(world.resources.settings.landing_bucket, key, path.read_bytes())


def test_a_target_that_lacks_a_province_loads_nothing_of_the_four(world: FieldWorld, tmp_path: Path) -> None:
    write_reference(tmp_path, [frame_row(families_load="61")])
    write_reference(tmp_path, [], "petugas")
    target = {"province": PROVINCE, "target_families": "90", "source": "published", "scale": "0.001"}
    write_reference(tmp_path, [target], "target")
    put(world, tmp_path)
    before = world.rows(LOADED)
    with pytest.raises(ReferenceDataError, match="no target for provinces 11, 12"):
        load_reference(world.resources)
    assert world.rows(LOADED) == before
