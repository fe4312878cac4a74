"""The demo: a simulated campaign delivers three days of all provinces, and real Airflow runs the three nights."""

import os
import time
from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

from rich.console import Console

from regsosek.asking.night_history import province_lines, scale_of_reference, target_of_reference
from regsosek.asking.tables.night_tables import night_table
from regsosek.errors import ConfigurationError
from regsosek.geography.planning import windows_of
from regsosek.geography.provinces import provinces
from regsosek.local.airflow_client import AirflowClient, TaskState
from regsosek.local.airflow_environment import ADMIN
from regsosek.local.stack import STATE, Stack, services_up, up
from regsosek.release.lifecycle.pointer import key_address
from regsosek.release.lifecycle.signing import signer_of
from regsosek.release.publish import current_page
from regsosek.resources import Resources, open_resources
from regsosek.settings import Settings, load_settings
from regsosek.simulation.delivering import deliver_campaign
from regsosek.simulation.field.campaign import DEMO_FIRST_DELIVERY, Campaign
from regsosek.simulation.field.frame import province_frame
from regsosek.statistics.definitions.as_of import processed_nights
from regsosek.warehouse.migration import migrate
from regsosek.wording.nouns import counted

FIRST_NIGHT, NIGHTS, SEED = DEMO_FIRST_DELIVERY, 3, 20221015
NIGHTLY, REFERENCE, REPLAY = "regsosek_nightly", "regsosek_reference", "regsosek_replay"
NIGHT_SECONDS = 3600.0
TELL_SECONDS = 15.0  # where no line can be redrawn


def start_everything(console: Console) -> Stack:
    """Starts all services and Airflow, brings the warehouse to the newest schema, and says where everything is."""
    with console.status("Starting PostgreSQL, object storage, mail sink and Airflow..."):
        services_up()
        with open_resources(load_settings()) as resources:
            migrate(resources.account("owner"), resources.settings.hash_keys)
        stack = up(inherited=os.environ)
    console.print(_login(stack))
    console.print("`.venv/bin/regsosek status` shows the last night; `make down` stops everything and keeps the data.")
    return stack


def _login(stack: Stack) -> str:
    return (
        f"Airflow:         {stack.airflow.url}  user {ADMIN}, password {stack.airflow.password}\n"
        f"Operator's page: {stack.airflow.url}/plugin/regsosek"
    )


def run_demo(console: Console, scale: float) -> bool:
    """Runs the demo and ends with a summary; whether all nights ended as they should."""
    started = time.monotonic()
    services_up()
    with open_resources(load_settings()) as resources:
        migrate(resources.account("owner"), resources.settings.hash_keys)
        _deliver(console, resources, scale)
        stack = start_everything(console)
        with stack.airflow.client() as client:
            states = _run_nights(console, client)
        _summary(console, resources, stack)
    console.print(f"The demo took {time.monotonic() - started:.0f} s.")
    return all(state == "success" for state in states)


def _refuse_other_scale(resources: Resources, scale: float) -> None:
    """By the target of the largest province: it differs between any two scales that differ in their files."""
    largest = max(provinces(), key=lambda province: province.target).code
    with resources.engine.connect() as connection:
        standing = target_of_reference(connection, largest) if processed_nights(connection) else None
    if standing is not None and standing != province_frame(Campaign(seed=SEED, scale=scale), largest).target:
        visits = f"{counted(f'{standing:,}', 'family', 'families')} to visit in province {largest}"
        raise ConfigurationError(
            f"nights of another scale are here already, with {visits}; "
            "`make clean` first, or repeat them with the SCALE that made them"
        )


def _deliver(console: Console, resources: Resources, scale: float) -> None:
    _refuse_other_scale(resources, scale)
    codes = [province.code for province in provinces()]
    report = deliver_campaign(resources, FIRST_NIGHT, NIGHTS, codes, scale=scale, seed=SEED, labels=STATE, streams=True)
    console.print(
        f"Simulated {report.scale:g} of the SLS, one of each kab/kota at least: "
        f"{counted(len(report.deliveries), 'delivery', 'deliveries')} of {counted(NIGHTS, 'day', 'days')}, "
        f"{counted(f'{report.families:,}', 'family', 'families')}, "
        f"{counted(f'{report.persons:,}', 'person', 'persons')}; planted defects: var/labels.csv"
    )


def _run_nights(console: Console, client: AirflowClient) -> list[str]:
    for dag in (REFERENCE, NIGHTLY, REPLAY):
        client.await_dag(dag)
    for dag in (REFERENCE, NIGHTLY):
        client.unpause(dag)
    nights = (FIRST_NIGHT + timedelta(days=n) for n in range(NIGHTS))
    return [_run(console, client, REFERENCE, None), *(_run(console, client, NIGHTLY, night) for night in nights)]


def _run(console: Console, client: AirflowClient, dag: str, night: date | None) -> str:
    name = f"{dag} {night}" if night else dag
    started = time.monotonic()
    run = client.trigger(dag, partition_key=str(night) if night else None)
    with console.status(name) as line:
        told = started

        def watch(tasks: Sequence[TaskState]) -> None:
            nonlocal told
            now = time.monotonic()
            text = f"{name}: {_progress(tasks)}, {now - started:.0f} s"
            line.update(text)
            if not console.is_terminal and now - told >= TELL_SECONDS:
                console.print(text)
                told = now

        state = client.await_run(dag, run, seconds=NIGHT_SECONDS, watch=watch)
    colour = "green" if state == "success" else "red"
    console.print(f"{name}: [{colour}]{state}[/{colour}] in {time.monotonic() - started:.0f} s")
    return state


def _progress(tasks: Sequence[TaskState]) -> str:
    states = Counter(task.state or "waiting" for task in tasks)
    return ", ".join(f"{n} {state}" for state, n in sorted(states.items())) or "waiting"


def _key_file(folder: Path, settings: Settings) -> Path | str:
    """Where the key lies that the releases of this machine are signed with."""
    signer = signer_of(settings)
    return folder / key_address(signer.public.id) if signer else "releases are not signed"


def _summary(console: Console, resources: Resources, stack: Stack) -> None:
    with resources.engine.connect() as connection:
        scale = scale_of_reference(connection)
        windows = windows_of(resources.settings)
        for night in processed_nights(connection):
            console.print(night_table(night, province_lines(connection, night), scale, windows))
    page = current_page(resources.store, resources.settings)
    folder = STATE / "s3" / resources.settings.release_bucket
    key = _key_file(folder, resources.settings)
    lines = (
        f"Release page:    {folder / page if page else 'none was published'}",
        "Quarantine:      .venv/bin/regsosek quarantine -p 35   (keys and rules, no answers)",
        f"Public key:      {key}   (for `regsosek release verify --key`, minisign -p)",
        f"Alert messages:  {len(stack.mail.received())} in {STATE / 'mail'}",
        f"Planted defects: {STATE / 'labels.csv'}",
        _login(stack),
        "Go on with:      .venv/bin/regsosek --help; `make demo` again repeats cleanly; `make down` stops everything",
    )
    for line in lines:
        console.print(line, soft_wrap=True, highlight=False)
