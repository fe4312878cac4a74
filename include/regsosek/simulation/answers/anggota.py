"""The columns of anggota: one row for each member of the rosters."""

import numpy as np
import pyarrow as pa

from regsosek.simulation.answers import identity
from regsosek.simulation.answers.households import Roster
from regsosek.simulation.answers.people import FamilyTraits, member_answers
from regsosek.simulation.answers.piece import Piece
from regsosek.simulation.draws.columns import Columns, numbers
from regsosek.simulation.draws.living import living
from regsosek.simulation.draws.randomness import Draws, Integers

_OF_THE_FAMILY = ("id_dokumen", "versi", "id_subsls", "r109_no_bangunan", "r110_no_keluarga")


def anggota_columns(piece: Piece, roster: Roster, keluarga: Columns, rows: Integers) -> Columns:
    """Candidates of every column of anggota; ``keluarga`` holds the columns of the families, ``rows`` their sizes."""
    family = pa.array(roster.family)
    shared = {name: keluarga[name].take(family) for name in _OF_THE_FAMILY}
    around = FamilyTraits(
        welfare=piece.welfare[roster.family],
        urban=piece.place.urban[roster.family],
        family_size=rows[roster.family],
        building=living()[piece.province].building,
    )
    answers = member_answers(roster, around)
    columns = {name: numbers(values) for name, values in answers.items()}
    return shared | columns | _identity(piece, roster)


def _identity(piece: Piece, roster: Roster) -> Columns:
    draws = Draws(roster.key)
    birth = identity.birth_dates(draws, roster.age, piece.enumerated[roster.family])
    district = identity.districts(piece.place.kabkota, piece.place.kecamatan_rank)[roster.family]
    serial = piece.draws.integer("serial", 0, 9_998)[roster.family] + roster.order
    unsure = draws.chance("birth date unknown", np.interp(roster.age, [55, 65], [0.0, 0.05]))
    return {
        "r401_no_urut": numbers(roster.order),
        "r402_nama": identity.person_names(draws, roster.sex),
        "r403_nik": numbers(identity.niks(draws, district, birth, roster.sex, serial)),
        "r406_tanggal_lahir": pa.array(birth, mask=unsure),
    }
