"""Nights of two provinces under every fault, held against a twin without faults, night by night and at the end."""

import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from regsosek.release.lifecycle.pointer import seen
from regsosek.settings import Settings
from soak import laws
from soak.acts import Act, start
from soak.faults import Hazards, hazards
from soak.laws import LawError, require
from soak.plan import FIRST, Night, Offices, Sent, with_seeded_ids
from soak.rates import Rates
from soak.stage import PROVINCES, Stage, staged
from support.worlds.field_world import FieldWorld

QUIET_SECONDS = 120
# Beyond every pause of sending: a message that was refused for now is due again with the next try.
STEP = timedelta(hours=3)


@dataclass
class Report:
    """What a soak survived."""

    seed: int
    nights: int = 0
    operations: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    lies: Counter[str] = field(default_factory=Counter)
    deliveries: int = 0
    messages: int = 0
    twice: int = 0
    hung: int = 0
    seconds: float = 0
    failed_at: str = ""
    why: str = ""

    def __str__(self) -> str:
        shown = {name: dict(value) if isinstance(value, Counter) else value for name, value in vars(self).items()}
        return json.dumps(shown, indent=2)


@dataclass
class Soak:
    """The hurt world, its twin, and the clock that both share."""

    stage: Stage
    offices: FieldWorld
    hurt: FieldWorld
    twin: FieldWorld
    hazards: Hazards
    report: Report
    announce: Callable[[str], None]
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    done: list[date] = field(default_factory=list)
    altered: set[str] = field(default_factory=set)
    dumps: dict[date, str] = field(default_factory=dict)
    led_back: dict[date, Act] = field(default_factory=dict)
    told: laws.Told = field(default_factory=laws.Told)

    def night(self, plan: Night) -> None:
        """One night: arrivals, the run, what operators do, and the laws."""
        self.announce(f"night {plan.night}: {len(plan.sent)} deliveries")
        self.altered |= plan.altered
        self._arrive(each for each in plan.sent if not each.late)
        self._both(Act("night", plan.night, PROVINCES))
        self._arrive(each for each in plan.sent if each.late)
        for act in map(self._at_hand, plan.acts):
            self._both(act)
            if act.kind == "rollback":
                self.led_back[plan.night] = act
        self.done.append(plan.night)
        self._hold()
        if plan.restore:
            self._restore(plan)
            self._hold()
        self._dump(plan.night)

    def _arrive(self, sent: Iterator[Sent]) -> None:
        """The offices' bucket is where nothing is ever lost; both worlds get what lies there."""
        source = self.offices.resources.settings.landing_bucket
        for each in sent:
            self.report.deliveries += 1
            found = [stored.key for stored in self.offices.resources.store.list_objects(source, each.prefix)]
            for key in sorted(found, key=lambda key: key.endswith("manifest.json")):
                content = self.offices.resources.store.get_bytes(source, key, max_bytes=10**8) or b""
                for world in (self.hurt, self.twin):
                    world.resources.store.put_bytes(world.resources.settings.landing_bucket, key, content)

    def _at_hand(self, act: Act) -> Act:
        if act.kind != "rollback":
            return act
        standing = seen(self.twin.resources.store, self.twin.resources.settings.release_bucket)
        return Act(act.kind, act.night, act.provinces, standing.release_id if standing else "")

    def _both(self, act: Act) -> None:
        """The twin first: how long it takes says when a fault may strike."""
        begun = time.monotonic()
        self._quietly(self.twin.resources.settings, act)
        self._hurt(act, time.monotonic() - begun)

    def _hurt(self, act: Act, seconds: float) -> None:
        self.report.operations[act.kind] += 1
        kinds = self.hazards.rates.kinds(self.hazards.chance)
        if act.kind == "rollback":  # two operators who roll back at once go back two releases
            kinds = [kind for kind in kinds if kind != "two_at_once"]
        for kind in kinds:
            self.now += STEP
            code = self.hazards.strike(kind, act, self.now, seconds)
            self.announce(f"  {act}: {kind}, exit {code}")
        self._quietly(self.hurt.resources.settings, act)

    def _quietly(self, settings: Settings, act: Act) -> None:
        """Runs ``act`` undisturbed, which must end well."""
        self.now += STEP
        code = self._try(settings, act)
        require(f"{act} ends well when nothing disturbs it", None if code == 0 else f"exit {code}, see {self._log}")

    def _try(self, settings: Settings, act: Act) -> int | None:
        process = start(settings, act, self.now, self._log)
        process.join(QUIET_SECONDS)
        if process.is_alive():
            process.kill()
            process.join()
        return process.exitcode

    @property
    def _log(self) -> Path:
        return self.hazards.log

    def _dump(self, night: date) -> None:
        name = f"soak_dump_{night:%Y%m%d}"
        self.hurt.resources.engine.dispose()
        self.stage.copy_database(self.hazards.database, name)
        self.dumps[night] = name

    def _restore(self, plan: Night) -> None:
        """The warehouse of some nights ago comes back; the archive brings the nights since, releases are made again."""
        since = self.done[-plan.restore :]
        self.told.before_restore(self.hurt, self.stage.services.mail)
        self.hurt.resources.engine.dispose()
        self.stage.copy_database(self.dumps[self.done[-plan.restore - 1]], self.hazards.database)
        self.report.operations["restore"] += 1
        if plan.impatient and plan.restore > 1:
            code = self._try(self.hurt.resources.settings, Act("night", plan.night, PROVINCES))
            require("a night is refused while nights before it are missing", None if code else "it was received")
        self._hurt(Act("replay", since[0], PROVINCES), 2)
        for night in since:
            self._hurt(Act("release", night, PROVINCES), 2)

    def _hold(self) -> None:
        laws.conserved(self.hurt, self.done[-1])
        laws.as_meant(self.hurt, self.altered)
        laws.published(self.hurt, self.done[-1])
        laws.undisturbed(self.hurt, self.twin, self.done[-1:])  # the receipts of all nights once, at the end
        laws.nothing_left(self.hurt)
        self.report.twice = laws.told_once(self.hurt, self.stage.services.mail, self.told)

    def from_the_archive(self) -> None:
        """An empty warehouse, an empty landing area: the archive alone gives the same tables, files and hashes."""
        self.announce("from the archive alone")
        laws.undisturbed(self.hurt, self.twin, self.done)
        with self.stage.world("again") as again:
            archive = self.hurt.resources.settings.archive_bucket
            settings = again.resources.settings.model_copy(update={"archive_bucket": archive})
            self._quietly(settings, Act("replay", FIRST, PROVINCES))
            for night in self.done:
                self._quietly(settings, Act("release", night, PROVINCES))
                if night in self.led_back:  # what changed since is told against the release that readers saw
                    self._quietly(settings, self.led_back[night])
            tables = [laws.received(world) for world in (again, self.hurt)]
            require("the archive alone gives equal tables", laws.differences(*tables))
            files = [laws.tables_of_releases(world) for world in (again, self.hurt, self.twin)]
            require("the archive alone gives equal files", laws.differences(files[0], files[1]))
            require("the twin published equal files", laws.differences(files[2], files[1]))
            ours = laws.hashes(self.hurt)
            laws.same_hashes("the twin published under equal hashes", ours, laws.hashes(self.twin))
            laws.same_hashes("the archive alone gives equal hashes", ours, laws.hashes(again))


@contextmanager
def _worlds(place: Path, seed: int, rates: Rates, report: Report, announce: Callable[[str], None]) -> Iterator[Soak]:
    with (
        pytest.MonkeyPatch.context() as patch,
        staged(place) as stage,
        stage.world("offices") as offices,
        stage.world("hurt") as hurt,
        stage.world("twin") as twin,
    ):
        with_seeded_ids(patch, seed)
        chance, database = random.Random(f"faults {seed}"), "soak_hurt"
        with hazards(stage, hurt.resources.settings, database, chance, rates, place / "soak.log") as dangers:
            yield Soak(stage, offices, hurt, twin, dangers, report, announce)


def soak(place: Path, seed: int, nights: int, announce: Callable[[str], None] = lambda _: None) -> Report:
    """Runs a soak of ``nights`` in ``place``, an empty directory; what failed, if anything, stands in the report."""
    report, rates, begun = Report(seed), Rates.read(), time.monotonic()
    with _worlds(place, seed, rates, report, announce) as running:
        try:
            for plan in Offices(running.offices, random.Random(f"plan {seed}"), rates).nights(nights):
                report.failed_at = str(plan.night)
                running.night(plan)
                report.nights += 1
            report.failed_at = "the end"
            running.from_the_archive()
            report.failed_at = ""
        except LawError as error:
            report.why = str(error)
        report.faults, report.lies = running.hazards.survived, running.hazards.liar.told
        report.hung, report.messages = running.hazards.hung, len(running.stage.services.mail.received())
    report.seconds = round(time.monotonic() - begun, 1)
    return report


def announced(line: str) -> None:
    """To the terminal, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
