"""The words of the digests: ``texts.toml`` by kind of condition, and why a delivery was rejected, from the contract."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from regsosek.contract.reasons import rejection_reasons
from regsosek.contract.repairs import RepairKind, repair_kinds

TEXTS = Path(__file__).parent / "texts.toml"


@dataclass(frozen=True, slots=True)
class KindTexts:
    """What is said about one kind of condition."""

    todo: str
    title: str
    short: str
    action: str
    who: str


@cache
def kind_texts() -> dict[str, KindTexts]:
    """The texts by kind of condition."""
    return {kind: KindTexts(**words) for kind, words in _texts()["kind"].items()}


def delivery_states() -> dict[str, str]:
    """The Indonesian word for each state of a delivery."""
    return dict(_texts()["deliveries"])


def target_word(source: str) -> str:
    """What a target of this source is called."""
    return str(_texts()["target"][source])


def rejection_text(reason: str) -> str:
    """Why a delivery was rejected, in Indonesian; a reason that the contract does not know says so."""
    known = rejection_reasons().get(reason)
    return known.text_id if known else str(_texts()["reason"]["unknown"])


def told_repairs() -> list[RepairKind]:
    """The kinds of repair that a province is told of, in the order of the contract."""
    return [kind for kind in repair_kinds().values() if kind.told]


def unit_word(unit: str) -> str:
    """What a repair counts, in Indonesian."""
    return str(_texts()["repair"][unit])


@cache
def _texts() -> dict[str, Any]:
    return tomllib.loads(TEXTS.read_text(encoding="utf-8"))
