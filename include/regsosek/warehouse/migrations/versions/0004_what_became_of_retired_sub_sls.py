"""What became of retired sub-SLS"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Applies this migration."""
    op.create_table(
        "psls",
        sa.Column("province", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("id_subsls_lama", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("id_subsls_baru", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("province", "id_subsls_lama", "id_subsls_baru", name=op.f("pk_psls")),
        schema="reference",
    )


def downgrade() -> None:
    """Takes it back."""
    op.drop_table("psls", schema="reference")
