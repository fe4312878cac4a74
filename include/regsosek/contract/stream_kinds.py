"""The streams beside questionnaire K: what a message of each speaks of, and which of its columns says when."""

from dataclasses import dataclass
from typing import Final

from regsosek.contract.codebook import STREAMS


@dataclass(frozen=True)
class StreamKind:
    """A stream of messages.

    Attributes:
        key: the columns that name what a message speaks of; a later message of the same key replaces it.
        told: the column with the day or moment that the message tells of; it must lie in the field window.
        optional: a column of the key that may be empty.
    """

    dataset: str
    key: tuple[str, ...]
    told: str
    optional: str = ""

    @property
    def needed(self) -> tuple[str, ...]:
        """The columns of the key that every message has."""
        return tuple(column for column in self.key if column != self.optional)


MESSAGES: Final = {
    each.dataset: each
    for each in (
        StreamKind("progres", ("id_subsls", "kode_petugas", "tanggal"), "tanggal"),
        StreamKind("geotag", ("id_tag",), "ditandai_pada"),
        # A rename or a merge may be told without a new code.
        StreamKind("rekap_vk", ("id_subsls", "id_subsls_baru"), "dientri_pada", "id_subsls_baru"),
    )
}
assert tuple(MESSAGES) == STREAMS, "every stream of the codebook has its messages described"
