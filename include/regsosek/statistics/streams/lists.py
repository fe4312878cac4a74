"""The verified list of each sub-SLS of a night's frame, from what coordinators recapped under former and new codes.

A split, merge or rename keeps every family: what was listed under a code that the frame no longer holds belongs to what
that code became, by load where a split leaves open to which part; what is told of a code that the frame does not know
yet belongs to the sub-SLS that it comes from. So the sum over the places that a list went to is the list.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

COUNTS = ("families", "non_response", "sangat_miskin", "miskin", "tidak_miskin")
_CLASSES = slice(2, 5)
Order = tuple[object, ...]
Counts = tuple[int, ...]


@dataclass(frozen=True)
class Statement:
    """One line of the recap.

    Attributes:
        source: the code before a change; ``target``: the code after it, the same where nothing changed.
        counts: in order of :data:`COUNTS`; none where the list is not entered.
        order: later statements have a greater one.
    """

    source: str
    target: str
    not_found: bool
    counts: Counts | None
    order: Order
    delivery_id: str


@dataclass
class PlacedList:
    """The list of one place: nothing is entered (no ``counts``) if any part of it is not."""

    parts: list[tuple[Counts | None, bool]] = field(default_factory=list)
    newest: tuple[Order, str] = ((), "")

    @property
    def not_found(self) -> bool:
        """The coordinators found none of what it was."""
        return all(not_found for _, not_found in self.parts)

    @property
    def counts(self) -> Counts | None:
        """The sums over its parts; what was not found holds nobody."""
        found = [counts for counts, not_found in self.parts if not not_found]
        entered = [counts for counts in found if counts is not None]
        if not found or len(entered) < len(found):
            return None
        return tuple(map(sum, zip(*entered, strict=True)))


def placed_lists(
    statements: Iterable[Statement], loads: Mapping[str, int], heirs: Mapping[str, Sequence[str]]
) -> tuple[dict[str, PlacedList], list[Statement]]:
    """The lists by place of the frame, and the statements that no place of it can take.

    Args:
        statements: the newest of each pair of codes.
        loads: families expected in each sub-SLS of the night's frame.
        heirs: what each retired code became, as of the night.
    """
    found: dict[str, PlacedList] = {}
    lost: list[Statement] = []
    for statement in _holding(statements):
        places = _places(statement.target, loads, heirs) or _places(statement.source, loads, heirs)
        if not places:
            lost.append(statement)
        for code, counts in zip(places, _divided(statement.counts, [loads[code] for code in places]), strict=True):
            own = found.setdefault(code, PlacedList())
            own.parts.append((counts, statement.not_found))
            own.newest = max(own.newest, (statement.order, statement.delivery_id))
    return found, lost


def _holding(statements: Iterable[Statement]) -> Iterator[Statement]:
    """Of each code what became of it, or its list as it was: whichever was told last. An empty list tells nothing."""
    for _, group in groupby(sorted(statements, key=lambda each: (each.source, each.order)), lambda each: each.source):
        own = list(group)
        telling = [each for each in own if each.counts is not None or each.not_found or each.target != each.source]
        last = (telling or own)[-1]
        if last.target == last.source:
            yield last
        else:
            yield from (each for each in own if each.target != each.source)


def _places(code: str, loads: Mapping[str, int], heirs: Mapping[str, Sequence[str]]) -> list[str]:
    """The code itself if the frame holds it, else all places of the frame that it became."""
    seen, open_codes, found = {code}, [code], set[str]()
    while open_codes:
        each = open_codes.pop()
        if each in loads:
            found.add(each)
            continue
        new = [heir for heir in heirs.get(each, ()) if heir not in seen]
        seen.update(new)
        open_codes += new
    return sorted(found)


def _divided(counts: Counts | None, loads: Sequence[int]) -> list[Counts | None]:
    """The counts over places by their loads, each count to the last family."""
    if counts is None or len(loads) <= 1:
        return [counts] * len(loads)
    weights = [max(load, 1) for load in loads]
    columns = [_apportioned(count, weights) for count in counts]
    if counts[0] == sum(counts[_CLASSES]):  # then it holds of every part too
        columns[0] = [sum(parts) for parts in zip(*columns[_CLASSES], strict=True)]
    return list(zip(*columns, strict=True))


def _apportioned(total: int, weights: Sequence[int]) -> list[int]:
    """Splits ``total`` by weight into whole numbers that sum to it (largest remainders)."""
    whole = sum(weights)
    parts = [total * weight // whole for weight in weights]
    rest = sorted(range(len(weights)), key=lambda place: (-(total * weights[place] % whole), place))
    for place in rest[: total - sum(parts)]:
        parts[place] += 1
    return parts
