"""
### Regsosek replay

Forgets nights of the chosen provinces and builds them again from the archive alone: same deliveries, same suites, same
result. For a restored warehouse, or to prove that a night can be repeated.

**When.** By hand only.

**What it does.** For each province: everything from the first night on is removed and rebuilt in order, later nights
included, because what they did depends on what was known before. Nothing is published and nobody is told; while it
runs, readers see the province without those nights.

**When it is red.** The nights were judged by another codebook or frame: the log says which version to bring back first.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import Param, dag, get_current_context, task

from regsosek.geography.provinces import provinces

PROVINCES = {province.code: province.name for province in provinces()}
LONGEST_TASK = timedelta(hours=12)  # a whole campaign of the largest province


@dag(
    schedule=None,
    catchup=False,
    max_active_runs=1,
    default_args={"owner": "platform", "retries": 2, "execution_timeout": LONGEST_TASK},
    doc_md=__doc__,
    tags=["regsosek", "replay"],
    params={
        "first": Param(type="string", format="date", title="First night to build again"),
        "provinces": Param(
            type="array",
            minItems=1,
            items={"type": "string", "enum": list(PROVINCES)},
            examples=list(PROVINCES),
            values_display=PROVINCES,
            title="Provinces",
            description="What is chosen here is forgotten from the first night on, and built again.",
        ),
    },
)
def regsosek_replay() -> None:
    """Build nights again from the archive."""

    @task(map_index_template="{{ province_name }}")
    def replay(province: str) -> dict[str, Any]:
        """Replays one province, unless others were chosen; nights and states of deliveries are the result."""
        from regsosek.night.dag_steps import replay_one

        context = get_current_context()
        context["province_name"] = f"{province} {PROVINCES[province]}"
        return replay_one(context["params"], province)

    replay.expand(province=list(PROVINCES))


regsosek_replay()
