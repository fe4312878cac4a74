"""How delivered text becomes typed columns: one SQL expression per variable, derived from the codebook.

Casting is stricter than the engine's own: DuckDB would read ``1.6`` as 2, ``1e2`` as 100 and ``epoch`` as a date.
"""

from regsosek.contract.codebook import Kind, Variable
from regsosek.contract.key_forms import NUMBER_OF_A_PERSON, any_form

SQL_TYPES: dict[Kind, str] = {
    "key": "VARCHAR",
    "digits": "VARCHAR",
    "text": "VARCHAR",
    "integer": "INTEGER",
    "choice": "SMALLINT",
    "bits": "SMALLINT",
    "date": "DATE",
    "timestamp": "TIMESTAMPTZ",
    "decimal": "DOUBLE",
}

# What the text of a kind must look like before it is cast. The engine's regular expressions know ASCII digits only,
# so full-width or Arabic digits are refused here too. Years are bounded: the engine knows a year 0 and a year 10000,
# Python and PostgreSQL do not follow; and it would take 24:00 for the next day and +99:99 for an offset.
PATTERNS: dict[Kind, str] = {
    "key": "[A-Za-z0-9][A-Za-z0-9._/-]*",
    "digits": "[0-9]+",
    "integer": "[0-9]{1,9}",
    "choice": "[0-9]{1,9}",
    "bits": "[0-9]{1,9}",
    "date": "(18|19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}",
    "timestamp": "(19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?"
    "(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])",
    "decimal": "-?[0-9]{1,9}(\\.[0-9]{1,15})?",
}


# What no name of a place holds: nine digits and more with no letter between them (a phone, a NIK), a position in
# degrees, and characters that are not seen or turn text around.
PERSONAL = (
    r"\p{Nd}([^\p{L}\p{Nd}]{0,3}\p{Nd}){8,}|\p{Nd}[.,]\p{Nd}{4,}"
    r"|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\x{200e}\x{200f}\x{202a}-\x{202e}\x{2066}-\x{2069}]"
)


def given(column: str) -> str:
    """The delivered text of ``column`` without surrounding blanks; empty is missing."""
    return f"NULLIF(trim({column}), '')"


def typed(variable: Variable, text: str) -> str:
    """SQL for the typed value of ``variable`` from the SQL expression ``text``; NULL where it can't be typed."""
    if variable.kind == "text":
        return f"CASE WHEN NOT regexp_matches({text}, '{PERSONAL}') THEN {text} END" if variable.is_shown_text else text
    matches = shown_key(text) if variable.is_shown_key else f"regexp_full_match({text}, '{PATTERNS[variable.kind]}')"
    return f"CASE WHEN {matches} THEN {_cast(variable, text)} END"


def shown_key(text: str) -> str:
    """SQL: ``text`` may be shown as an id, for it has one of the forms that leave no room for a person's data."""
    return f"regexp_full_match({text}, '{any_form()}') AND NOT regexp_matches({text}, '{NUMBER_OF_A_PERSON}')"


def _cast(variable: Variable, text: str) -> str:
    return text if variable.is_text else f"TRY_CAST({text} AS {SQL_TYPES[variable.kind]})"


def untyped_column(name: str) -> str:
    """The column beside ``name`` that keeps the delivered text where it could not be typed."""
    return f"{name}__untyped"


def can_be_untyped(variable: Variable) -> bool:
    """Free text is always typable, but where it is shown and might hold a person's number."""
    return variable.kind != "text" or variable.is_shown_text
