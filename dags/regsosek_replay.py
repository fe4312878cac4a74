"""
### Regsosek replay

*Hanya dengan tangan: melupakan malam-malam provinsi yang dipilih dan membangunnya lagi dari arsip.*

Forgets nights of the chosen provinces and builds them again from the archive alone: same deliveries, same suites, same
result. For a restored warehouse, or to prove that a night can be repeated.

**When.** By hand only.

**What it does.** For each province: everything from the first night on is removed and rebuilt in order, later nights
included, because what they did depends on what was known before. Nothing is published and nobody is told; while it
runs, readers see the province without those nights.

**When it is red.** The first night lies in the future: nothing was forgotten, trigger again with another. Or the nights
were judged by another codebook or frame: the log says which version to bring back first.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from airflow.sdk import Param, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException

from regsosek.errors import RegsosekError
from regsosek.geography.provinces import provinces
from regsosek.geography.recipients import owner_links
from regsosek.night.run_request import run_request
from regsosek.runbooks import on_page

REPLAY = """
Forgets and rebuilds one province from the first night on, later nights included; nights and states of deliveries are
the result. A province that was not chosen is skipped inside of the task.

**Red** before anything was forgotten: the log says which date to enter, or which codebook or frame to bring back. Red
halfway: clear the task, it begins again.
""" + on_page("regsosek_replay", "replay")
PROVINCES = {province.code: province.name for province in provinces()}
LONGEST_TASK = timedelta(hours=12)  # a whole campaign of the largest province


def require_possible(params: Mapping[str, Any]) -> None:
    """Fails for good, before anything is forgotten, where the form asks for what cannot be."""
    run = get_current_context()["dag_run"]
    try:
        run_request(params["first"], params, run_after=run.run_after, run_type=str(run.run_type))
    except RegsosekError as refused:
        raise AirflowFailException(str(refused)) from None


@dag(
    schedule=None,
    catchup=False,
    max_active_runs=1,
    default_args={"owner": "platform", "retries": 2, "execution_timeout": LONGEST_TASK},
    dag_display_name="Regsosek olah ulang dari arsip",
    doc_md=__doc__,
    owner_links=owner_links("platform"),
    tags=["regsosek", "replay", "olah-ulang"],
    params={
        "first": Param(
            type="string",
            format="date",
            title="Malam pertama (first night)",
            description_md="`YYYY-MM-DD`, not after today in Jakarta. This night and **all later ones** are forgotten "
            "and built again.",
        ),
        "provinces": Param(
            type="array",
            minItems=1,
            items={"type": "string", "enum": list(PROVINCES)},
            examples=list(PROVINCES),
            values_display=PROVINCES,
            title="Provinsi (provinces)",
            description_md="By BPS code; choose at least one. Readers see these provinces without the nights while "
            "they are built again.",
        ),
    },
)
def regsosek_replay() -> None:
    """Build nights again from the archive."""

    @task(task_display_name="Olah ulang provinsi", doc_md=REPLAY, map_index_template="{{ province_name }}")
    def replay(province: str) -> dict[str, Any]:
        """Replays one province, unless others were chosen; nights and states of deliveries are the result."""
        from regsosek.night.dag_steps import replay_one

        context = get_current_context()
        context["province_name"] = f"{province} {PROVINCES[province]}"
        require_possible(context["params"])
        return replay_one(context["params"], province)

    replay.expand(province=list(PROVINCES))


regsosek_replay()
