"""Writes ``.env`` for docker-compose.yaml with fresh random secrets: no deployment shares a secret with another one.

Only the standard library: a server with Docker needs nothing of the project's environment.
"""

import base64
import os
import secrets
import sys
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parents[1]
HEADER = """\
# Made by `make env` for docker-compose.yaml; readable by its owner only, ignored by git and by the image.
# Keep a copy in a safe place: without REGSOSEK_HMAC_KEY no hash of a NIK ever compares again, without
# REGSOSEK_ARCHIVE_KEY no delivered file is ever read again and no night replayed, without
# AIRFLOW_FERNET_KEY Airflow can't read its connections, and who signs by another REGSOSEK_RELEASE_SIGNING_KEY must
# publish the new public key. The passwords of databases and of the first login are used
# when these are first made; later they are changed there, then here.
"""
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BECH32_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
# A fresh .env describes a development server: mails end in the catcher, not at a provincial office.
DEVELOPMENT = {"COMPOSE_PROFILES": "development", "REGSOSEK_SMTP_HOST": "mail", "REGSOSEK_SMTP_PORT": "1025"}
STORE_KEYS = ("REGSOSEK", "PAGES", "WATCHDOG")


def fresh_values() -> dict[str, str]:
    """Every variable that docker-compose.yaml demands; the values need no quoting in .env nor in a URL."""
    key, secret = secrets.token_hex(10), secrets.token_hex(24)
    return {
        "POSTGRES_PASSWORD": secrets.token_hex(24),
        "AIRFLOW_DB_PASSWORD": secrets.token_hex(24),
        "WAREHOUSE_DB_PASSWORD": secrets.token_hex(24),
        "WAREHOUSE_LOADER_PASSWORD": secrets.token_hex(24),
        "WAREHOUSE_PUBLISHER_PASSWORD": secrets.token_hex(24),
        "WAREHOUSE_ALERTER_PASSWORD": secrets.token_hex(24),
        "WAREHOUSE_PORTAL_PASSWORD": secrets.token_hex(24),
        "WAREHOUSE_WATCHDOG_PASSWORD": secrets.token_hex(24),
        "REDIS_PASSWORD": secrets.token_hex(24),
        "AIRFLOW_ADMIN_PASSWORD": secrets.token_urlsafe(18),
        "AIRFLOW_FERNET_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "AIRFLOW_JWT_SECRET": secrets.token_hex(64),
        "AIRFLOW_API_SECRET_KEY": secrets.token_hex(32),
        # The stand-in knows one key and no rights; a real store has one each for nights, pages and watchdog.
        **{f"{whose}_S3_ACCESS_KEY_ID": key for whose in STORE_KEYS},
        **{f"{whose}_S3_SECRET_ACCESS_KEY": secret for whose in STORE_KEYS},
        "REGSOSEK_TOKEN_KEY": secrets.token_hex(32),
        "REGSOSEK_TRAIL_KEY": secrets.token_hex(32),
        "REGSOSEK_HMAC_KEY": secrets.token_hex(32),
        "REGSOSEK_ARCHIVE_KEY": age_identity(secrets.token_bytes(32)),
        "REGSOSEK_RELEASE_SIGNING_KEY": secrets.token_hex(32),
        **DEVELOPMENT,
    }


def age_identity(drawn: bytes) -> str:
    """32 bytes as `age-keygen` writes an identity: Bech32 (BIP 173) in capitals."""
    prefix = "age-secret-key-"
    bits = int.from_bytes(drawn, "big") << 4  # 256 bits fill 51 groups of five and one bit; zeros follow it
    groups = [bits >> 5 * place & 31 for place in reversed(range(52))]
    head = [ord(each) >> 5 for each in prefix] + [0] + [ord(each) & 31 for each in prefix]
    check = _bech32_checksum([*head, *groups, *[0] * 6]) ^ 1
    tail = [check >> 5 * place & 31 for place in reversed(range(6))]
    return f"{prefix}1{''.join(_BECH32[each] for each in groups + tail)}".upper()


def _bech32_checksum(groups: list[int]) -> int:
    check = 1
    for group in groups:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ group
        for place, generator in enumerate(_BECH32_GENERATORS):
            check ^= generator if top >> place & 1 else 0
    return check


def write_env(path: Path) -> None:
    """Writes ``path`` with mode 0600.

    Raises:
        FileExistsError: ``path`` is there already; its secrets may be in use.
    """
    text = HEADER + "".join(f"{name}={value}\n" for name, value in fresh_values().items())
    # Never, not even for a moment, readable by others.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def main(path: Path = PROJECT_ROOT / ".env") -> int:
    """Entry of `make env`."""
    try:
        write_env(path)
    except FileExistsError:
        print(
            f"{path} exists and stays as it is. To start anew, move it away: its secrets may be in use.",
            file=sys.stderr,
        )
        return 1
    print(f"wrote {path} (mode 0600) for a development server; for production empty COMPOSE_PROFILES,")
    print("name the mail relay in REGSOSEK_SMTP_*, the recipients in REGSOSEK_RECIPIENTS_FILE, and the object store")
    print("in REGSOSEK_S3_*.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
