"""The words of the messages in both languages: ``texts.toml``, and what contract and reference data say themselves.

TOML, as the texts of a kind belong together and hold lists; each text has the keys ``id`` and ``en``.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from string import Formatter
from typing import Any

from regsosek.alerts.conditions.condition import Kind
from regsosek.contract.reasons import rejection_reasons
from regsosek.contract.repairs import RepairKind, repair_kinds
from regsosek.geography.plan import plan_words
from regsosek.statistics.measures.status import status_words
from regsosek.wording import Language, english, indonesian
from regsosek.wording.nouns import bare, with_nouns

TEXTS = Path(__file__).parent / "texts.toml"


@dataclass(frozen=True, slots=True)
class KindWords:
    """What is said about one kind of condition; ``who`` by ``provinsi``, ``kabkota`` and ``below``.

    ``size`` says of how many families its task is, where that is not said as of all kinds;
    ``gone`` what its end does not show, where it shows less than that all is well;
    ``over`` what its end is called, where families may be short all the same;
    ``not_judged`` why a night did not look, where that is not for want of data.
    """

    title: str
    short: str
    todo: str
    action: str
    step: str
    who: Mapping[str, str]
    finding: tuple[str, ...]
    size: str = ""
    gone: str = ""
    over: str = ""
    not_judged: str = ""


@dataclass(frozen=True)
class Words:
    """One of the two languages."""

    language: Language

    @property
    def written(self) -> Any:
        """The module that writes numbers and days of this language."""
        return indonesian if self.language == "id" else english

    def say(self, key: str, **values: object) -> str:
        """The text ``key`` (dots lead into tables) with ``values`` in their places, taken as text, never as form."""
        found: Any = self._texts["say"]
        for step in key.split("."):
            found = found[step]
        return filled(found, {name: str(value) for name, value in values.items()})

    def number(self, value: float) -> str:
        """A count."""
        return str(self.written.number(round(value)))

    def kind(self, kind: Kind) -> KindWords:
        """The words of one kind."""
        return self._kinds[kind]

    def rejection(self, reason: str) -> str:
        """Why a delivery was rejected; a reason that the contract does not know says so."""
        known = rejection_reasons().get(reason)
        if known is None:
            return self.say("reason_unknown")
        return known.text.of(self.language)

    def fault(self, error: str) -> str:
        """What the class of an error of ours means; of one without words, that something failed."""
        told = self._texts["say"]["fault"]
        return str(told.get(error, told["RegsosekError"]))

    def plan(self, name: str) -> str:
        """Whose plan it is."""
        return plan_words()[name].of(self.language)

    def status(self, status: str) -> str:
        """A status, as pages call it."""
        return status_words()[status].label.of(self.language)

    def repair(self, repair: RepairKind) -> str:
        """What reading a delivery repaired."""
        return repair.text.of(self.language)

    @cached_property
    def _kinds(self) -> dict[Kind, KindWords]:
        return {
            Kind(kind): KindWords(**words | {"finding": tuple(words["finding"])})
            for kind, words in self._texts["kind"].items()
        }

    @cached_property
    def _texts(self) -> Any:
        return _in_language(_texts(), self.language)


def filled(form: str, values: Mapping[str, str]) -> str:
    """``form`` with each ``{name}`` replaced by its value; a name may hold any sign but braces, colon, bar and ``!``.

    Unlike ``str.format``, a name leads to a value and nowhere else.
    """
    parts = ((literal, name) for literal, name, _, _ in Formatter().parse(with_nouns(form, values)))
    return "".join(literal + (values[name] if name is not None else "") for literal, name in parts)


def names_in(form: str) -> tuple[str, ...]:
    """The names in the braces of ``form``."""
    return tuple(name for _, name, _, _ in Formatter().parse(bare(form)) if name is not None)


def told_repairs() -> list[RepairKind]:
    """The kinds of repair that a province is told of, in the order of the contract."""
    return [kind for kind in repair_kinds().values() if kind.told]


@cache
def words_of(language: Language) -> Words:
    """The words of a language."""
    return Words(language)


@cache
def _texts() -> dict[str, Any]:
    return tomllib.loads(TEXTS.read_text(encoding="utf-8"))


def _in_language(tree: Any, language: Language) -> Any:
    if isinstance(tree, dict):
        if set(tree) == {"id", "en"}:
            return tree[language]
        return {key: _in_language(value, language) for key, value in tree.items()}
    return [_in_language(value, language) for value in tree] if isinstance(tree, list) else tree
