"""What an attacker with linear programming learns of single families from the files of several nights."""

from dataclasses import dataclass

import pytest

from regsosek.release.audit.disclosure_audit import disclosure_faults
from regsosek.release.figures.disclosure import policy
from regsosek.release.figures.figures import Figures
from regsosek.release.files.tables import tables_of
from support.checks.matrix import FULL
from support.figures.attacker import Attack, Exposed
from support.figures.small_country import TABLES, Event, events, guarded, truth

pytestmark = FULL

NIGHTS, SEED, FEW = 5, 11, 1
# A family of a quiet kab/kota refused; one of three, complete, is taken back on a night on which nobody else moves.
REFUSED = Event(1, "1201010001", 1, "new", "refused", 0)
GONE = (Event(2, "1102010002", 2, "new", "complete", 3), Event(4, "1102010002", 2, "withdrawn", "complete", 3))
QUIET = {("1201", 1), ("1102", 2), ("1102", 4)}


@dataclass(frozen=True)
class World:
    """The nights as they are, and as readers see them."""

    known: list[Figures]
    shown: list[tuple[Figures, dict[str, bytes]]]


def campaign() -> list[Event]:
    others = [each for each in events(NIGHTS, SEED) if (each.desa[:4], each.night) not in QUIET]
    return sorted([*(each for each in others if each.desa not in {"1201010001", "1102010002"}), REFUSED, *GONE],
                  key=lambda each: each.night)  # fmt: skip


@pytest.fixture(scope="module")
def world() -> World:
    known = truth(campaign(), NIGHTS)
    return World(known, guarded(known, policy()))


def test_without_the_policy_the_attacker_knows_single_families(world: World) -> None:
    found = Attack([tables_of(each, TABLES) for each in world.known]).exposed(FEW)
    assert Exposed(REFUSED.desa, REFUSED.night, 1, "refused", 1.0, 1) in found
    gone = next(each for each in found if (each.desa, each.night, each.what) == (GONE[1].desa, 4, "persons"))
    assert (gone.families, round(gone.least, 3), round(gone.most, 3)) == (1, 3.0, 3.0)
    assert len(found) > len(QUIET), "and others that nobody planted"


def test_with_the_policy_nobody_is_known(world: World) -> None:
    assert Attack([files for _, files in world.shown]).exposed(policy().minimum_families - 1) == []


def test_what_readers_see_adds_up_on_every_night(world: World) -> None:
    assert [disclosure_faults(figures, files) for figures, files in world.shown] == [[]] * NIGHTS


def test_something_is_told_of_every_kind_of_row(world: World) -> None:
    """A policy that hides everything is no use: the busy kab/kota move, and so do provinces and nation."""
    statuses = {status for figures, _ in world.shown for status in figures.completion["disclosure_status"]}
    assert statuses == {"terbuka", "ditahan", "dirahasiakan"}
    busy = [figures.region("1101")["complete"] for figures, _ in world.shown]
    assert len(set(busy)) > NIGHTS // 2
