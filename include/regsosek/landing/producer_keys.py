"""Which public keys a province signs its manifests with, and whether a manifest is signed by one of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from regsosek.contract.manifest import SIGNATURE_NAME
from regsosek.errors import ConfigurationError, ContractBreachError, ReferenceDataError, SignatureError
from regsosek.geography.provinces import provinces
from regsosek.geography.reference_table import read_table
from regsosek.minisign import PublicKey, check_signature, signed_by

COLUMNS = ("province", "public_key", "valid_from", "valid_to", "source")


@dataclass(frozen=True, slots=True)
class ProducerKey:
    """A key of one province, and the nights on which deliveries signed with it may arrive: both ends included."""

    province: str
    key: PublicKey
    valid_from: date
    valid_to: date

    def holds(self, night: date) -> bool:
        """Whether deliveries that arrive on ``night`` may be signed with it."""
        return self.valid_from <= night <= self.valid_to


def producer_keys(path: Path | None) -> tuple[ProducerKey, ...]:
    """The keys of a file, in its order; none means that no province signs.

    Args:
        path: CSV with the columns province, public_key (as minisign writes it), valid_from, valid_to (empty while it
            holds), source (how the key was received and confirmed).

    Raises:
        ReferenceDataError: the file cannot be read, or a line is malformed or unknown.
        ConfigurationError: a key stands twice: one that two provinces share proves nothing.
    """
    keys = tuple(_key(path.name, row) for row in read_table(path, COLUMNS)) if path else ()
    ids = [each.key.raw for each in keys]
    for each in keys:
        if ids.count(each.key.raw) > 1:
            raise ConfigurationError(f"key {each.key.id} stands twice; give every province a key of its own")
    return keys


def trusted_keys(path: Path | None, province: str, night: date, *, demanded: bool) -> tuple[PublicKey, ...] | None:
    """The keys that a manifest of ``province`` must be signed with; ``None`` where it need not be signed.

    A province that has a key must sign: leaving the signature out must not be a way around it.

    Args:
        night: of arrival, which the producer does not choose.
        demanded: whether provinces without a key must sign too, so that nothing of theirs is taken in.
    """
    own = [each for each in producer_keys(path) if each.province == province]
    return tuple(each.key for each in own if each.holds(night)) if own or demanded else None


def require_signature(document: bytes, signature: bytes | None, trusted: Sequence[PublicKey]) -> None:
    """Lets a manifest pass that one of the ``trusted`` keys signed.

    Raises:
        ContractBreachError: ``signature_missing``, ``signature_invalid`` or ``signature_untrusted``.
    """
    if signature is None:
        raise ContractBreachError("signature_missing", f"{SIGNATURE_NAME} is not in the folder of the delivery")
    try:
        signer = signed_by(signature)
        if signer not in {each.id for each in trusted}:
            raise ContractBreachError("signature_untrusted", f"key {signer} is none of the province's keys")
        check_signature(document, signature, trusted)
    except SignatureError as error:
        raise ContractBreachError("signature_invalid", str(error)) from None


def _key(file_name: str, row: dict[str, str]) -> ProducerKey:
    place = f"{file_name}: province {row['province']}"
    if row["province"] not in {each.code for each in provinces()}:
        raise ReferenceDataError(f"{place}: no such province; write its BPS code")
    if not row["source"]:
        raise ReferenceDataError(f"{place}: say in column source how the key was received and confirmed")
    try:
        valid_from, valid_to = (date.fromisoformat(row[name] or "9999-12-31") for name in ("valid_from", "valid_to"))
        key = PublicKey.read(row["public_key"])
    except ConfigurationError as error:
        raise ReferenceDataError(f"{place}: {error}") from None
    except ValueError:
        raise ReferenceDataError(f"{place}: valid_from and valid_to are days, as 2022-10-15") from None
    return ProducerKey(row["province"], key, valid_from, valid_to)
