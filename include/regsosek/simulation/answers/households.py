"""Who lives in a family: a roster of fixed places (head, spouse, ...), each filled or not, with age and sex."""

from dataclasses import dataclass

import numpy as np

from regsosek.simulation.draws.randomness import Draws, Flags, Floats, Integers, Keys, mixed

MALE, FEMALE = 1, 2
NEVER_MARRIED, MARRIED, DIVORCED, WIDOWED = 1, 2, 3, 4
HEAD, SPOUSE, CHILD, CHILD_IN_LAW, GRANDCHILD, PARENT, SERVANT, OTHER = range(1, 9)
LIVES_HERE, NEW_MEMBER = 1, 5
OLDEST = 97
_YOUNG_COUPLE = (19, 45)
_GRANDPARENT_FROM, _DIVORCED_FROM, _SERVANT_FROM = 45, 24, 18
_CHILDREN = 5
# The places of the roster: head, spouse, children, a young couple and its child, a parent, one more, one who left.
_RELATIONS = np.array([HEAD, SPOUSE, *[CHILD] * _CHILDREN, CHILD, CHILD_IN_LAW, GRANDCHILD, PARENT, OTHER, CHILD])
_MARRIED_CHILD, _IN_LAW, _GRANDCHILD, _PARENT, _OTHER, _GONE = range(2 + _CHILDREN, len(_RELATIONS))

_HEAD_AGES = (
    [0.0, 0.04, 0.2, 0.4, 0.6, 0.8, 0.93, 0.97, 0.99, 1.0],
    [19.0, 24.0, 32.0, 40.0, 48.0, 58.0, 68.0, 74.0, 80.0, 92.0],
)
_FEMALE_HEADS = ([20.0, 30.0, 45.0, 60.0, 75.0], [0.13, 0.07, 0.115, 0.235, 0.40])
# Children that a mother will have had at the end, by her age now: older generations had more.
_CHILDREN_WANTED = ([18.0, 40.0, 60.0, 90.0], [2.0, 2.0, 2.5, 3.3])
_FIRST_BIRTH, _FIRST_BIRTH_SPREAD, _BETWEEN_BIRTHS, _BETWEEN_SPREAD = 18.5, 9.5, 3.0, 3.2
_STILL_AT_HOME = ([0.0, 16.0, 19.0, 23.0, 27.0, 32.0, 45.0], [1.0, 0.95, 0.75, 0.45, 0.26, 0.14, 0.04])
# How many children and kin live with head and spouse, by the mean members that this makes (measured; a test holds it).
_FULLNESS = ([2.861, 2.994, 3.123, 3.246, 3.366, 3.478, 3.587], [0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4])
_FATHERS = 0.27  # of the parents who live with their children: mothers outlive them
# Daughters marry and leave earlier than sons.
_SONS = ([15.0, 21.0, 35.0], [0.514, 0.60, 0.63])


@dataclass(frozen=True)
class Roster:
    """Members, family by family in the order of the roster; columns of one length.

    ``family`` is the row of the member's family, ``order`` counts its members from 1; ``key`` and ``draft`` are the
    sources of the member's own and of correctable answers.
    """

    family: Integers
    order: Integers
    key: Keys
    draft: Keys
    existence: Integers
    sex: Integers
    age: Integers
    marital: Integers
    relation: Integers


@dataclass(frozen=True)
class _Couple:
    age: Integers
    sex: Integers
    spouse: Flags
    spouse_age: Integers

    @property
    def mother_age(self) -> Integers:
        return np.where(self.spouse & (self.sex == MALE), self.spouse_age, self.age)

    @property
    def younger(self) -> Integers:
        return np.where(self.spouse, np.minimum(self.age, self.spouse_age), self.age)


def rosters(key: Keys, draft: Keys, interviewed: Flags, members: float) -> Roster:
    """The members of the families with these keys.

    Args:
        key: the families' keys.
        draft: sources of the families' correctable answers.
        interviewed: a family that was not interviewed has no members.
        members: mean persons of a family in their province, 2.8 to 3.6.
    """
    draws = Draws(key)
    couple = _couples(draws)
    present, ages = _places(draws, couple, float(np.interp(members, *_FULLNESS)))
    present &= interviewed[:, None]
    family, place = np.nonzero(present)
    sources = mixed(key[family], place.astype(np.uint64))
    own = Draws(sources)
    age = ages[family, place]
    return Roster(
        family=family,
        order=np.cumsum(present, axis=1, dtype=np.int64)[family, place],
        key=sources,
        draft=mixed(draft[family], place.astype(np.uint64)),
        existence=_existence(own, place, age),
        sex=_sexes(own, couple, family, place, age, present),
        age=age,
        marital=_marital(own, couple, family, place, age),
        relation=_relations(own, place, age),
    )


def heads(key: Keys) -> tuple[Keys, Integers]:
    """The heads of the families with these keys: the sources of their own answers, and their sex."""
    return mixed(key, np.uint64(0)), _couples(Draws(key)).sex


def _couples(draws: Draws) -> _Couple:
    age = np.floor(np.interp(draws.uniform("head age"), *_HEAD_AGES)).astype(np.int64)
    female = draws.chance("head sex", np.interp(age, *_FEMALE_HEADS))
    together = np.where(female, 0.06, np.interp(age, [19, 24, 30, 60, 90], [0.3, 0.75, 0.93, 0.9, 0.6]))
    gap = np.rint(3.5 + 3.5 * draws.normal("age gap")).astype(np.int64)
    spouse_age = np.clip(np.where(female, age + gap, age - gap), 18, OLDEST)
    return _Couple(age, np.where(female, FEMALE, MALE), draws.chance("spouse", together), spouse_age)


def _places(draws: Draws, couple: _Couple, fullness: float) -> tuple[Flags, Integers]:
    """Which places are filled, and the age at each: arrays of families by places."""
    shape = (len(couple.age), len(_RELATIONS))
    present, age = np.zeros(shape, dtype=np.bool_), np.zeros(shape, dtype=np.int64)
    present[:, 0], age[:, 0] = True, couple.age
    present[:, 1], age[:, 1] = couple.spouse, couple.spouse_age
    _put_children(draws, couple, fullness, present, age)
    _put_young_couple(draws, couple, fullness, present, age)
    parent_age = couple.age + draws.integer("parent age", 20, 32)
    age[:, _PARENT] = parent_age
    present[:, _PARENT] = (parent_age <= OLDEST) & draws.chance("parent", 0.08 * fullness)
    age[:, _OTHER] = draws.integer("other age", 6, 60)
    present[:, _OTHER] = draws.chance("other", 0.04 * fullness)
    age[:, _GONE] = draws.integer("gone age", 18, 80)
    present[:, _GONE] = draws.chance("gone", 0.035)
    return present, age


def _put_children(draws: Draws, couple: _Couple, fullness: float, present: Flags, age: Integers) -> None:
    ever_together = couple.spouse | draws.chance("children of one parent", np.where(couple.sex == FEMALE, 0.75, 0.3))
    wanted = np.interp(couple.mother_age, *_CHILDREN_WANTED) * np.exp(0.4 * draws.normal("children")) * fullness
    first = _FIRST_BIRTH + _FIRST_BIRTH_SPREAD * draws.uniform("first birth")
    between = _BETWEEN_BIRTHS + _BETWEEN_SPREAD * draws.uniform("between births")
    for child in range(_CHILDREN):
        mother_at_birth = first + child * between + draws.uniform(f"birth {child}")
        child_age = np.floor(couple.mother_age + 1 - mother_at_birth).astype(np.int64)
        home = draws.chance(f"home {child}", np.interp(child_age, *_STILL_AT_HOME))
        possible = (child_age >= 0) & (child_age <= couple.younger - 16)
        present[:, 2 + child] = (
            ever_together & possible & home & (wanted + draws.uniform("part of a child") > child + 1)
        )
        age[:, 2 + child] = child_age


def _put_young_couple(draws: Draws, couple: _Couple, fullness: float, present: Flags, age: Integers) -> None:
    child_age = couple.younger - draws.integer("age at married child", 19, 25)
    child = (
        (child_age >= _YOUNG_COUPLE[0])
        & (child_age <= _YOUNG_COUPLE[1])
        & (draws.chance("married child", 0.11 * fullness))
    )
    age[:, _MARRIED_CHILD] = child_age
    age[:, _IN_LAW] = np.maximum(18, child_age + draws.integer("in-law gap", -4, 4))
    age[:, _GRANDCHILD] = np.floor(draws.uniform("grandchild age") * np.clip(child_age - 18, 0, 17)).astype(np.int64)
    present[:, _MARRIED_CHILD] = child
    present[:, _IN_LAW] = child & draws.chance("in-law", 0.85)
    present[:, _GRANDCHILD] = (couple.age >= _GRANDPARENT_FROM) & np.where(
        child, draws.chance("grandchild", 0.75), draws.chance("foster", 0.06)
    )


def _sexes(own: Draws, couple: _Couple, family: Integers, place: Integers, age: Integers, present: Flags) -> Integers:
    # A spouse has the other sex than the head, and so have the two of the young couple.
    sons = np.select([place == _PARENT, place < _GONE], [_FATHERS, np.interp(age, *_SONS)], 0.5)
    sex = np.where(own.chance("sex", sons), MALE, FEMALE)
    head = couple.sex[family]
    sex = np.where(place == 0, head, np.where(place == 1, MALE + FEMALE - head, sex))
    married_child = np.zeros(len(present), dtype=np.int64)
    of_married_child = place == _MARRIED_CHILD
    married_child[family[of_married_child]] = sex[of_married_child]
    return np.where(place == _IN_LAW, MALE + FEMALE - married_child[family], sex)


def _marital(own: Draws, couple: _Couple, family: Integers, place: Integers, age: Integers) -> Integers:
    alone = _alone(own, age)
    unmarried = np.where((age >= _DIVORCED_FROM) & own.chance("child divorced", 0.03), DIVORCED, NEVER_MARRIED)
    by_place = np.select(
        [place <= 1, (place == _MARRIED_CHILD) | (place == _IN_LAW), place == _PARENT],
        [np.where(couple.spouse[family], MARRIED, alone), MARRIED, WIDOWED],
        unmarried,
    )
    return np.asarray(by_place, dtype=np.int64)


def _alone(own: Draws, age: Integers) -> Integers:
    widowed = own.chance("widowed", np.interp(age, [25, 40, 60, 75], [0.02, 0.25, 0.7, 0.92]))
    never = own.chance("never married", np.interp(age, [20, 30, 45, 60], [0.95, 0.6, 0.2, 0.1]))
    return np.where(widowed, WIDOWED, np.where(never, NEVER_MARRIED, DIVORCED))


def _existence(own: Draws, place: Integers, age: Integers) -> Integers:
    here = np.where((place > 1) & own.chance("new", np.where(age == 0, 0.8, 0.02)), NEW_MEMBER, LIVES_HERE)
    return np.where(place == _GONE, own.among("gone", {2: 0.35, 3: 0.45, 4: 0.05, 6: 0.15}), here)


def _relations(own: Draws, place: Integers, age: Integers) -> Integers:
    servant = (place == _OTHER) & (age >= _SERVANT_FROM) & own.chance("servant", 0.08)
    return np.where(servant, SERVANT, _RELATIONS[place])


def frailty(own: Draws, age: Integers) -> Floats:
    """How likely a member has difficulties and diseases: rises with age, differs by person."""
    return np.asarray(-2.9 + 0.032 * age + 0.75 * own.normal("frailty"), dtype=np.float64)
