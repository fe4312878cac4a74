"""Puts the answers of a piece of the campaign into two tables of candidates, ready for the skips."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from regsosek.contract.codebook import variables
from regsosek.contract.instruments import first_version
from regsosek.simulation.answers.anggota import anggota_columns
from regsosek.simulation.answers.households import rosters
from regsosek.simulation.answers.keluarga import answer, keluarga_columns
from regsosek.simulation.answers.piece import Piece
from regsosek.simulation.draws.columns import Columns, numbers
from regsosek.simulation.draws.living import living
from regsosek.simulation.draws.randomness import Integers

INCOMPLETE = 2
# What both tables know of the family beside their own columns: how much of an interview was held, rows of the roster.
ANSWERED, ROSTER_ROWS = "answered", "roster_rows"
_EMPTY_TYPES = {"date": pa.date32(), "timestamp": pa.timestamp("s")}
_FAMILY_FACTS = ("r205_hasil", "status_dokumen", ANSWERED, ROSTER_ROWS)


@dataclass(frozen=True)
class Candidates:
    """Tables with every column of the codebook that is given at all, typed, and the facts about the family beside them.

    ``family`` is the row in ``keluarga`` of each row of ``anggota``.
    """

    keluarga: pa.Table
    anggota: pa.Table
    family: Integers


def candidates(piece: Piece) -> Candidates:
    """The tables of ``piece``; families that were not interviewed have no members."""
    result = answer(piece.draws, "r205_hasil", piece.welfare)
    interviewed = (result <= INCOMPLETE) & ~piece.withdrawn
    roster = rosters(piece.messages.key, piece.messages.draft, interviewed, living()[piece.province].members)
    rows = np.bincount(roster.family, minlength=len(piece))
    keluarga = keluarga_columns(piece, result, rows)
    held = np.where(result == INCOMPLETE, piece.draws.uniform(ANSWERED), 1.0)
    keluarga |= {ANSWERED: pa.array(held), ROSTER_ROWS: numbers(rows)}
    anggota = anggota_columns(piece, roster, keluarga, rows)
    anggota |= {fact: keluarga[fact].take(pa.array(roster.family)) for fact in _FAMILY_FACTS}
    return Candidates(_table("keluarga", keluarga), _table("anggota", anggota), roster.family)


def _table(dataset: str, columns: Columns) -> pa.Table:
    """Columns that the simulator knows no answer to are empty."""
    length = len(columns["id_dokumen"])
    missing = [item for item in variables(dataset, first_version()) if item.name not in columns]
    return pa.table(
        columns | {item.name: pa.nulls(length, _EMPTY_TYPES.get(item.kind, pa.string())) for item in missing}
    )
