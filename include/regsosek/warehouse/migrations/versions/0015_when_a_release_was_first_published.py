"""When a release was first published: publishing it once more must not make an old night late"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0015"
down_revision: str | None = "0014"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Applies this migration: of releases published before, the last time is the only one that is known."""
    op.add_column(
        "release",
        sa.Column("first_published_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        schema="release",
    )
    op.execute("UPDATE release.release SET first_published_at = coalesce(published_at, built_at)")


def downgrade() -> None:
    """Undoes this migration."""
    op.drop_column("release", "first_published_at", schema="release")
