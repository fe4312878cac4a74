"""OpenLineage's events of one piece of work: it starts, and completes or fails."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from importlib.metadata import version
from types import MappingProxyType

from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState, set_producer
from openlineage.client.facet_v2 import (
    RunFacet,
    error_message_run,
    job_type_job,
    nominal_time_run,
    parent_run,
    tags_run,
)
from openlineage.client.uuid import generate_new_uuid

from regsosek.geography.calendar import NIGHT_ZONE
from regsosek.telemetry.lineage import ParentRun

set_producer(f"urn:regsosek-nightly:{version('regsosek')}")


@dataclass(frozen=True)
class Facts:
    """What a piece of work read and wrote."""

    inputs: Sequence[InputDataset] = ()
    outputs: Sequence[OutputDataset] = ()


@dataclass(frozen=True)
class Work:
    """A province's night or a release; ``province`` is 00 of the nation."""

    job: str
    night: date
    province: str
    namespace: str
    parent: ParentRun | None
    run_id: str = field(default_factory=lambda: str(generate_new_uuid()))

    def started(self) -> RunEvent:
        """It begins."""
        return self._event(RunState.START, Facts())

    def completed(self, facts: Facts) -> RunEvent:
        """It came to a good end."""
        return self._event(RunState.COMPLETE, facts)

    def failed(self, kind: str) -> RunEvent:
        """It failed; the kind of the error alone is reported, for a message may quote what it was about."""
        fault = error_message_run.ErrorMessageRunFacet(kind, "PYTHON")
        return self._event(RunState.FAIL, Facts(), {"errorMessage": fault})

    def _event(self, state: RunState, facts: Facts, more: Mapping[str, RunFacet] = MappingProxyType({})) -> RunEvent:
        job_type = job_type_job.JobTypeJobFacet("BATCH", "REGSOSEK", "STEP")
        return RunEvent(
            eventTime=datetime.now(UTC).isoformat(),
            eventType=state,
            run=Run(self.run_id, {**self._run_facets(), **more}),
            job=Job(self.namespace, f"{self.job}.{self.province}", {"jobType": job_type}),
            inputs=list(facts.inputs),
            outputs=list(facts.outputs),
        )

    def _run_facets(self) -> dict[str, RunFacet]:
        begins = datetime.combine(self.night, time(0), NIGHT_ZONE)
        said = {"night": self.night.isoformat(), "province": self.province}
        facets: dict[str, RunFacet] = {
            "nominalTime": nominal_time_run.NominalTimeRunFacet(
                begins.isoformat(), (begins + timedelta(days=1)).isoformat()
            ),
            "tags": tags_run.TagsRunFacet([tags_run.TagsRunFacetFields(*each, "REGSOSEK") for each in said.items()]),
        }
        if self.parent is not None:
            facets["parent"] = parent_run.ParentRunFacet(
                parent_run.Run(self.parent.run_id), parent_run.Job(self.namespace, self.parent.job)
            )
        return facets
