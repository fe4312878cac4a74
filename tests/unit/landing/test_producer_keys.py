"""Keys of producers: whose they are, on which nights they hold, and what a manifest must be signed with."""

from datetime import date
from pathlib import Path

import pytest

from regsosek.errors import ConfigurationError, ContractBreachError, ReferenceDataError
from regsosek.landing.producer_keys import COLUMNS, producer_keys, require_signature, trusted_keys
from regsosek.minisign import Signer

OWN, NEXT, OTHER = Signer.new(), Signer.new(), Signer.new()
NIGHT = date(2022, 10, 21)
DOCUMENT = b"{}"
# Of minisign 0.11 itself, which draws the ids of keys at random.
MINISIGN_KEY = "RWQ6aS+N45WNItvQWCdD/7fIrBapFcOsyea9/UObBFsj1t4DZ+uhdgzp"
MINISIGN_SIGNATURE = b"""untrusted comment: signature from minisign secret key
RUQ6aS+N45WNIr0BOkm0l0yFrRIueHRTysD3ZlPHgV/Orr6fDSc212VV2gJatzMAPfoxEl3v06VA7hgsnSJGYWY42JuGpl5aXQU=
trusted comment: hari pencacahan
WuKpgax0LawyxDz0ELiD3EOPhoiTYqqqFTIdUQnB0qw4R3/5oU6xBVyU3zg8X0tPmTmPkMBDz3gG7T2EnvpbDQ==
"""


def written(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "keys.csv"
    path.write_text("\n".join([",".join(COLUMNS), *lines]))
    return path


def line(province: str, signer: Signer, valid_from: str = "2022-10-01", valid_to: str = "") -> str:
    return f"{province},{signer.public.text},{valid_from},{valid_to},letter 17"


def reason(signature: bytes | None) -> str | None:
    try:
        require_signature(DOCUMENT, signature, [OWN.public, NEXT.public])
    except ContractBreachError as breach:
        return breach.reason
    return None


def test_who_has_a_key_must_sign_and_who_has_none_may_not_have_to(tmp_path: Path) -> None:
    path = written(tmp_path, line("64", OWN), line("63", OTHER))
    assert trusted_keys(path, "64", NIGHT, demanded=False) == (OWN.public,)
    assert trusted_keys(path, "65", NIGHT, demanded=False) is None
    assert trusted_keys(None, "64", NIGHT, demanded=False) is None
    assert trusted_keys(path, "65", NIGHT, demanded=True) == ()


def test_a_key_holds_on_its_nights_and_a_lapsed_one_frees_nobody_from_signing(tmp_path: Path) -> None:
    path = written(tmp_path, line("64", OWN, valid_to="2022-10-21"), line("64", NEXT, valid_from="2022-10-21"))
    assert trusted_keys(path, "64", NIGHT, demanded=False) == (OWN.public, NEXT.public)
    assert trusted_keys(path, "64", date(2022, 10, 22), demanded=False) == (NEXT.public,)
    assert trusted_keys(path, "64", date(2022, 9, 30), demanded=False) == ()


def test_each_way_to_be_no_signature_has_its_reason() -> None:
    assert reason(OWN.sign(DOCUMENT, "x")) is None
    assert reason(NEXT.sign(DOCUMENT, "x")) is None
    assert reason(None) == "signature_missing"
    assert reason(OTHER.sign(DOCUMENT, "x")) == "signature_untrusted"
    assert reason(OWN.sign(b"another manifest", "x")) == "signature_invalid"
    assert reason(b"RUQ=") == "signature_invalid"


def test_what_minisign_signed_is_known(tmp_path: Path) -> None:
    path = written(tmp_path, f"64,{MINISIGN_KEY},2022-10-01,,letter 17")
    keys = trusted_keys(path, "64", NIGHT, demanded=False)
    assert keys is not None and keys[0].id == "228D95E38D2F693A"
    require_signature(DOCUMENT, MINISIGN_SIGNATURE, keys)
    with pytest.raises(ContractBreachError, match="signature_invalid"):
        require_signature(b"[]", MINISIGN_SIGNATURE, keys)


@pytest.mark.parametrize(
    ("row", "error", "told"),
    [
        ("99,x,2022-10-01,,letter", ReferenceDataError, "no such province"),
        (f"64,{OWN.secret_text},2022-10-01,,letter", ReferenceDataError, "not a public key"),
        (f"64,{OWN.public.text},October,,letter", ReferenceDataError, "valid_from and valid_to are days"),
        (f"64,{OWN.public.text},2022-10-01,,", ReferenceDataError, "how the key was received"),
        (f"{line('64', OWN)}\n{line('63', OWN)}", ConfigurationError, "stands twice"),
    ],
    ids=["no province", "a secret key", "no day", "no letter", "twice"],
)
def test_a_faulty_file_is_refused_and_repeats_no_secret(
    tmp_path: Path, row: str, error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told) as raised:
        producer_keys(written(tmp_path, row))
    assert OWN.secret_text not in str(raised.value)
