"""Conditions with places and states, what was told of them, and what operators did about them"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# What conditions of the province as a whole were before: since when and which news stood among the figures.
_CARRY_OVER = """
UPDATE alert.condition SET level = 'provinsi', kabkota = '', name = '', state = 'open', event = '', judged = true,
    since = coalesce((figures ->> 'since')::date, night), news = coalesce(figures ->> 'news', ''),
    families = coalesce((figures ->> 'families')::numeric, (figures ->> 'quarantined')::numeric,
                        (figures ->> 'off_frame')::numeric, 0)::bigint,
    figures = figures - 'since' - 'news'
"""
_AS_TOLD = """
INSERT INTO alert.told (province, night, dispatch, kind, level, region_code, kabkota, why, severity, since, families,
    news)
SELECT c.province, c.night, o.kind, c.kind, c.level, c.region_code, c.kabkota, 'new', c.severity, c.since, c.families,
    c.news
FROM alert.condition c
JOIN alert.outbox o ON o.recipient_group = 'prov' || c.province AND o.night = c.night AND o.kind = 'digest'
"""
_BACK = """
UPDATE alert.condition SET figures = figures || jsonb_build_object('since', since, 'news', news)
"""


def upgrade() -> None:
    """Applies this migration: what was told before is known, so that nothing of it is told as new."""
    op.execute("DELETE FROM alert.condition WHERE kind = 'RECOVERED'")
    for name, kind in _ADDED.items():
        op.add_column("condition", sa.Column(name, kind(), nullable=True), schema="alert")
    op.execute(_CARRY_OVER)
    for name in _ADDED:
        if name != "until":
            op.alter_column("condition", name, nullable=False, schema="alert")
    op.alter_column("condition", "families", server_default=sa.text("0"), schema="alert")
    _key(["province", "night", "kind", "level", "region_code", "kabkota"])
    _told()
    _act()
    op.execute(_AS_TOLD)


def downgrade() -> None:
    """Undoes this migration: of places below a province nothing is kept."""
    op.drop_table("act", schema="alert")
    op.drop_table("told", schema="alert")
    op.execute("DELETE FROM alert.condition WHERE level <> 'provinsi' OR state = 'resolved'")
    op.execute(_BACK)
    _key(["province", "night", "kind", "region_code"])
    for name in reversed(_ADDED):
        op.drop_column("condition", name, schema="alert")


_ADDED = {
    "level": sa.Text, "kabkota": sa.Text, "name": sa.Text, "state": sa.Text, "since": sa.Date, "families": sa.BigInteger,
    "news": sa.Text, "until": sa.Date, "event": sa.Text, "judged": sa.Boolean,
}  # fmt: skip


def _key(columns: list[str]) -> None:
    op.drop_constraint("pk_condition", "condition", schema="alert")
    op.create_primary_key("pk_condition", "condition", columns, schema="alert")


def _told() -> None:
    op.create_table(
        "told",
        sa.Column("province", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("night", sa.Date(), autoincrement=False, nullable=False),
        sa.Column("dispatch", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("level", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("region_code", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("kabkota", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("families", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("news", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint(
            "province", "night", "dispatch", "kind", "level", "region_code", "kabkota", name=op.f("pk_told")
        ),
        schema="alert",
    )


def _act() -> None:
    op.create_table(
        "act",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("province", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("region_code", sa.Text(), nullable=False),
        sa.Column("kabkota", sa.Text(), nullable=False),
        sa.Column("verb", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("night", sa.Date(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=True),
        sa.Column("until", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_act")),
        schema="alert",
    )
    op.create_index(op.f("ix_act_province_night"), "act", ["province", "night"], schema="alert")
