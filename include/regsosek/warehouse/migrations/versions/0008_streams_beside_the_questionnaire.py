"""Streams beside the questionnaire: daily counts, tags of houses, recap of verified lists; whose delivery is which"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_COUNTS = ("jumlah_kk_verifikasi", "jumlah_kk_cacah", "jumlah_art", "jumlah_asn")
_FAMILIES = ("jumlah_keluarga_verifikasi", "nonrespon", "sangat_miskin", "miskin", "tidak_miskin")


def upgrade() -> None:
    """Applies this migration; all deliveries so far were of questionnaire K."""
    op.add_column("delivery", sa.Column("instrument", sa.Text(), nullable=True), schema="ledger")
    op.execute("UPDATE ledger.delivery SET instrument = 'REGSOSEK22.K' WHERE instrument_version IS NOT NULL")
    _stream(
        "progres",
        ("id_subsls", "kode_petugas", "tanggal"),
        sa.Column("id_subsls", sa.Text()),
        sa.Column("tanggal", sa.Date()),
        sa.Column("kode_petugas", sa.Text()),
        *(sa.Column(name, sa.Integer()) for name in _COUNTS),
        sa.Column("dikirim_pada", sa.DateTime(timezone=True)),
    )
    _stream(
        "geotag",
        ("id_tag",),
        sa.Column("id_tag", sa.Text()),
        sa.Column("versi", sa.Integer()),
        sa.Column("status_dokumen", sa.SmallInteger()),
        sa.Column("id_subsls", sa.Text()),
        sa.Column("r109_no_bangunan", sa.Integer()),
        sa.Column("r110_no_keluarga", sa.Integer()),
        sa.Column("ditandai_pada", sa.DateTime(timezone=True)),
        sa.Column("kode_petugas", sa.Text()),
        sa.Column("kelas_vk", sa.SmallInteger()),
        sa.Column("ada_foto", sa.SmallInteger()),
        sa.Column("akurasi_m", sa.Double()),
    )
    _stream(
        "rekap_vk",
        ("id_subsls", "id_subsls_baru"),
        *(sa.Column(name, sa.Text()) for name in ("id_subsls", "id_subsls_baru", "nama_sls_baru")),
        *(sa.Column(name, sa.SmallInteger()) for name in ("status", "flag_tidak_ditemukan")),
        *(sa.Column(name, sa.Integer()) for name in _FAMILIES),
        sa.Column("dientri_pada", sa.DateTime(timezone=True)),
    )
    place: list[sa.Column[Any]] = [sa.Column(name, sa.Double()) for name in ("lintang", "bujur")]
    _by_row("geotag_identity", "restricted", *place, sa.Column("kunci_foto", sa.Text()))


def downgrade() -> None:
    """Takes this migration back; deliveries of streams must be received again."""
    op.drop_table("geotag_identity", schema="restricted")
    for table in ("rekap_vk", "geotag", "progres"):
        op.drop_table(table, schema="stream")
    op.drop_column("delivery", "instrument", schema="ledger")


def _stream(table: str, message: Sequence[str], *columns: sa.Column[Any]) -> None:
    own = (
        sa.Column("produced_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("row_state", sa.Text(), nullable=False),
    )
    _by_row(table, "stream", *columns, *own)
    op.create_index(f"ix_{table}_message", table, ["province", *message], schema="stream")


def _by_row(table: str, schema: str, *columns: sa.Column[Any]) -> None:
    key: dict[str, sa.types.TypeEngine[Any]] = {
        "province": sa.Text(), "night": sa.Date(), "delivery_id": sa.Text(), "part": sa.Integer(),
        "row_no": sa.Integer(),
    }  # fmt: skip
    op.create_table(
        table,
        *(sa.Column(name, type_, autoincrement=False, nullable=False) for name, type_ in key.items()),
        *columns,
        sa.PrimaryKeyConstraint(*key, name=op.f(f"pk_{table}")),
        schema=schema,
        postgresql_partition_by="LIST (province)",
    )
