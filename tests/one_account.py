"""A warehouse that every part reaches by one account, as in a small deployment."""

from pydantic import SecretStr

from regsosek.settings import PARTS, Settings, variable, warehouse_field


def one_account(settings: Settings, url: str) -> Settings:
    """The same settings with ``url`` for every part."""
    own = dict.fromkeys(warehouse_field(part) for part in PARTS)
    return settings.model_copy(update={**own, "warehouse_url": SecretStr(url)})


def one_account_variables(url: str) -> dict[str, str]:
    """The same as variables of a process."""
    own = dict.fromkeys((variable(warehouse_field(part)) for part in PARTS), "")
    return {**own, "REGSOSEK_WAREHOUSE_URL": url}
