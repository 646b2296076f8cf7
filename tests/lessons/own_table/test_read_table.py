"""A table written in any usual way reads back exactly; a bad file names its line and column."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tinygrad_norm.errors import TableError
from tinygrad_norm.lessons.own_table.own_table import Column, OwnTable
from tinygrad_norm.lessons.own_table.read_table import read_table

Read = Callable[..., OwnTable]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Write text or bytes to a file and read it as a table."""

    def reading(content: str | bytes, **options: object) -> OwnTable:
        path = tmp_path / "t.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_table(str(path), **options)  # type: ignore[arg-type]

    return reading


class Sheet(NamedTuple):
    """What is written: a header or None, and rows of cells, floats and texts."""

    header: list[str] | None
    rows: list[list[float | str]]


def is_text(cell: str) -> bool:
    try:
        float(cell.strip().replace(",", "."))
    except ValueError:
        return True
    return False


finite = st.floats(allow_nan=False, allow_infinity=False)
# No NUL (a binary file), no surrogate (not text), no leading space (csv does not quote it).
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)
labels = texts.filter(lambda cell: is_text(cell) and not cell.startswith(" "))
plain_labels = st.text("abcdefghij äñ中", min_size=1, max_size=6).map(str.strip).filter(is_text)


@st.composite
def sheets(draw: st.DrawFn, words: st.SearchStrategy[str]) -> Sheet:
    kinds = draw(st.lists(st.booleans(), min_size=1, max_size=5).filter(any))
    row = st.tuples(*[finite if numeric else words for numeric in kinds]).map(list)
    rows = draw(st.lists(row, min_size=1, max_size=6))
    names = st.lists(words.filter(str.strip), min_size=len(kinds), max_size=len(kinds))
    return Sheet(draw(st.none() | names), rows)


def written(sheet: Sheet, **dialect: object) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out, **dialect)  # type: ignore[arg-type]
    if sheet.header is not None:
        writer.writerow(sheet.header)
    writer.writerows(sheet.rows)
    return out.getvalue()


def assert_same(table: OwnTable, sheet: Sheet) -> None:
    columns = list(zip(*sheet.rows, strict=True))
    numbers = [column for column in columns if isinstance(column[0], float)]
    words = [list(column) for column in columns if isinstance(column[0], str)]
    assert table.numbers.tobytes() == np.array(numbers).T.tobytes()  # -0.0 as well
    assert [*table.texts.values()] == words
    assert [c.header for c in table.columns] == (sheet.header or [None] * len(columns))
    assert table.layout.header == (sheet.header is not None)


@given(
    sheet=sheets(labels),
    delimiter=st.sampled_from(",;\t|"),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    end=st.sampled_from(["\r\n", "\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig"]),
    blanks=st.integers(0, 2),
)
@settings(deadline=None)
def test_any_dialect_reads_back_exactly(
    tmp_path_factory: pytest.TempPathFactory,
    sheet: Sheet,
    delimiter: str,
    quoting: int,
    end: str,
    encoding: str,
    blanks: int,
) -> None:
    cells = [cell for row in [sheet.header or [], *sheet.rows] for cell in row if isinstance(cell, str)]
    # The csv module leaves a line end bare if it is not the one that it writes itself.
    bare = {"\r", "\n"} - {*end} if quoting == csv.QUOTE_MINIMAL else set()
    assume(not any(bare & {*cell} for cell in cells))
    path = tmp_path_factory.getbasetemp() / "any.csv"
    content = written(sheet, delimiter=delimiter, quoting=quoting, lineterminator=end)
    path.write_bytes((content + end * blanks).encode(encoding))
    table = read_table(str(path), delimiter=delimiter)
    assert_same(table, sheet)
    assert table.layout.blank_lines == blanks
    assert table.layout.encoding == encoding


@given(sheet=sheets(plain_labels), delimiter=st.sampled_from(",;\t|"))
@settings(deadline=None)
def test_the_delimiter_is_found(tmp_path_factory: pytest.TempPathFactory, sheet: Sheet, delimiter: str) -> None:
    assume(len(sheet.rows[0]) > 1)
    path = tmp_path_factory.getbasetemp() / "found.csv"
    path.write_text(written(sheet, delimiter=delimiter), encoding="utf-8")
    table = read_table(str(path))
    assert table.layout.delimiter == delimiter
    assert_same(table, sheet)


@given(sheet=sheets(plain_labels), delimiter=st.sampled_from(";\t|"))
@settings(deadline=None)
def test_decimal_commas_read_back_exactly(
    tmp_path_factory: pytest.TempPathFactory, sheet: Sheet, delimiter: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "comma.csv"
    commas = [[repr(c).replace(".", ",") if isinstance(c, float) else c for c in r] for r in sheet.rows]
    content = written(Sheet(sheet.header, commas), delimiter=delimiter)
    path.write_text(content, encoding="utf-8")
    assert_same(read_table(str(path), delimiter=delimiter, decimal=","), sheet)


def test_a_comma_after_a_hundred_lines_is_still_found(read: Read) -> None:
    table = read("a;b\n" + "1;2\n" * 150 + "1,5;2\n" + "1;2,25\n")
    assert table.layout.decimal == ","
    assert table.numbers[-2:].tolist() == [[1.5, 2], [1, 2.25]]


@pytest.mark.parametrize("content", ["a;b\n1,234;0,5\n", "a;b\n1,234;5\n5,678;5\n"])
def test_a_comma_in_a_number_is_a_decimal_comma(read: Read, content: str) -> None:
    assert read(content).numbers[0, 0] == 1.234


def test_decimal_comma_in_a_comma_separated_file_when_given(read: Read) -> None:
    assert read('a,b\n"1,234","0,5"\n', decimal=",").numbers.tolist() == [[1.234, 0.5]]


def test_spaces_after_delimiters_do_not_count(read: Read) -> None:
    table = read('token, z1, z2\n"a, b", 1, 2\nc, 3, 4\n')
    assert [c.header for c in table.columns] == ["token", "z1", "z2"]
    assert [*table.texts.values()] == [["a, b", "c"]]


def test_a_quoted_line_break_moves_the_line_numbers(read: Read) -> None:
    table = read('token,z\n"one\ntwo",1\n\nthree,2\n')
    assert table.lines.tolist() == [2, 5]
    assert table.layout.blank_lines == 1


def test_header_and_text_columns_can_be_told(read: Read) -> None:
    years = "token,2019,2020\nHi,1,2\n"
    assert read(years).numbers.tolist() == [[2019, 2020], [1, 2]]
    table = read(years, header=True, text_columns=["2019"])
    assert table.numbers.tolist() == [[2]]
    assert [c.title for c in table.texts] == ["token", "2019"]
    assert [c.title for c in read("1,2\n").columns] == ["column 1", "column 2"]


def test_numbers_are_read_only(read: Read) -> None:
    table = read("1,2\n")
    with pytest.raises(ValueError, match="read-only"):
        table.numbers[0, 0] = 3


def test_a_last_delimiter_on_each_line_makes_a_column_of_nothing(read: Read) -> None:
    table = read("a,b,\n1,2,\n3,4,\n")
    assert table.numbers.tolist() == [[1, 2], [3, 4]]
    assert [*table.texts.values()] == [["", ""]]


BAD = {
    "empty": (b"", ": the file is empty"),
    "blank lines only": (b"\n\r\n  \n", ": the file is empty"),
    "header only": (b"\na,b\n", ": the file holds only a header (line 2)"),
    "no number": (b"a,b\nc,d\n", ", line 2: there is no column of numbers, with comma as"),
    "too long": (b"a,b\n1,2\n3,4,5\n", ", line 3, column 3: the cell is one too many"),
    "too short": (b"a,b\n1,2\n3\n", ", line 3, column 2 ('b'): the cell is missing"),
    "first row too short": (b"a,b\n1\n", ", line 2, column 2 ('b'): the cell is missing"),
    "text": (b"a,b\n1,2\n3,x\n", ", line 3, column 2 ('b'): 'x' is not a number; correct"),
    "text first": (b"a,b\n1,x\n3,4\n", ", line 2, column 2 ('b'): 'x' is not a number, but line 3"),
    "empty cell": (b"a,b\n1,2\n3,\n", ", line 3, column 2 ('b'): the cell is empty; correct"),
    "empty cell first": (b"a,b\n1, \n3,4\n", ", line 2, column 2 ('b'): the cell is empty, but"),
    "text in line 1": (b"1,2,x\n4,5,6\n", ", line 1, column 3: 'x' is not a number, but line 2"),
    "NaN": (b"a,b\n1,NaN\n", ", line 2, column 2 ('b'): 'NaN' is not a finite number"),
    "infinity": (b"a,b\n1,2\n-inf,4\n", ", line 3, column 1 ('a'): '-inf' is not a finite number"),
    "too large": (b"a,b\n1,2\n1,1e999\n", ", line 3, column 2 ('b'): '1e999' is not a finite"),
    "underscore": (b"a,b\n1,2\n1,1_0\n", ", line 3, column 2 ('b'): '1_0' is not a number"),
    "other digits": ("a,b\n1,2\n1,٣\n".encode(), ", line 3, column 2 ('b'): '٣' is not a number"),
    "quoted comma": (b'a,b\n1,2\n1,"1,5"\n', ", line 3, column 2 ('b'): '1,5' is not a number"),
    "comma after point": (b"a;b\n1.5;2\n1,5;2\n", ", line 3, column 1 ('a'): '1,5' has a decimal"),
    "point after comma": (b"a;b\n1,5;2\n1.5;2\n", ", line 3, column 1 ('a'): '1.5' has a decimal"),
    "both at once": (b"a;b\n1,5;2\n1.234,5;2\n", ", line 3, column 1 ('a'): '1.234,5' has a"),
    "text among commas": (b"a;b\n1,5;2\nx;2\n", ", line 3, column 1 ('a'): 'x' is not a number"),
    "both in one row": (b"a;b\n1.5;2,5\n", ", line 2, column 2 ('b'): '2,5' has a decimal comma in a file of"),
    "not UTF-8": (b"t,z\nA,1\nM\xfcller,2\n", ", line 3, character 2: byte 0xFC is not UTF-8"),
    "UTF-16": (b"\xff\xfe1\0\n\0", ", line 1: this is a binary file, not text (it holds a NUL byte); give a CSV file"),
    "binary": (b"a\n\0\n", ", line 2: this is a binary file, not text"),
    "workbook": (b"PK\x03\x04rest", ": this is a zip archive or an Excel workbook"),
    "open quote": (b'a,b\n"x,1\ny,2\n', ", line 2: the quotes of the row that begins here"),
    "text after quote": (b'a,b\n"x"y,1\n', ", line 2: the quotes of the row that begins here"),
    "long cell": (b'a,b\n"' + b"x" * 200_000 + b'",1\n', ", line 2: the quotes of the row"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_says_where(read: Read, tmp_path: Path, case: str) -> None:
    content, message = BAD[case]
    with pytest.raises(TableError) as caught:
        read(content)
    text = str(caught.value)
    assert text.startswith(f"{tmp_path / 't.csv'}{message}")
    assert "\n" not in text


def test_the_first_line_may_be_meant_as_a_header(read: Read) -> None:
    with pytest.raises(TableError, match=r"line 1, column 2: 'inf' .*--header yes if this line names"):
        read("sup,inf\n1,2\n")
    with pytest.raises(TableError) as caught:
        read("sup,inf\n1,2\n", header=False)
    assert "--header" not in str(caught.value)


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("q", "there is no column 'q'; give a name or number of: 1 a, 2 b, 3 b"),
        ("4", "there is no column '4'"),
        ("b", "columns 2 and 3 are all called 'b'; give the number"),
    ],
)
def test_a_column_that_is_not_there(read: Read, wanted: str, message: str) -> None:
    with pytest.raises(TableError, match=message):
        read("a,b,b\n1,2,3\n", text_columns=[wanted])


def test_columns_without_names_go_by_number(read: Read) -> None:
    with pytest.raises(TableError, match="give a name or number of: 1, 2, 3, 4, 5, 6, 7, 8, … 2 more"):
        read("0,1,2,3,4,5,6,7,8,9\n", text_columns=["q"])


def test_a_name_goes_before_a_number(read: Read) -> None:
    table = read("3,1,2\n10,20,30\n", header=True, text_columns=["2"])
    assert [column.number for column in table.texts] == [3]


def table_from(tmp_path: Path, text: str, **options: Any) -> OwnTable:
    path = tmp_path / "table.csv"
    path.write_text(text, encoding="utf-8")
    return read_table(str(path), **options)


def test_an_index_without_a_name_is_no_data(tmp_path: Path) -> None:
    table = table_from(tmp_path, ",z1,z2\n0,7,5\n1,2,3\n2,1,2\n")
    assert table.numbers.tolist() == [[7, 5], [2, 3], [1, 2]]
    assert [*table.texts.values()] == [["0", "1", "2"]]
    assert table.layout.index


@pytest.mark.parametrize("text", [",a\n1,7\n2,8\n", ",a\n0,7\n2,8\n", "i,a\n0,7\n1,8\n", "0,7\n1,8\n", ' ""\n0\n1\n'])
def test_what_only_looks_like_an_index_is_data(tmp_path: Path, text: str) -> None:
    table = table_from(tmp_path, text, delimiter=",")
    assert not table.layout.index
    assert len(table.number_columns) == len(table.columns)


def test_rows_that_lack_a_number_can_be_left_out(tmp_path: Path) -> None:
    text = "word,z1,z2\nHi,,1\n,2,3\nyou,NaN,4\n\nme,5,n/a\nus,6,7\n"
    table = table_from(tmp_path, text, drop_missing=True)
    assert table.numbers.tolist() == [[2, 3], [6, 7]]
    assert [*table.texts.values()] == [["", "us"]]
    assert (table.layout.dropped, table.lines.tolist()) == ((2, 4, 6), [3, 7])
    with pytest.raises(TableError, match=r"line 2, column 2 \('z1'\): the cell is empty"):
        table_from(tmp_path, text)
    with pytest.raises(TableError, match="line 3, column 1: 'x' is not a number"):
        table_from(tmp_path, "1,2\n,3\nx,4\n", drop_missing=True)
    with pytest.raises(TableError, match="every row lacks a number"):
        table_from(tmp_path, "a,b\n,1\n2,\n", drop_missing=True)


def test_the_index_of_what_is_left(tmp_path: Path) -> None:
    table = table_from(tmp_path, ",z\n0,\n1,2\n2,\n3,5\n", drop_missing=True)
    assert [*table.texts.values()] == [["1", "3"]]
    assert table.numbers.tolist() == [[2], [5]]


def test_many_columns_take_no_time_that_grows_with_their_square(tmp_path: Path) -> None:
    looks = count_comparisons(lambda: table_from(tmp_path, "\n".join([",".join(["1"] * 3000)] * 3)))
    assert looks < 100 * 3000


def count_comparisons(work: Callable[[], object]) -> int:
    """Return how often two columns were compared or hashed meanwhile."""
    count = 0
    equal, hashed = Column.__eq__, Column.__hash__

    def counted(plain: Any) -> Any:
        def call(*arguments: Any) -> Any:
            nonlocal count
            count += 1
            return plain(*arguments)

        return call

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Column, "__eq__", counted(equal))
        patch.setattr(Column, "__hash__", counted(hashed))
        work()
    return count
