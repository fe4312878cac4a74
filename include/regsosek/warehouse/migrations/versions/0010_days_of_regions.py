"""Families of provinces and kab/kota by day of enumeration and night"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Applies this migration; nights that the warehouse holds are summed up from their changes."""
    op.create_table(
        "region_day",
        sa.Column("province", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("code", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("enumerated_on", sa.Date(), autoincrement=False, nullable=False),
        sa.Column("night", sa.Date(), autoincrement=False, nullable=False),
        sa.Column("visited", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("province", "code", "enumerated_on", "night", name=op.f("pk_region_day")),
        schema="mart",
    )
    op.create_index(op.f("ix_region_day_province_night"), "region_day", ["province", "night"], schema="mart")
    op.execute(
        "INSERT INTO mart.region_day (province, code, enumerated_on, night, visited) "
        "SELECT c.province, a.ancestor_code, c.enumerated_on, c.night, sum(c.visited) "
        "FROM mart.change c JOIN mart.placement p USING (province, placed_code) "
        "JOIN reference.region_ancestor a ON a.code = p.region_code "
        "JOIN reference.region r ON r.code = a.ancestor_code AND r.level IN ('provinsi', 'kabkota') "
        "GROUP BY 1, 2, 3, 4 HAVING sum(c.visited) <> 0"
    )


def downgrade() -> None:
    """Undoes this migration."""
    op.drop_table("region_day", schema="mart")
