"""One frozen, validated settings object, read once from the environment at the edge and passed down."""

import os
import re
from collections.abc import Mapping
from email.utils import getaddresses
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal, Self, get_args

from dotenv import dotenv_values
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from regsosek.errors import ConfigurationError

PROJECT_ROOT = Path(__file__).resolve().parents[2]
PREFIX = "REGSOSEK_"
# `make demo` and `make up` write the addresses and secrets of the local services here.
LOCAL_ENVIRONMENT = PROJECT_ROOT / "var" / "local.env"
_RECIPIENTS = "in REGSOSEK_RECIPIENTS_FILE, whose columns docs/reference-files.md explains"
RETIRED = {
    "REGSOSEK_OFFICES_FILE": f"write the addresses of the offices as rows of role operasional {_RECIPIENTS}",
    "REGSOSEK_PLATFORM_RECIPIENTS": f"write the platform team's addresses as rows 00,platform {_RECIPIENTS}",
}


# One plain ASCII address: no display name, no list, nothing that could start another mail header.
PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9_+-]+(\.[A-Za-z0-9_+-]+)*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


def plain_address(sender: str) -> bool:
    """Whether mail can come from ``sender``: a plain address, perhaps behind a name, which may be in any script."""
    addresses = [address for _, address in getaddresses([sender])]
    return sender.isprintable() and len(addresses) == 1 and PLAIN_ADDRESS.fullmatch(addresses[0]) is not None


_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*|[0-9a-f]{0,4}:[0-9a-f:]*:[0-9a-f]{1,4}")


LEAST_KEY = 32  # characters


def _chain(given: SecretStr) -> list[str]:
    """The keys of a setting that may hold several, with commas or one a line."""
    return given.get_secret_value().replace(",", " ").split()


def _names(listed: str) -> list[str]:
    return [name.strip().lower() for name in listed.split(",") if name.strip()]


# Who has an account of its own in the warehouse.
Part = Literal["owner", "loader", "publisher", "alerter", "portal", "watchdog"]
PARTS: tuple[Part, ...] = get_args(Part)


def warehouse_field(part: Part | None) -> str:
    """The setting that names the warehouse for ``part``."""
    return "warehouse_url" if part is None else f"warehouse_{part}_url"


class Settings(BaseModel):
    """Everything the pipeline needs to know about its surroundings.

    Each field is read from ``REGSOSEK_<FIELD>``; an unknown ``REGSOSEK_*`` variable is an error.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    plain_hosts: str = Field(
        "", description="hosts, with commas, to which a connection may be in clear; beside loopback"
    )
    warehouse_url: SecretStr = Field(description="SQLAlchemy URL of the warehouse, postgresql+psycopg://...")
    warehouse_ca_file: Path | None = Field(None, description="PEM of who signed its certificate; none: the system's")
    # The account of each part of the pipeline (docs/warehouse-roles.md); none: the one above does its work too.
    warehouse_owner_url: SecretStr | None = Field(None, description="of `regsosek migrate`, which owns the tables")
    warehouse_loader_url: SecretStr | None = Field(None, description="of receiving, deciding and replaying")
    warehouse_publisher_url: SecretStr | None = Field(None, description="of releases and their audits")
    warehouse_alerter_url: SecretStr | None = Field(None, description="of conditions, digests and sending")
    warehouse_portal_url: SecretStr | None = Field(None, description="of pages and API")
    warehouse_watchdog_url: SecretStr | None = Field(None, description="of the watchdog and of notes of runs")
    s3_endpoint_url: str | None = Field(None, description="S3 endpoint; none means AWS")
    s3_ca_file: Path | None = Field(None, description="PEM of who signed the store's certificate; none: botocore's")
    s3_region: str = "ap-southeast-3"
    s3_access_key_id: SecretStr
    s3_secret_access_key: SecretStr
    second_look_seconds: float = Field(10.0, ge=0, description="until a delivery is read again before it is rejected")
    largest_file_mib: Annotated[int, Field(ge=1, le=4096)] = Field(256, description="of a delivery, as stored, packed")
    largest_delivery_mib: Annotated[int, Field(ge=1)] = Field(8192, description="all files of a delivery together")
    most_deliveries: Annotated[int, Field(ge=1, le=100_000)] = Field(500, description="of a province in one night")
    landing_bucket: str = "regsosek-landing"
    archive_bucket: str = "regsosek-archive"
    release_bucket: str = "regsosek-release"
    token_key: SecretStr | None = Field(
        None,
        min_length=LEAST_KEY,
        description="signs forms and the ids of mails; none: hmac_key, which must then be there",
    )
    hmac_key: SecretStr | None = Field(
        None,
        min_length=LEAST_KEY,
        validate_default=True,
        description="keys of the hashes of NIK, KK, ids and contents, the oldest first; once lost, nothing compares",
    )
    trail_key: SecretStr | None = Field(
        None, min_length=32, description="keys the cases that the trail of access names; none: hmac_key"
    )
    former_trail_keys: SecretStr | None = Field(
        None, description="with commas: keys of entries that were made before trail_key was exchanged"
    )
    archive_key: SecretStr | None = Field(
        None, description="opens the keys of archived files, AGE-SECRET-KEY-1...; once lost, no night is replayed"
    )
    release_signing_key: SecretStr | None = Field(None, description="signs releases; with none they are unsigned")
    release_signing_key_file: Path | None = Field(None, description="the same in a file, where no variable holds it")
    release_keys_file: Path | None = Field(None, description="which keys signed releases when; none: no list of them")
    release_keep_days: Annotated[int, Field(ge=7)] | None = Field(
        None, description="nights whose releases stay whole, older ones are thinned out weekly; none keeps everything"
    )
    smtp_host: str = "127.0.0.1"
    smtp_port: Annotated[int, Field(ge=1, le=65535)] = 25
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_starttls: bool = Field(False, description="also here; to other hosts it is used unless smtp_tls is")
    smtp_tls: bool = Field(False, description="TLS from the first byte, usually on port 465; not with smtp_starttls")
    smtp_ca_file: Path | None = Field(None, description="PEM of who signed the relay's certificate; none: the system's")
    smtp_timeout_seconds: float = 20.0
    smtp_conn_id: str | None = Field(None, description="Airflow connection for tasks, where smtp_host is unset")
    mail_sender: str = "regsosek-nightly@bps.example"
    mail_reply_to: str | None = Field(None, description="where answers of people go; none: to the sender")
    webhooks_file: Path | None = Field(None, description="apprise's text configuration: tag=URL, one a line; secret")
    quiet_hours: bool = Field(True, description="off: the recipients' quiet hours are ignored, as in a demo")
    bounce_maildir: Path | None = Field(None, description="maildir of the sender's mailbox, where bounces arrive")
    bounce_imap_host: str | None = Field(None, description="or its IMAP server, over TLS; login as below")
    bounce_imap_port: Annotated[int, Field(ge=1, le=65535)] = 993
    bounce_imap_username: str | None = None
    bounce_imap_password: SecretStr | None = None
    bounce_imap_folder: str = "INBOX"
    recipients_file: Path | None = Field(None, description="who is told; none means the example, which reaches nobody")
    calendar_file: Path | None = Field(None, description="field window per province; none means the plan of 2022")
    plan_file: Path | None = Field(None, description="plan by province or kab/kota and day; none means the shape")
    plan_shape: str = Field("s-curve", description="where none is supplied (docs/reference-files.md)")
    known_events_file: Path | None = Field(None, description="floods, feasts and the like that excuse; none known")
    region_targets_file: Path | None = Field(None, description="targets of families and SLS by region; none known")
    disclosure: Literal["on", "off"] = Field("on", description="of releases; off is for simulated data alone")
    imprint_file: Path | None = Field(None, description="TOML: publisher, contact, licence; none means an example")
    boundaries_file: Path | None = Field(None, description="GeoJSON of regions for the maps; none means tiles")
    producer_keys_file: Path | None = Field(None, description="public keys; a province that has one signs manifests")
    require_signed_manifests: bool = Field(False, description="provinces without a key deliver nothing")
    hold_limits_file: Path | None = Field(None, description="error shares that hold a delivery; none means our own")
    retention_file: Path | None = Field(None, description="how long classes of data are kept; none means our own")
    accounts_file: Path | None = Field(None, description="who sees what in the portal; none: Airflow's admins and ops")
    log_format: Literal["text", "json"] = Field("text", description="of the command line; Airflow's tasks write JSON")
    docs_url: str | None = Field(None, description="where docs/ is served, for links to runbooks; none: the path")
    page_url: str | None = Field(None, description="where the newest release's pages are served; none: not in mails")
    portal_url: str | None = Field(None, description="of the portal, for links in mails; none: not in mails")
    airflow_health_url: str | None = Field(None, description=".../api/v2/monitor/health; none: not asked")
    watchdog_state_file: Path = Field(
        PROJECT_ROOT / "var" / "watchdog.json", description="what was found and told, beside the archive's copy"
    )
    watchdog_ping_url: SecretStr | None = Field(None, description="dead-man of the command: URL, URL/start, URL/fail")
    watchdog_dag_ping_url: SecretStr | None = Field(None, description="another one, of the DAG")
    watchdog_webhook_url: SecretStr | None = Field(None, description='takes {"text": ...}; beside mail')
    watchdog_silences_file: Path | None = Field(None, description="findings not told, with issue, owner and end")
    expectations_dir: Path = PROJECT_ROOT / "expectations"
    work_dir: Path = Field(PROJECT_ROOT / "var" / "work", description="scratch space, mode 0700: holds personal data")
    least_free_gib: Annotated[float, Field(gt=0)] = Field(5, description="free space that the scratch space must have")
    memory_limit: str = Field("1500MB", description="of DuckDB, per task")
    threads: Annotated[int, Field(ge=1)] = 2
    operator_nights: Annotated[int, Field(ge=1, le=31)] = Field(7, description="shown on the operator's page")

    @field_validator("plain_hosts")
    @classmethod
    def _names_of_hosts(cls, given: str) -> str:
        if not all(_HOST.fullmatch(name) for name in _names(given)):
            raise ValueError("write names or addresses of single hosts with commas between them, without ports")
        return given

    @field_validator("hmac_key")
    @classmethod
    def _needed_without_another(cls, given: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if given is None and not info.data.get("token_key"):
            raise PydanticCustomError("missing", "Field required")
        if given is not None and any(len(key) < LEAST_KEY for key in _chain(given)):
            raise PydanticCustomError("key", f"each of its keys should have at least {LEAST_KEY} characters")
        return given

    @field_validator("mail_sender", "mail_reply_to")
    @classmethod
    def _plain_sender(cls, given: str | None) -> str | None:
        if given and not plain_address(given):
            raise ValueError(
                "write one e-mail address in ASCII, such as nightly@bps.go.id (a domain in other letters as xn--...): "
                "no relay on the way need take any other"
            )
        return given

    @model_validator(mode="after")
    def _one_way_to_secure_mail(self) -> Self:
        if self.smtp_tls and self.smtp_starttls:
            raise ValueError("REGSOSEK_SMTP_TLS and REGSOSEK_SMTP_STARTTLS exclude each other; set one")
        return self

    @model_validator(mode="after")
    def _keys_where_signatures_are_demanded(self) -> Self:
        if self.require_signed_manifests and self.producer_keys_file is None:
            raise ValueError("REGSOSEK_REQUIRE_SIGNED_MANIFESTS needs the keys in REGSOSEK_PRODUCER_KEYS_FILE")
        return self

    def warehouse_of(self, part: Part | None) -> SecretStr:
        """The URL of the warehouse with the account of ``part``, or of none in particular."""
        own: SecretStr | None = getattr(self, warehouse_field(part))
        return own or self.warehouse_url

    @property
    def named_plain(self) -> frozenset[str]:
        """The hosts to which a connection may be in clear."""
        return frozenset(_names(self.plain_hosts))

    @property
    def mail_is_airflows(self) -> bool:
        """Whether the relay is known to an Airflow connection alone, which tasks read and the command line cannot."""
        return self.smtp_conn_id is not None and "smtp_host" not in self.model_fields_set

    @property
    def hash_keys(self) -> tuple[bytes, ...]:
        """The keys of the keyed hashes, the oldest first (regsosek.staging.pseudonyms).

        Raises:
            ConfigurationError: this process is given none, as it should hash nothing.
        """
        if self.hmac_key is None:
            raise ConfigurationError("REGSOSEK_HMAC_KEY is not set here, and what is asked makes hashes: ask a worker")
        return tuple(key.encode() for key in _chain(self.hmac_key))

    @property
    def archive_secret(self) -> str:
        """The key of the archive, as age writes it.

        Raises:
            ConfigurationError: this process is given none, as it should read no delivered file.
        """
        if self.archive_key is None:
            raise ConfigurationError(
                "REGSOSEK_ARCHIVE_KEY is not set here, and delivered files are archived and read with it: set it to "
                "what `age-keygen` prints (AGE-SECRET-KEY-1...), or ask a worker"
            )
        return self.archive_key.get_secret_value()

    @property
    def token_secret(self) -> bytes:
        """The key of what is given out and comes back: forms, and the ids of mails."""
        return self.hash_keys[-1] if self.token_key is None else self.token_key.get_secret_value().encode()

    @property
    def trail_secret(self) -> bytes:
        """The key of the cases that the trail of access names.

        Raises:
            ConfigurationError: this process is given none, so it may show no case.
        """
        if self.trail_key is not None:
            return self.trail_key.get_secret_value().encode()
        if self.hmac_key is None:
            raise ConfigurationError("REGSOSEK_TRAIL_KEY is not set here, and no case is shown without its entry")
        return self.hash_keys[-1]

    @property
    def trail_secrets(self) -> tuple[bytes, ...]:
        """The same, and those before it: whoever looks a case up looks for it by all of them."""
        former = self.former_trail_keys.get_secret_value() if self.former_trail_keys else ""
        before = self.hash_keys[-2::-1] if self.trail_key is None else ()
        return (self.trail_secret, *before, *(key.strip().encode() for key in former.split(",") if key.strip()))

    @property
    def scratch(self) -> Path:
        """The scratch directory, made on first use, readable by its owner only."""
        self.work_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self.work_dir


def load_settings(
    environ: Mapping[str, str] | None = None, *, beneath: Mapping[str, str] = MappingProxyType({})
) -> Settings:
    """Reads settings from ``environ`` (default: the process's own) over the local stack's file, if there is one.

    Args:
        beneath: variables for what neither of them sets.

    Raises:
        ConfigurationError: naming each variable that is missing, unknown, retired or malformed.
    """
    fields = given_fields(environ, beneath)
    if faults := setting_faults(fields):
        told = "; ".join(f"{variable(name)}: {fault}" for name, fault in faults.items())
        hint = "set them, or start the local stack with `make up`, which writes var/local.env"
        raise ConfigurationError(f"{told} ({hint})")
    return Settings.model_validate(fields)


def given_fields(
    environ: Mapping[str, str] | None = None, beneath: Mapping[str, str] = MappingProxyType({})
) -> dict[str, str | None]:
    """What :func:`load_settings` reads, by field name, not yet validated; an empty variable is none.

    A secret may lie in a file, which ``REGSOSEK_<FIELD>_FILE`` then names.

    Raises:
        ConfigurationError: a variable that is no more is set, or a secret's file cannot be read.
    """
    environ = os.environ if environ is None else environ
    local = Path(environ.get("REGSOSEK_ENV_FILE", LOCAL_ENVIRONMENT))
    values = {**dotenv_values(local), **environ} if local.exists() else dict(environ)
    values = {**beneath, **{name: value for name, value in values.items() if value}}
    retired = [f"{name} is no more: {fix}" for name, fix in RETIRED.items() if values.get(name)]
    if retired:
        raise ConfigurationError("; ".join(retired))
    given: dict[str, str | None] = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in values.items()
        if name.startswith(PREFIX) and name != "REGSOSEK_ENV_FILE"
    }
    return given | _from_files(given)


def _from_files(given: dict[str, str | None]) -> dict[str, str | None]:
    """The secrets that lie in files; the variables that name them are used up."""
    named = [(name, given.pop(f"{name}_file")) for name in _secrets() if f"{name}_file" in given]
    if doubled := [variable(name) for name, _ in named if given.get(name)]:
        raise ConfigurationError(f"{', '.join(doubled)}: set it, or name its file, not both")
    return {name: secret for name, file in named if file and (secret := _secret_in(name, Path(file)))}


def _secrets() -> list[str]:
    """The fields that may lie in a file; one has a field for that of its own."""
    fields = Settings.model_fields
    secret = (name for name, field in fields.items() if SecretStr in (field.annotation, *get_args(field.annotation)))
    return [name for name in secret if f"{name}_file" not in fields]


def _secret_in(name: str, file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{variable(name)}_FILE names {file}: {type(error).__name__}") from None


def setting(name: str) -> str | None:
    """One variable by its field's name, as it is given, in a process that is not given all that the others need.

    Raises:
        ConfigurationError: a variable that is no more is set.
    """
    return given_fields().get(name)


def setting_faults(fields: Mapping[str, object]) -> dict[str, str]:
    """What is wrong, by field name, with values that are missing, unknown or malformed; no value is repeated."""
    try:
        Settings.model_validate(fields)
    except ValidationError as error:
        found = error.errors(include_input=False)
        return {"_".join(str(part) for part in fault["loc"]): fault["msg"].lower() for fault in found}
    return {}


def variable(field: str) -> str:
    """The environment variable of a field."""
    return f"{PREFIX}{field.upper()}"
