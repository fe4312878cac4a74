"""The shapes of what the API tells from the warehouse: nights, deliveries, rules, cases to correct, work lists."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from regsosek.contract.codebook import AnyDataset
from regsosek.portal.api.responses import Paging, ProvinceCode, RegionCode, Shape, Unset

RuleId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,40}$", examples=["C-303"], description="id of a rule")]


class NightRow(Shape):
    """What a night brought from a province."""

    malam: date
    kode: str
    nama: str
    keadaan_malam_ini: str
    kiriman: int
    alasan: list[str] = Field(description="reason ids of rejected deliveries")


class DeliveryRow(Shape):
    """A delivery as it stands now."""

    provinsi: str
    id_kiriman: str
    tanggal_kiriman: date
    malam: date
    dihitung_sejak: date | None = Field(description="night from which a delivery counts that was held and decided")
    keadaan: str = Field(description="registered, held, rejected or accepted")
    alasan: str | None = Field(description="reason id of a rejected one")
    instrumen: str | None
    keluarga: int
    anggota: int
    pesan: int = Field(description="messages of a stream")


class QualityRow(Shape):
    """How many rows of a province's night break a rule, of how many received."""

    malam: date
    provinsi: str
    dataset: str
    aturan: str
    tingkat_aturan: Literal["error", "warning"]
    pelanggaran: int
    baris: int = Field(description="rows received in the deliveries that were judged by the rule")


class QuarantineRow(Shape):
    """A case to correct: its keys and the rules that it breaks; never an answer."""

    id_dokumen: str
    keadaan: str = Field(description="quarantined, or pending: earlier clean answers still count")
    malam: date
    id_kiriman: str
    id_subsls: str | None
    r109_no_bangunan: int | None
    r110_no_keluarga: int | None
    kode_ppl: str | None = Field(description="code of the enumerator; null but for accounts with the right `sensitive`")
    aturan: list[str] = Field(description="rule ids; of a member with its number in the roster")


class PlaceRow(Shape):
    """A sub-SLS of a work list, or the region that what became of it lies in."""

    kabkota: str
    kode: str
    nama: str


class GapRow(PlaceRow):
    """Where two streams contradict each other."""

    selisih: str
    keluarga: int
    sejak: date
    dibandingkan_sampai: date
    tindakan: str


class AppointmentRow(PlaceRow):
    """An SLS that is worked in without a verified list."""

    alasan: str
    sejak: date
    hari_janji_temu: str = Field(description="days of the next week on which the head is at home, blanks between")


class SubslsRow(Shape):
    """Figures of a sub-SLS: below what is public."""

    kode: str
    nama: str | None
    kode_induk: str
    kerangka: int = Field(description="families expected: the denominator of percentages here")
    versi_kerangka: str | None
    dikunjungi: int
    selesai: int
    selesai_sebagian: int
    tidak_ada_responden: int
    menolak: int
    pindah: int
    dikarantina: int
    perbaikan_tertunda: int
    kunci_ganda: int


class NightQuery(Paging):
    """Which nights and provinces are asked for."""

    malam: date | Unset = None
    provinsi: ProvinceCode | Unset = None


class DeliveryQuery(NightQuery):
    """Which deliveries are asked for."""

    keadaan: Literal["registered", "held", "rejected", "accepted"] | Unset = None


class QualityQuery(NightQuery):
    """Which rules are asked for; the last night if none is named."""

    dataset: AnyDataset | Unset = None
    aturan: RuleId | Unset = None


class ProvinceQuery(Paging):
    """The work list of one province."""

    provinsi: ProvinceCode


class SubslsQuery(ProvinceQuery):
    """Which sub-SLS of a province are asked for: all, or those that lie in a region."""

    kode_induk: RegionCode | Unset = None
