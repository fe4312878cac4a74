"""Kinds whose files are damaged, packed in a wrong way, too large, or not the ones that the manifest describes."""

import bz2
import gzip
import io
import struct
import zipfile

from hostile.draft import Draft, hostile

TEN_MEGABYTES = 10 << 20


@hostile
def gzip_truncated(draft: Draft) -> None:
    draft.rewrite(lambda packed: packed[: len(packed) // 2])


@hostile
def gzip_wrong_checksum(draft: Draft) -> None:
    draft.rewrite(lambda packed: packed[:-8] + bytes(4) + packed[-4:])


@hostile
def gzip_wrong_length(draft: Draft) -> None:
    draft.rewrite(lambda packed: packed[:-4] + struct.pack("<I", 1))


@hostile
def gzip_bit_flipped(draft: Draft) -> None:
    middle = len(draft.files[draft.entry("keluarga")["name"]]) // 2
    draft.rewrite(lambda packed: packed[:middle] + bytes([packed[middle] ^ 16]) + packed[middle + 1 :])


@hostile
def gzip_trailing_garbage(draft: Draft) -> None:
    draft.rewrite(lambda packed: packed + b"garbage behind the end")


@hostile
def gzip_several_members(draft: Draft) -> None:
    def in_two(packed: bytes) -> bytes:
        text = gzip.decompress(packed)
        return gzip.compress(text[:700]) + gzip.compress(text[700:])

    draft.rewrite(in_two)


@hostile
def gzip_in_gzip(draft: Draft) -> None:
    draft.rewrite(gzip.compress)


@hostile
def not_packed(draft: Draft) -> None:
    draft.rewrite(gzip.decompress)


@hostile
def zip_for_gzip(draft: Draft) -> None:
    def zipped(packed: bytes) -> bytes:
        with io.BytesIO() as target:
            with zipfile.ZipFile(target, "w") as archive:
                archive.writestr(zipfile.ZipInfo("keluarga-00001.csv"), gzip.decompress(packed))
            return target.getvalue()

    draft.rewrite(zipped)


@hostile
def bzip2_for_gzip(draft: Draft) -> None:
    draft.rewrite(lambda packed: bz2.compress(gzip.decompress(packed)))


@hostile
def file_of_zero_bytes(draft: Draft) -> None:
    draft.rewrite(lambda _: b"")


@hostile
def error_page_for_file(draft: Draft) -> None:
    draft.rewrite(lambda _: b"<html><body>503 Service Unavailable</body></html>")


@hostile
def decompression_bomb(draft: Draft) -> None:
    draft.retext(lambda text: text + "\r\n" * TEN_MEGABYTES)


@hostile
def field_of_ten_megabytes(draft: Draft) -> None:
    draft.change(r107_alamat="A" * TEN_MEGABYTES)


@hostile
def header_of_many_columns(draft: Draft) -> None:
    draft.retext(lambda text: ",".join(f"x{n}" for n in range(2000)) + "," + text)


@hostile
def wrong_hash(draft: Draft) -> None:
    draft.entry("keluarga")["sha256"] = "0" * 64


@hostile
def file_replaced_by_same_size(draft: Draft) -> None:
    name = draft.entry("anggota")["name"]
    draft.files[name] = bytes(len(draft.files[name]))


@hostile
def file_too_short(draft: Draft) -> None:
    name = draft.entry("anggota")["name"]
    draft.files[name] = draft.files[name][:-1]


@hostile
def file_too_long(draft: Draft) -> None:
    name = draft.entry("anggota")["name"]
    draft.files[name] += b"\0"


@hostile
def wrong_count_too_many(draft: Draft) -> None:
    draft.promise("keluarga", 2)


@hostile
def wrong_count_too_few(draft: Draft) -> None:
    draft.promise("anggota", 7)


@hostile
def missing_file(draft: Draft) -> None:
    del draft.files[draft.entry("anggota")["name"]]


@hostile
def file_replaced_after_registration(draft: Draft) -> None:
    draft.after_sealing = {"keluarga-00001.csv.gz": b"something else"}


@hostile
def file_taken_away_after_registration(draft: Draft) -> None:
    draft.after_sealing = {"keluarga-00001.csv.gz": None}


@hostile
def file_replaced_after_acceptance(draft: Draft) -> None:
    draft.after_night = {"keluarga-00001.csv.gz": b"something else", "anggota-00001.csv.gz": None}


@hostile
def delivery_too_large(draft: Draft) -> None:
    parts, largest = 17, {"rows": 16_000, "bytes": 256 << 20}
    draft.manifest["files"] = [
        each | largest | {"part": part, "name": each["name"].replace("00001", f"{part:05d}")}
        for part in range(1, parts + 1)
        for each in draft.manifest["files"]
    ]
    draft.manifest["totals"] = dict.fromkeys(draft.manifest["totals"], parts * 16_000)
