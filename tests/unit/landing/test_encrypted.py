"""Archived files: unreadable without their key, whole with it, and gone for good once it is destroyed."""

from datetime import UTC, datetime

import pyrage
import pytest
from pyrage import x25519

from regsosek.errors import ArchiveKeyError, ConfigurationError, DestroyedContentError, ObjectStoreError
from regsosek.landing.encrypted import AGE_MAGIC, EncryptedArchive, key_of, object_key, sha256_of

SECRET = str(x25519.Identity.generate())
PLAIN = b"3273010101900001;SITI;" * 9000  # more than one chunk of age
AT = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)


@pytest.fixture
def archive(store):
    return EncryptedArchive(store, "archive", SECRET)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "keluarga-00001.csv.gz"
    path.write_bytes(PLAIN)
    return path


@pytest.fixture
def kept(archive, path):
    return archive.keep(path)


def test_what_is_kept_comes_back_and_is_nowhere_in_clear(archive, store, path, kept, tmp_path):
    assert archive.fetch(kept, tmp_path / "back").read_bytes() == PLAIN
    assert {key for _, key in store.objects} == {object_key(kept), key_of(kept)}
    assert not any(PLAIN[:22] in content for content in store.objects.values())
    assert sorted(each.name for each in tmp_path.iterdir()) == ["back", path.name]


def test_keeping_again_writes_nothing(archive, store, path, kept):
    written = store.writes
    assert archive.keep(path) == kept
    assert store.writes == written


def test_the_tool_opens_both_by_itself(store, kept):
    """In an emergency nothing of ours is needed: age opens the key, and with that the content."""
    own = pyrage.decrypt(store.objects["archive", key_of(kept)], [x25519.Identity.from_str(SECRET)]).decode()
    assert pyrage.decrypt(store.objects["archive", object_key(kept)], [x25519.Identity.from_str(own)]) == PLAIN


def test_every_content_has_a_key_of_its_own(archive, store, path, kept):
    path.write_bytes(b"another")
    other = archive.keep(path)
    content, key = store.objects["archive", object_key(other)], store.objects["archive", key_of(kept)]
    own = x25519.Identity.from_str(pyrage.decrypt(key, [x25519.Identity.from_str(SECRET)]).decode())
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(content, [own])


def test_a_run_killed_behind_the_key_goes_on_with_it(archive, store, path, kept, tmp_path):
    key = store.objects["archive", key_of(kept)]
    del store.objects["archive", object_key(kept)]
    assert not archive.has(kept, len(PLAIN))
    archive.keep(path)
    assert store.objects["archive", key_of(kept)] == key
    assert archive.fetch(kept, tmp_path / "back").read_bytes() == PLAIN


def test_of_two_that_keep_the_same_at_once_both_can_read(archive, store, path, kept, tmp_path, monkeypatch):
    """The second one drew a key before it saw the first one's: what it writes is for that which lies there."""
    del store.objects["archive", object_key(kept)]
    looks = iter([None])
    real = EncryptedArchive._key
    monkeypatch.setattr(EncryptedArchive, "_key", lambda self, sha256: next(looks, real(self, sha256)))
    archive.keep(path)
    assert archive.fetch(kept, tmp_path / "back").read_bytes() == PLAIN


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 65537])
def test_an_upload_that_went_wrong_is_no_content_and_is_written_again(archive, store, path, size, tmp_path):
    path.write_bytes(b"x" * size)
    sha256 = archive.keep(path)
    whole = store.objects["archive", object_key(sha256)]
    assert archive.has(sha256, size)
    store.objects["archive", object_key(sha256)] = whole[: len(whole) // 3]
    assert not archive.has(sha256, size)
    archive.keep(path)
    assert archive.fetch(sha256, tmp_path / "back").read_bytes() == b"x" * size


def test_content_from_before_there_were_keys_is_read_and_encrypted_when_it_comes_again(archive, store, path, tmp_path):
    sha256 = sha256_of(path)
    store.put_bytes("archive", object_key(sha256), PLAIN)
    assert archive.has(sha256, len(PLAIN))
    assert archive.is_plain(sha256, len(PLAIN))
    assert archive.fetch(sha256, tmp_path / "back").read_bytes() == PLAIN
    archive.keep(path)
    assert store.objects["archive", object_key(sha256)].startswith(AGE_MAGIC)
    assert not archive.is_plain(sha256, len(PLAIN))
    assert archive.fetch(sha256, tmp_path / "back").read_bytes() == PLAIN


@pytest.mark.parametrize(
    ("spoil", "error", "words"),
    [
        pytest.param(lambda o, s: o.pop(("archive", object_key(s))), ObjectStoreError, "is missing", id="missing"),
        pytest.param(lambda o, s: _cut(o, s, -1), ObjectStoreError, "is damaged", id="cut short"),
        pytest.param(lambda o, s: _cut(o, s, 190), ObjectStoreError, "is damaged", id="cut to its header"),
        pytest.param(lambda o, s: o.pop(("archive", key_of(s))), ArchiveKeyError, "is lost.*restore", id="key lost"),
        pytest.param(lambda o, s: o.update({("archive", key_of(s)): b"?"}), ArchiveKeyError, "neither", id="no key"),
        pytest.param(
            lambda o, s: o.update({("archive", object_key(s)): b"y"}), ObjectStoreError, "damaged", id="other"
        ),
    ],
)
def test_what_cannot_be_given_back_leaves_nothing_and_says_why(
    archive, store, path, kept, spoil, error, words, tmp_path
):
    spoil(store.objects, kept)
    with pytest.raises(error, match=words):
        archive.fetch(kept, tmp_path / "back")
    assert list(tmp_path.iterdir()) == [path]


def _cut(objects, sha256, end):
    objects["archive", object_key(sha256)] = objects["archive", object_key(sha256)][:end]


def test_another_archive_key_opens_nothing(store, kept, tmp_path):
    other = EncryptedArchive(store, "archive", str(x25519.Identity.generate()))
    with pytest.raises(ArchiveKeyError, match="REGSOSEK_ARCHIVE_KEY"):
        other.fetch(kept, tmp_path / "back")


def test_a_malformed_archive_key_is_not_repeated(store, path):
    with pytest.raises(ConfigurationError, match="no identity of age") as told:
        EncryptedArchive(store, "archive", "AGE-SECRET-KEY-1RAHASIA").keep(path)
    assert "RAHASIA" not in str(told.value)


def test_what_was_destroyed_is_gone_with_every_copy(archive, store, path, kept, tmp_path):
    copied = store.objects["archive", object_key(kept)]
    archive.destroy(kept, request="S-12/2026", at=AT)
    store.objects["archive", object_key(kept)] = copied
    for ask in (lambda: archive.fetch(kept, tmp_path / "back"), lambda: archive.keep(path)):
        with pytest.raises(DestroyedContentError, match=r"2026-03-01 08:30 UTC for request S-12/2026"):
            ask()


def test_what_took_its_place_is_given_in_its_stead(archive, store, path, kept, tmp_path):
    path.write_bytes(b"rewritten once")
    first = archive.keep(path)
    archive.destroy(kept, request="1", at=AT, replaced_by=first)
    path.write_bytes(b"rewritten twice")
    second = archive.keep(path)
    archive.destroy(first, request="2", at=AT, replaced_by=second)
    assert archive.current(kept) == second
    assert archive.has(kept, len(PLAIN))
    assert archive.fetch(kept, tmp_path / "back").read_bytes() == b"rewritten twice"
    assert store.objects["archive", object_key(kept)] == b""
