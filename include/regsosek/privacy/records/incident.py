"""The incident file: what an operator knows of an exposure of personal data, as TOML, without personal data."""

import tomllib
from datetime import datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from regsosek.errors import ConfigurationError, DecisionError
from regsosek.geography.provinces import provinces
from regsosek.privacy.records.categories import categories
from regsosek.privacy.trail.ways import ways
from regsosek.warehouse.nights.reason import stated

# Article 46: in writing, to the person and to the authority.
DEADLINE = timedelta(hours=72)


def _one_of(known: set[str], what: str) -> AfterValidator:
    def check(listed: list[str]) -> list[str]:
        if strange := sorted(set(listed) - known):
            raise ValueError(f"no {what} {', '.join(strange)}")
        return listed

    return AfterValidator(check)


def _words(given: str) -> str:
    try:
        return stated(given)
    except DecisionError as error:
        raise ValueError(str(error)) from None


Words = Annotated[str, AfterValidator(_words)]
Provinces = Annotated[list[str], _one_of({each.code for each in provinces()}, "province")]
Ways = Annotated[list[str], _one_of(set(ways()), "way")]
Categories = Annotated[list[str], _one_of({each.category for each in categories()}, "category")]
_STRICT = ConfigDict(extra="forbid", frozen=True)


class Scope(BaseModel):
    """What was exposed; provinces narrow the others, and alone mean all their cases."""

    model_config = _STRICT

    provinces: Provinces = []
    accounts: list[str] = []
    ways: Ways = []
    deliveries: list[str] = []
    prefixes: list[str] = []
    categories: Categories = []

    @property
    def of_access(self) -> bool:
        """Whether the trail of access says what was exposed."""
        return bool(self.accounts or self.ways)

    @property
    def of_deliveries(self) -> bool:
        """Whether deliveries were."""
        return bool(self.deliveries or self.prefixes)


class Moment(BaseModel):
    """A line of the timeline."""

    model_config = _STRICT

    at: AwareDatetime
    told_id: Words
    told_en: Words


class Incident(BaseModel):
    """An incident as the file tells of it."""

    model_config = _STRICT

    reference: Annotated[str, Field(pattern=r"^[\w.-]{1,40}$")]
    known_at: AwareDatetime
    known_by: Words
    began_at: AwareDatetime
    ended_at: AwareDatetime
    how_id: Words
    how_en: Words
    done_id: list[Words]
    done_en: list[Words]
    contact: Words
    scope: Scope
    timeline: list[Moment] = []

    @property
    def due(self) -> datetime:
        """Until when persons and authority are to be told."""
        return self.known_at + DEADLINE


def incident_template() -> str:
    """The file to fill in."""
    return resources.files(__package__).joinpath("incident.toml").read_text(encoding="utf-8")


def read_incident(path: Path) -> Incident:
    """The incident of a file.

    Raises:
        ConfigurationError: it cannot be read; naming the fields at fault, never their values.
    """
    try:
        found = Incident.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{path.name}: cannot be read ({type(error).__name__}: {error})") from error
    except ValidationError as error:
        faults = error.errors(include_input=False)
        told = "; ".join(f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}" for each in faults)
        raise ConfigurationError(f"{path.name}: {told}") from None
    if not (found.scope.of_access or found.scope.of_deliveries or found.scope.provinces):
        raise ConfigurationError(f"{path.name}: scope names nothing: name provinces, accounts, ways or deliveries")
    return found
