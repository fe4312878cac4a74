"""One frozen, validated settings object, read once from the environment at the edge and passed down."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from regsosek.errors import ConfigurationError

PROJECT_ROOT = Path(__file__).resolve().parents[2]
PREFIX = "REGSOSEK_"
# `make demo` and `make up` write the addresses and secrets of the local services here.
LOCAL_ENVIRONMENT = PROJECT_ROOT / "var" / "local.env"


class Settings(BaseModel):
    """Everything the pipeline needs to know about its surroundings.

    Each field is read from ``REGSOSEK_<FIELD>``; an unknown ``REGSOSEK_*`` variable is an error.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    warehouse_url: SecretStr = Field(description="SQLAlchemy URL of the warehouse, postgresql+psycopg://...")
    s3_endpoint_url: str | None = Field(None, description="S3 endpoint; none means AWS")
    s3_region: str = "ap-southeast-3"
    s3_access_key_id: SecretStr
    s3_secret_access_key: SecretStr
    landing_bucket: str = "regsosek-landing"
    archive_bucket: str = "regsosek-archive"
    release_bucket: str = "regsosek-release"
    hmac_key: SecretStr = Field(min_length=32, description="keys the NIK and KK hashes; once lost, nothing compares")
    release_signing_key: SecretStr | None = Field(None, description="signs releases; with none they are unsigned")
    release_signing_key_file: Path | None = Field(None, description="the same in a file, where no variable holds it")
    release_keep_days: Annotated[int, Field(ge=7)] | None = Field(
        None, description="nights whose releases stay whole, older ones are thinned out weekly; none keeps everything"
    )
    smtp_host: str = "127.0.0.1"
    smtp_port: Annotated[int, Field(ge=1, le=65535)] = 25
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_starttls: bool = False
    smtp_timeout_seconds: float = 20.0
    mail_sender: str = "regsosek-nightly@bps.example"
    platform_recipients: tuple[str, ...] = ("platform@bps.example",)
    offices_file: Path | None = Field(None, description="recipients per province; none means the example file")
    calendar_file: Path | None = Field(None, description="field window per province; none means the plan of 2022")
    plan_file: Path | None = Field(None, description="plan by province or kab/kota and day; none means 4 % a day")
    known_events_file: Path | None = Field(None, description="floods, feasts and the like that excuse; none known")
    region_targets_file: Path | None = Field(None, description="targets of families and SLS by region; none known")
    boundaries_file: Path | None = Field(None, description="GeoJSON of regions for the maps; none means tiles")
    hold_limits_file: Path | None = Field(None, description="error shares that hold a delivery; none means our own")
    accounts_file: Path | None = Field(None, description="who sees what in the portal; none: Airflow's admins and ops")
    expectations_dir: Path = PROJECT_ROOT / "expectations"
    work_dir: Path = Field(PROJECT_ROOT / "var" / "work", description="scratch space, mode 0700: holds personal data")
    memory_limit: str = Field("1500MB", description="of DuckDB, per task")
    threads: Annotated[int, Field(ge=1)] = 2
    operator_nights: Annotated[int, Field(ge=1, le=31)] = Field(7, description="shown on the operator's page")

    @property
    def scratch(self) -> Path:
        """The scratch directory, made on first use, readable by its owner only."""
        self.work_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self.work_dir


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Reads settings from ``environ`` (default: the process's own) over the local stack's file, if there is one.

    Raises:
        ConfigurationError: naming each variable that is missing, unknown or malformed.
    """
    environ = os.environ if environ is None else environ
    local = Path(environ.get("REGSOSEK_ENV_FILE", LOCAL_ENVIRONMENT))
    values = {**dotenv_values(local), **environ} if local.exists() else dict(environ)
    fields = {
        name.removeprefix(PREFIX).lower(): _split(name, value)
        for name, value in values.items()
        if name.startswith(PREFIX) and name != "REGSOSEK_ENV_FILE" and value
    }
    try:
        return Settings.model_validate(fields)
    except ValidationError as error:
        faults = "; ".join(
            f"{PREFIX}{'_'.join(str(part) for part in fault['loc']).upper()}: {fault['msg'].lower()}"
            for fault in error.errors(include_input=False)
        )
        hint = "set them, or start the local stack with `make up`, which writes var/local.env"
        raise ConfigurationError(f"{faults} ({hint})") from None


def owner_links(owner: str) -> dict[str, str]:
    """Where Airflow leads from the name of ``owner``: to a mail to the first platform recipient, if any is set."""
    try:
        recipients = load_settings().platform_recipients
    except ConfigurationError:
        return {}
    return {owner: f"mailto:{recipients[0]}"} if recipients else {}


def _split(name: str, value: str | None) -> str | tuple[str, ...] | None:
    if name == "REGSOSEK_PLATFORM_RECIPIENTS" and value:
        return tuple(part.strip() for part in value.split(","))
    return value
