"""Revisions of a release, and those that were rolled back"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Applies this migration: what was published before counts in the order in which it was published."""
    op.add_column("release", sa.Column("revision", sa.Integer(), nullable=True), schema="release")
    op.add_column("release", sa.Column("rolled_back_at", sa.DateTime(timezone=True), nullable=True), schema="release")
    op.execute(
        "UPDATE release.release r SET revision = n.revision FROM (SELECT release_id, row_number() OVER "
        "(PARTITION BY night ORDER BY published_at) AS revision FROM release.release) n "
        "WHERE n.release_id = r.release_id"
    )
    op.alter_column("release", "revision", nullable=False, schema="release")


def downgrade() -> None:
    """Undoes this migration."""
    op.drop_column("release", "rolled_back_at", schema="release")
    op.drop_column("release", "revision", schema="release")
