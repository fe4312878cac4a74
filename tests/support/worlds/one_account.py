"""A warehouse that every part reaches by one account, as in a small deployment."""

from pydantic import SecretStr
from sqlalchemy import make_url

from regsosek.settings import PARTS, Settings, variable, warehouse_field


def one_account(settings: Settings, url: str) -> Settings:
    """The same settings with ``url`` for every part."""
    own = dict.fromkeys(warehouse_field(part) for part in PARTS)
    return settings.model_copy(update={**own, "warehouse_url": SecretStr(url)})


def one_account_variables(url: str) -> dict[str, str]:
    """The same as variables of a process."""
    own = dict.fromkeys((variable(warehouse_field(part)) for part in PARTS), "")
    return {**own, "REGSOSEK_WAREHOUSE_URL": url}


def behind(settings: Settings, port: int) -> Settings:
    """The same settings with the warehouse at ``port``, to each part by its own account."""
    fields = [warehouse_field(part) for part in (None, *PARTS)]
    named = {field: url for field in fields if (url := getattr(settings, field)) is not None}
    urls = {field: make_url(url.get_secret_value()).set(port=port) for field, url in named.items()}
    own = {field: SecretStr(url.render_as_string(hide_password=False)) for field, url in urls.items()}
    return settings.model_copy(update=own)
