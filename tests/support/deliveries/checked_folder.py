"""Deliveries in folders, and settings that reach no service: what a producer has who checks before sending."""

from pathlib import Path

from hostile.draft import Draft
from regsosek.settings import Settings, load_settings


def written(draft: Draft, root: Path) -> Path:
    """Writes the delivery below ``root`` as it would lie in the landing bucket; its folder."""
    for key, content in draft.objects():
        path = root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    for name, body in draft.after_sealing.items():
        path = root / (draft.prefix + name)
        path.write_bytes(body) if body is not None else path.unlink()
    return root / draft.prefix


def no_services(directory: Path) -> Settings:
    """Settings that name no warehouse and no object store; ``directory`` takes the scratch space."""
    names = ("WAREHOUSE_URL", "S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY")
    environ = {f"REGSOSEK_{name}": "none" for name in names} | {"REGSOSEK_HMAC_KEY": "-" * 32}
    return load_settings(environ | {"REGSOSEK_ENV_FILE": "/none", "REGSOSEK_WORK_DIR": str(directory)})
