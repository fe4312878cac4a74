"""Typed errors. Each message names the thing (delivery, part, case, rule) and the fix; none carries personal data."""


class RegsosekError(Exception):
    """Base of every error that this project raises on purpose."""


class ConfigurationError(RegsosekError):
    """A setting is missing or does not make sense."""


class ReferenceDataError(RegsosekError):
    """Regions, frame, roster, calendar or offices are missing or contradict each other."""


class ContractBreachError(RegsosekError):
    """A delivery breaks the landing contract: it is rejected whole, told to the province, and never retried.

    Args:
        reason: stable reason id, a key of ``contract/reasons.csv`` (e.g. ``file_altered``).
        detail: what exactly, without personal data: file names, counts, hashes.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class ObjectStoreError(RegsosekError):
    """Object storage did not answer as it must, after all retries: our fault or its, never the province's."""


class LostRaceError(ObjectStoreError):
    """Somebody else wrote an object meanwhile that must not be overwritten: nothing was written."""


class ArchiveKeyError(ObjectStoreError):
    """The key of an archived content is lost, or was made for another archive key: it can be restored."""


class DestroyedContentError(ObjectStoreError):
    """The key of an archived content was destroyed on request: nothing brings it back, and nothing should."""


class PointerError(ObjectStoreError):
    """The object that leads readers to a release cannot be read, or says other than the warehouse: nothing is moved."""


class EngineFaultError(RegsosekError):
    """A database failed; its own message is withheld because it may quote personal data."""


class MachineFaultError(RegsosekError):
    """The machine lacks memory, threads, files or disk; the message names the setting or path."""


class DefectError(RegsosekError):
    """A step raised what none of ours should; its own message stands in the log alone."""


class ParityError(RegsosekError):
    """Great Expectations and the compiled SQL disagree on a rule, or a rule could not be evaluated: our fault."""


class ConservationError(RegsosekError):
    """Rows received do not equal rows accounted for."""


class AuditError(RegsosekError):
    """A release failed its audit and was not published."""


class SignatureError(RegsosekError):
    """A release is not signed by a key that is trusted, or it or its signature was changed."""


class OutboxError(RegsosekError):
    """An operator asked of a message what cannot be: it is unknown, or everybody has it already."""


class SealedNightError(RegsosekError):
    """A night was asked to do what its seal forbids."""


class TooManyDeliveriesError(RegsosekError):
    """A province delivered more in one night than is taken up: a producer runs wild, or somebody has its key."""


class DecisionError(RegsosekError):
    """An operator's decision on a delivery cannot be taken: it is unknown, not held, or decided by someone else."""


class ProvinceBusyError(RegsosekError):
    """A province is being worked on, and whoever asked does not wait for it."""


class LockLostError(RegsosekError):
    """A run lost its right to a province or to the release while it worked: nothing more of it is written."""


class NightFailedError(RegsosekError):
    """Something of ours failed during a night: the run ends red and names it."""


class PersonalDataError(RegsosekError):
    """A message looks as if it carried personal data: it is stopped, and told to us without the value."""


class NoNightError(RegsosekError):
    """A night was asked about, and none has been processed yet."""


class UnknownFigureError(RegsosekError):
    """A figure was asked for that is not published: the region, the measure, the day or the night has none."""


class AccessError(RegsosekError):
    """A logged-in account has no right to anything here; the message says whom to ask."""


class AccessTrailError(RegsosekError):
    """An access to cases could not be entered in the trail: nothing is shown without its entry."""
