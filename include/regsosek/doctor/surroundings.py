"""What the checks look at: settings as far as they can be read, and the services behind them, with little patience."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from pydantic import SecretStr
from sqlalchemy import Engine, make_url

from regsosek.landing.object_store import ObjectStore, RetryPolicy
from regsosek.settings import PARTS, Part, Settings, given_fields, setting_faults, warehouse_field
from regsosek.warehouse.database import connect

TIMEOUT_SECONDS = 5
IMPATIENT = RetryPolicy(connect_timeout=TIMEOUT_SECONDS, read_timeout=10, request_attempts=1, operation_attempts=1)
# Where a needed setting is missing or malformed, so that what does not rest on it can still be checked.
_IN_PLACE = {"warehouse_url": "postgresql+psycopg://", "s3_access_key_id": "-", "s3_secret_access_key": "-"}


@dataclass(frozen=True)
class Surroundings:
    """Everything that is checked.

    Attributes:
        settings: with the default, or a stand-in, for each field in ``faults``.
        faults: field to what is wrong with its variable; an unknown variable counts as a field.
        environ: of the process; Airflow's settings are read from it.
    """

    settings: Settings
    faults: Mapping[str, str]
    environ: Mapping[str, str]
    _accounts: dict[Part | None, Engine] = field(default_factory=dict, init=False, compare=False)

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Surroundings":
        """What the environment says, whatever is wrong with it."""
        fields = given_fields(environ)
        faults = setting_faults(fields)
        usable = {name: value for name, value in fields.items() if name not in faults}
        in_place = {**_IN_PLACE, "hmac_key": "-" * 32}
        filled = usable | {name: value for name, value in in_place.items() if name in faults}
        return cls(Settings.model_validate(filled), faults, environ)

    @cached_property
    def engine(self) -> Engine:
        """The warehouse; a server that does not answer is given up soon.

        Raises:
            ConfigurationError: the URL names another driver.
            ArgumentError: it is no URL.
        """
        return self.account(None)

    def account(self, part: Part | None) -> Engine:
        """The same by the account of ``part``."""
        if part not in self._accounts:
            url = make_url(self.settings.warehouse_of(part).get_secret_value())
            soon = url.update_query_dict({"connect_timeout": str(TIMEOUT_SECONDS)})
            given = SecretStr(soon.render_as_string(hide_password=False))
            asked = self.settings.model_copy(update={warehouse_field(part): given})
            self._accounts[part] = connect(asked, part)
        return self._accounts[part]

    @cached_property
    def store(self) -> ObjectStore:
        """The object store, asked once."""
        return ObjectStore.connect(self.settings, IMPATIENT)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every secret of these settings, the longest first, that no line may repeat."""
        values = (getattr(self.settings, name) for name in Settings.model_fields)
        known = [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
        passwords = [_password(self.settings.warehouse_of(part).get_secret_value()) for part in (None, *PARTS)]
        return tuple(sorted({each for each in (*known, *passwords) if each and len(each) > 1}, key=len, reverse=True))

    def close(self) -> None:
        """Lets go of the warehouse, if it was asked."""
        for each in self._accounts.values():
            each.dispose()


def _password(url: str) -> str | None:
    try:
        return make_url(url).password
    except ValueError:
        return None
