"""Which keys of the deployment's chain the hashes of a province are made with.

The setting may hold a newer key than the hashes of a province: until they are rotated to it
(:mod:`regsosek.warehouse.hashes.rehashing`) everything goes on with those that made them, so nothing waits for a
rotation, and a dump from before it is as good as one from after.
"""

from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, select, text
from sqlalchemy.dialects.postgresql import insert

from regsosek.errors import ConfigurationError
from regsosek.staging.pseudonyms import HashKeys, hashed_on
from regsosek.warehouse.tables import hash_key

_KNOWN_TEXT = b"the keys of the hashes of this warehouse"
_EMPTY = "SELECT NOT EXISTS (SELECT 1 FROM ledger.delivery WHERE province = :province AND state <> 'registered')"


def keys_in_use(connection: Connection, province: str, keys: HashKeys) -> HashKeys:
    """Those of ``keys`` that the hashes of ``province`` are made with; the oldest alone where none is noted.

    Raises:
        ConfigurationError: they are made with others, or with more.
    """
    noted = _noted(connection, province)
    if noted is None:
        return keys[:1]
    return _proved(province, noted, keys)


def keys_to_receive_by(connection: Connection, province: str, keys: HashKeys) -> HashKeys:
    """The same for who brings new hashes: what is received by other keys would be taken for news.

    A province of which nothing was received yet is begun with all of them, and that is noted.

    Raises:
        ConfigurationError: its hashes are made with other keys, or with more.
    """
    noted = _noted(connection, province)
    if noted is not None:
        return _proved(province, noted, keys)
    empty = connection.execute(text(_EMPTY), {"province": province}).scalar_one()
    begun = keys if empty else keys[:1]
    note_keys(connection, province, begun)
    return begun


def note_keys(connection: Connection, province: str, keys: HashKeys, **rotation: Any) -> None:
    """Notes that the hashes of ``province`` are made with ``keys``.

    Args:
        rotation: columns that tell of the rotation that made them so.
    """
    values = {"generation": len(keys), "proof": proof_of(keys), **rotation}
    statement = insert(hash_key).values(province=province, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["province"], set_=values))


def proof_of(keys: HashKeys) -> bytes:
    """What the chain makes of a text that everybody knows: tells two chains apart, and nothing of a key."""
    return hashed_on(_KNOWN_TEXT, keys)


def note_rebuilt(connection: Connection, province: str, first: date) -> None:
    """Notes that the nights from ``first`` on are being built again: what a rotation asked for is under way."""
    wanted = (hash_key.c.province == province) & (hash_key.c.rebuild_from >= first)
    connection.execute(hash_key.update().where(wanted).values(rebuild_from=None))


def _noted(connection: Connection, province: str) -> Row[Any, Any] | None:
    columns = select(hash_key.c.generation, hash_key.c.proof)
    return connection.execute(columns.where(hash_key.c.province == province)).first()


def _proved(province: str, noted: Row[Any, Any], keys: HashKeys) -> HashKeys:
    told = f"the hashes of province {province} are made with"
    if noted.generation > len(keys):
        raise ConfigurationError(
            f"{told} {noted.generation} keys, and REGSOSEK_HMAC_KEY holds {len(keys)}: add those that are missing, the "
            "oldest first (from the safe copy of .env), and start this process again"
        )
    used = keys[: noted.generation]
    if proof_of(used) != bytes(noted.proof):
        raise ConfigurationError(
            f"{told} another key than REGSOSEK_HMAC_KEY holds: bring the old one back (from the safe copy of .env), "
            "and write a new one behind it"
        )
    return used
