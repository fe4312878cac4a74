"""What must hold after every night and at the end; each law raises, naming itself."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from email import message_from_bytes
from pathlib import Path

from local_services.mail_sink import MailSink
from regsosek.release.audit.conservation import conservation_faults
from regsosek.release.lifecycle.pointer import seen
from regsosek.release.lifecycle.verification import in_bucket, verify
from regsosek.statistics.definitions.as_of import last_refreshed
from soak.stage import PROVINCES
from support.checks.traces_left import contents
from support.worlds.field_world import FieldWorld

UNBALANCED = """
SELECT delivery_id, dataset FROM ledger.delivery_count
WHERE received <> loaded + quarantined + superseded + duplicate + withdrawn + held + rejected
"""
NEWEST = "SELECT DISTINCT ON (night) night, prefix, content_hash FROM release.release ORDER BY night, revision DESC"
# What became of each message by the warehouse: its id without tag and domain, as alerts/sending/smtp.py writes it, and
# what stays the same when a restored warehouse composes it again under another id.
LETTERS = """
SELECT to_char(o.night, 'YYYYMMDD') || '.' || o.recipient_group || '.' || o.id || '.' || d.id,
       concat_ws(' ', o.recipient_group, o.night, o.kind, o.language, d.channel, d.address), d.state, d.unclear
FROM alert.delivery d JOIN alert.outbox o ON o.id = d.outbox_id
"""
MOST_COPIES = 2


class LawError(AssertionError):
    """A law that does not hold."""


def require(law: str, found: object) -> None:
    """``found``: what speaks against it."""
    if found:
        raise LawError(f"{law}: {str(found)[:3000]}")


def conserved(world: FieldWorld, night: date) -> None:
    require("every row received is accounted for", world.rows(UNBALANCED))
    with world.resources.engine.connect() as connection:
        standing = last_refreshed(connection, night)
        require("the rows that the ledger speaks of exist", conservation_faults(connection, standing, {}))
    behind = [code for code in PROVINCES if standing.nights.get(code) != night]
    require("both provinces hold the night", behind)


def undisturbed(hurt: FieldWorld, twin: FieldWorld, nights: Iterable[date]) -> None:
    """Tables row by row without clocks, receipts, and where readers are led."""
    ours, theirs = (contents(world, nights) for world in (hurt, twin))
    require("the tables are those of the twin", differences(ours, theirs))
    pointers = [seen(world.resources.store, world.resources.settings.release_bucket) for world in (hurt, twin)]
    led = [(each.night, each.content_hash) if each else None for each in pointers]
    require("readers are led where the twin's are", led if led[0] != led[1] else None)


def received(world: FieldWorld) -> dict[str, list[str]]:
    """Tables row by row but for the journal of where readers were led, which no delivery tells."""
    found = contents(world, ())
    return found | {"ledger.event": [row for row in found["ledger.event"] if '"kind": "release_' not in row]}


def differences(ours: Mapping[str, list[str]], theirs: Mapping[str, list[str]]) -> dict[str, tuple[object, ...]]:
    """By table: how many rows each side has alone, and the first of them."""
    found: dict[str, tuple[object, ...]] = {}
    for name in ours.keys() | theirs.keys():
        left, right = Counter(ours.get(name, ())), Counter(theirs.get(name, ()))
        if left != right:
            more, less = list((left - right).elements()), list((right - left).elements())
            found[name] = (len(more), len(less), more[:2], less[:2])
    return found


def published(world: FieldWorld, night: date) -> None:
    """The release that readers see is whole, and of ``night`` unless it was rolled back."""
    resources = world.resources
    standing = seen(resources.store, resources.settings.release_bucket)
    if standing is None:
        raise LawError("something is published: nothing is")
    read = in_bucket(resources.store, resources.settings.release_bucket, standing.prefix)
    require("the release that readers see is whole", verify(read, None).faults)
    newest = {row[0] for row in world.rows(NEWEST)}
    require("the night is published", None if night in newest else night)


@dataclass
class Told:
    """What came of each message in warehouses that a restore has replaced, whose ids are given again."""

    letters: Counter[str] = field(default_factory=Counter)
    copies: Counter[str] = field(default_factory=Counter)
    unclear: dict[str, int] = field(default_factory=dict)

    def before_restore(self, world: FieldWorld, relay: MailSink) -> None:
        """Keeps what is known of the messages of ``world``, which goes."""
        arrived = _arrived(world, relay)
        since = arrived - self.letters
        for letter, message, _, unclear in world.rows(LETTERS):
            self.copies[message] += since[letter]
            self.unclear[message] = max(unclear, self.unclear.get(message, 0))
        self.letters = arrived


def told_once(world: FieldWorld, relay: MailSink, told: Told) -> int:
    """Every message once, a second time only after a try of which nobody knows the end; returns how many twice."""
    since = _arrived(world, relay) - told.letters
    require("no message comes more than twice", {k: n for k, n in since.items() if n > MOST_COPIES})
    copies, wrong = told.copies.copy(), {}
    for letter, message, state, unclear in world.rows(LETTERS):
        copies[message] += since[letter]
        most = min(MOST_COPIES, 1 + max(unclear, told.unclear.get(message, 0)))
        if (state == "sent") != (copies[message] > 0) or copies[message] > most:
            wrong[letter] = (state, unclear, copies[message])
    require("every message comes once", wrong)
    return sum(n > 1 for n in copies.values())


def _arrived(world: FieldWorld, relay: MailSink) -> Counter[str]:
    """Copies of each letter of ``world`` that the relay took."""
    sender = world.resources.settings.mail_sender.partition("@")[2]
    return Counter(letter for letter, domain in map(_id_of, relay.received()) if domain == sender)


def _id_of(path: Path) -> tuple[str, str]:
    tagged, _, domain = str(message_from_bytes(path.read_bytes())["Message-ID"]).strip("<> \r\n").rpartition("@")
    return tagged.rpartition(".")[0], domain


def nothing_left(world: FieldWorld) -> None:
    left = [path.name for path in world.resources.settings.scratch.rglob("*")]
    require("no work folder of a dead run stays", left)


def as_meant(world: FieldWorld, altered: Iterable[str]) -> None:
    """No sound delivery is rejected for what a fault did, and no spoiled one accepted."""
    reasons = "('decided', 'operator', 'rejected_by_operator')"
    rejected = {
        row[0]
        for row in world.rows(
            "SELECT delivery_id FROM ledger.delivery WHERE state = 'rejected' AND reason LIKE 'file%'"
            f" AND reason NOT IN {reasons}"
        )
    }
    require("only spoiled deliveries are rejected for their files", rejected ^ set(altered))


def tables_of_releases(world: FieldWorld) -> dict[str, list[str]]:
    """Rows of every published CSV file, by night and name, of the newest release of each night."""
    resources, found = world.resources, {}
    bucket = resources.settings.release_bucket
    for night, prefix, _ in world.rows(NEWEST):
        for each in resources.store.list_objects(bucket, prefix):
            if each.key.endswith(".csv"):
                content = resources.store.get_bytes(bucket, each.key, max_bytes=10**8) or b""
                rows = csv.reader(io.StringIO(content.decode()))
                found[f"{night} {each.key.removeprefix(prefix)}"] = [",".join(row) for row in rows]
    return found


def hashes(world: FieldWorld) -> dict[date, str]:
    """The content hash of the newest release of each night."""
    return {night: content_hash for night, _, content_hash in world.rows(NEWEST)}


def same_hashes(law: str, ours: Mapping[date, str], theirs: Mapping[date, str]) -> None:
    require(
        law, {str(n): (ours.get(n), theirs.get(n)) for n in ours.keys() | theirs.keys() if ours.get(n) != theirs.get(n)}
    )
