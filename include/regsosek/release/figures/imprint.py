"""Who publishes a release, under which licence and how it is cited, and what it cannot tell: the same in every format.

``imprint.toml`` is an example; a deployment names its own file in ``REGSOSEK_IMPRINT_FILE``. ``limits.csv`` holds
what the figures cannot tell. What is counted of simulated reference files says so wherever it names itself.
"""

import tomllib
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from regsosek.errors import ConfigurationError
from regsosek.geography.calendar import end_of_night
from regsosek.release.figures.disclosure import Policy, policy
from regsosek.wording import Language, Text, english, indonesian
from regsosek.wording.texts import read_texts

EXAMPLE = Path(__file__).with_name("imprint.toml")
_LIMITS = Path(__file__).with_name("limits.csv")


class Imprint(BaseModel):
    """What an office says of itself, its licence and its activity.

    ``agency`` is its id in SDMX: of who sends, and of who maintains dataflow, structure, code lists and concepts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    agency: str = Field(pattern=r"^[A-Z][A-Z0-9_]*$")
    publisher: str = Field(min_length=1)
    publisher_en: str = Field(min_length=1)
    unit: str = Field(min_length=1, description="the unit that is responsible")
    unit_en: str = Field("", description="the same in English; empty where it has no name there")
    contact: str = Field(min_length=1, description="an address of e-mail")
    homepage: str = Field(pattern=r"^https?://")
    licence: str = Field(min_length=1, description="its id by SPDX, or a short name")
    licence_title: str = Field(min_length=1)
    licence_url: str = Field(pattern=r"^https?://")
    activity: str = Field(min_length=1)
    activity_en: str = Field(min_length=1)
    activity_code: str = Field("", description="of the statistical activity in Satu Data, once it has one")


def read_imprint(path: Path | None) -> Imprint:
    """The imprint of a file; the example where none is named.

    Raises:
        ConfigurationError: it cannot be read, or a line is missing, unknown or malformed.
    """
    path = path or EXAMPLE
    try:
        return Imprint.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg'].lower()}" for each in error.errors())
        raise ConfigurationError(f"{path.name}: {told} (docs/release.md has an example)") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{path.name} cannot be read as TOML ({type(error).__name__})") from error


@cache
def limits() -> tuple[Text, ...]:
    """What the figures cannot tell."""
    return tuple(read_texts(_LIMITS).values())


@dataclass(frozen=True)
class Disclosed:
    """What readers see of the results of kab/kota: ``held`` of ``regions`` stand at earlier ones or at none.

    Attributes:
        policy: what they are protected by; None where it is off.
    """

    policy: Policy | None = None
    held: int = 0
    regions: int = 0

    def told(self, language: Language) -> str:
        """In words."""
        words = self.policy.applied if self.policy else policy().off
        minimum = self.policy.minimum_families if self.policy else 0
        return getattr(words, language).format(minimum=minimum, held=self.held, regions=self.regions)  # type: ignore[no-any-return]  # a text

    @property
    def document(self) -> dict[str, object]:
        """For machines."""
        minimum = self.policy.minimum_families if self.policy else None
        return {
            "applied": self.policy is not None,
            "minimum_families": minimum,
            "kabkota_held": self.held,
            "kabkota": self.regions,
        }


@dataclass(frozen=True)
class About:
    """What a release says of itself in all its formats.

    Attributes:
        simulated: nothing of it is of real families.
        missing: names of the provinces whose data of the night are missing or incomplete.
    """

    imprint: Imprint
    night: date
    scale: float
    simulated: bool
    missing: tuple[str, ...]
    disclosed: Disclosed = Disclosed()

    def limits(self, language: Language) -> list[str]:
        """What the figures cannot tell, and what they do not for the sake of single families."""
        return [*(each.of(language) for each in limits()), self.disclosed.told(language)]

    @property
    def created(self) -> datetime:
        """Until when data count; when a release was built stands in its manifest alone, outside of its hash."""
        return end_of_night(self.night)

    @property
    def version(self) -> str:
        """The night; the release's id follows from its bytes and stands in the manifest."""
        return self.night.isoformat()

    @property
    def next_night(self) -> date:
        """The night of the next release, which is published on the morning after it."""
        return self.night + timedelta(days=1)

    def title(self, language: Language) -> str:
        """What the release is called."""
        if language == "id":
            told = f"Regsosek: penyelesaian pencacahan, malam {indonesian.night_date(self.night)}"
            return f"DATA SIMULASI. {told}" if self.simulated else told
        told = f"Regsosek: progress of enumeration, night of {english.long_date(self.night)}"
        return f"SIMULATED DATA. {told}" if self.simulated else told

    def citation(self, language: Language) -> str:
        """How the release is cited; its id stands in ``manifest.json`` and in its address."""
        publisher = self.imprint.publisher if language == "id" else self.imprint.publisher_en
        told = f"{'Versi' if language == 'id' else 'Version'} {self.version}. {self.imprint.licence}."
        return f"{publisher} ({self.night.year}). {self.title(language)}. {told}"

    def next_release(self, language: Language) -> str:
        """When the next release is to be expected."""
        days = (self.next_night, self.next_night + timedelta(days=1))
        if language == "id":
            night, morning = indonesian.night_date(days[0]), indonesian.long_date(days[1])
            return f"Malam {night}, terbit pagi {morning} (WIB)"
        night, morning = map(english.long_date, days)
        return f"Night of {night}, published on the morning of {morning} (WIB)"

    def nature(self, language: Language) -> str:
        """Whether the figures are of real families, and that they are provisional."""
        if language == "id":
            return "Data simulasi: bukan keluarga yang sebenarnya" if self.simulated else "Angka sementara"
        return "Simulated data: no real families" if self.simulated else "Provisional figures"
