"""Kinds whose CSV has other columns, quotes or rows than the codebook and RFC 4180 say."""

import csv
import io
from collections.abc import Callable

from hostile.draft import SECRETS, Draft, hostile

Rows = list[list[str]]


def _reshape(draft: Draft, shape: Callable[[Rows], Rows], **dialect: str) -> None:
    """Rewrites the CSV of keluarga as rows of cells, the header first."""

    def shaped(text: str) -> str:
        target = io.StringIO(newline="")
        csv.writer(target, **dialect).writerows(shape(list(csv.reader(io.StringIO(text, newline="")))))
        return target.getvalue()

    draft.retext(shaped)


@hostile
def duplicate_header(draft: Draft) -> None:
    _reshape(draft, lambda rows: [[*row, row[0]] for row in rows])


@hostile
def header_missing(draft: Draft) -> None:
    _reshape(draft, lambda rows: rows[1:])


@hostile
def header_repeated_within(draft: Draft) -> None:
    _reshape(draft, lambda rows: [*rows[:2], rows[0], *rows[2:]])


@hostile
def header_only(draft: Draft) -> None:
    _reshape(draft, lambda rows: rows[:1])


@hostile
def header_only_as_promised(draft: Draft) -> None:
    draft.parts = [[]]
    draft.pack()


@hostile
def zero_rows_in_every_format(draft: Draft) -> None:
    draft.parts = [[]]
    draft.pack(keluarga="parquet", anggota="jsonl.gz")


@hostile
def semicolons(draft: Draft) -> None:
    _reshape(draft, list, delimiter=";")


@hostile
def tabs(draft: Draft) -> None:
    _reshape(draft, list, delimiter="\t")


@hostile
def columns_reordered(draft: Draft) -> None:
    _reshape(draft, lambda rows: [row[::-1] for row in rows])


@hostile
def column_unknown(draft: Draft) -> None:
    _reshape(draft, lambda rows: [[*row, "r507_baru" if n == 0 else "1"] for n, row in enumerate(rows)])


@hostile
def column_named_by_a_secret(draft: Draft) -> None:
    _reshape(draft, lambda rows: [[*row, SECRETS[0] + "0001" if n == 0 else "1"] for n, row in enumerate(rows)])


@hostile
def column_missing(draft: Draft) -> None:
    _reshape(draft, lambda rows: [row[:-1] for row in rows])


@hostile
def column_missing_beside_a_secret(draft: Draft) -> None:
    _reshape(draft, lambda rows: [[SECRETS[2], *rows[0][1:]], *rows[1:]])


@hostile
def column_empty(draft: Draft) -> None:
    _reshape(draft, lambda rows: [[*row, ""] for row in rows])


@hostile
def column_unnamed_but_filled(draft: Draft) -> None:
    _reshape(draft, lambda rows: [[*row, "" if n == 0 else SECRETS[2]] for n, row in enumerate(rows)])


@hostile
def header_spelling(draft: Draft) -> None:
    _reshape(draft, lambda rows: [[f" {rows[0][0].upper()} ", *rows[0][1:]], *rows[1:]])


@hostile
def sql_in_header(draft: Draft) -> None:
    _reshape(
        draft, lambda rows: [[*row, "x\"'); DROP TABLE keluarga; --" if n == 0 else "1"] for n, row in enumerate(rows)]
    )


@hostile
def quoted_newlines(draft: Draft) -> None:
    draft.change(r106_nama_sls='RT 1\nRW 2\r\ndan "lain", sebagainya')


@hostile
def quote_unbalanced(draft: Draft) -> None:
    draft.change(r106_nama_sls="RT@")
    draft.retext(lambda text: text.replace("RT@", '"RT'))


@hostile
def quote_in_a_bare_value(draft: Draft) -> None:
    draft.change(r106_nama_sls="RT@")
    draft.retext(lambda text: text.replace("RT@", 'RT "1"'))


def _marked(draft: Draft, marked: str, spoil: Callable[[str], str] = str) -> None:
    """Writes the SLS of the first family bare, as a writer without rules would."""
    draft.change(r106_nama_sls="RT@")
    draft.retext(lambda text: spoil(text.replace("RT@", marked)))


@hostile
def quotes_around_a_comma_in_a_bare_value(draft: Draft) -> None:
    _marked(draft, 'RT "1, RW" 2')


@hostile
def quote_then_a_comma_too_many(draft: Draft) -> None:
    _marked(draft, 'PIPA 5" NO 1', lambda text: text.replace(",2022-10-20T09", ",,2022-10-20T09", 1))


@hostile
def comma_too_few_beside_quotes(draft: Draft) -> None:
    _marked(draft, '\t"RT 1, RW 2"', lambda text: text.replace(",001,001,", ",001001,", 1))


@hostile
def tab_before_a_quoted_value(draft: Draft) -> None:
    _marked(draft, '\t"RT 1"')


@hostile
def backslash_before_quotes(draft: Draft) -> None:
    _marked(draft, '"RT \\"1\\""')


@hostile
def apostrophes_for_quotes(draft: Draft) -> None:
    _marked(draft, "'RT 1, RW 2'")


@hostile
def trailing_comma_in_a_row(draft: Draft) -> None:
    draft.retext(lambda text: text[:-2] + ",\r\n")


@hostile
def line_of_sep(draft: Draft) -> None:
    draft.retext(lambda text: "sep=,\r\n" + text)


@hostile
def empty_line_before_the_header(draft: Draft) -> None:
    draft.retext(lambda text: "\r\n" + text)


@hostile
def comment_before_the_header(draft: Draft) -> None:
    draft.retext(lambda text: "# RAHASIA\r\n" + text)


@hostile
def rows_ragged(draft: Draft) -> None:
    _reshape(draft, lambda rows: [*rows[:2], rows[2][:-1], *rows[3:]])


@hostile
def row_too_wide(draft: Draft) -> None:
    _reshape(draft, lambda rows: [*rows[:2], [*rows[2], "1"], *rows[3:]])


@hostile
def row_shifted_by_a_comma(draft: Draft) -> None:
    _reshape(draft, lambda rows: [*rows[:2], [*rows[2][:3], "", *rows[2][3:]], *rows[3:]])


@hostile
def totals_line_at_the_end(draft: Draft) -> None:
    _reshape(draft, lambda rows: [*rows, ["JUMLAH", "3"]])
