"""Every layout a loan file comes in reads as the same rows; everything else is refused with what was
wrong."""

from __future__ import annotations

import csv
import gzip
import io
import os
import tempfile
import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chain_common.adapters.csv_source import ReadLimits
from chain_common.adapters.loan_csv import (
    CsvLoanReader,
    FileTooLarge,
    NotACsv,
    RepeatedColumn,
    WrongColumns,
    read_loans,
)
from chain_common.adapters.presets import PackagedPresets, UnknownPreset, columns_known_later
from chain_common.domain.loan_table import labelled
from chain_common.errors import BadInput

REAL = Path(os.environ.get("CHAIN_LENDING_CLUB_DIR", Path(__file__).parents[3] / "shared" / "data" / "lending_club"))
needs_real_rows = pytest.mark.skipif(
    not REAL.is_dir(), reason=f"the real Lending Club rows are not at {REAL} (set CHAIN_LENDING_CLUB_DIR)"
)

ROWS = [
    ["5000", " 10.65%", "Fully Paid"],
    ["2400", " 15.96%", "Charged Off"],
    ["10000", " 13.49%", "Current"],
]
NAMES = ["loan_amnt", "int_rate", "loan_status"]
PLAIN = "loan_amnt,int_rate,loan_status\n5000, 10.65%,Fully Paid\n2400, 15.96%,Charged Off\n10000, 13.49%,Current\n"


def read(text: str | bytes, wanted: list[str] | None = None, **options):
    raw = text.encode() if isinstance(text, str) else text
    return read_loans(io.BytesIO(raw), wanted or NAMES, **options)


def rows_of(table) -> list[list[str]]:
    return [list(row) for row in zip(*table.columns.values(), strict=True)]


def test_a_plain_file():
    table = read(PLAIN, filename="loans.csv")

    assert rows_of(table) == ROWS
    assert table.lines.tolist() == [2, 3, 4]
    report = table.report
    assert (report.filename, report.encoding, report.delimiter, report.header_line) == (
        "loans.csv",
        "utf-8",
        ",",
        1,
    )
    assert (report.n_read, report.n_kept, report.dropped, report.n_bytes) == (3, 3, (), len(PLAIN))


def test_lending_clubs_layout_with_title_section_totals_quotes_and_blank_lines():
    text = (
        "Notes offered by Prospectus (https://www.lendingclub.com/info/prospectus.action)\n"
        '"id","loan_amnt","int_rate","loan_status"\n'
        '"","5000"," 10.65%","Fully Paid"\n\n'
        '"","2400"," 15.96%","Charged Off"\n'
        "\n\nLoans that do not meet the credit policy\n"
        '"","10000"," 13.49%","Current"\n'
        "\n\nTotal amount funded in policy code 1: 460296150\nTotal amount funded in policy code 2: 0\n"
    )

    table = read(text)

    assert rows_of(table) == ROWS
    assert table.report.header_line == 2
    assert (table.report.note_lines, table.report.n_note_lines) == ((1, 8, 12, 13), 4)
    assert table.report.n_dropped == 0


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("packed", [False, True])
def test_separator_encoding_line_end_and_packing_are_recognised(line_end, delimiter, encoding, packed):
    names = ["größe", "loan_status", "note"]
    rows = [["12", "Fully Paid", f"a{delimiter}b “ä” €"], ["7", "Charged Off", 'say "x"\nand y']] * 20
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator=line_end)
    writer.writerows([names, *rows])
    raw = out.getvalue().encode(encoding)

    table = read(gzip.compress(raw) if packed else raw, names)

    assert rows_of(table) == rows
    assert table.report.encoding == encoding
    assert (table.report.delimiter, table.report.compressed) == (delimiter, packed)


def test_a_byte_that_means_nothing_in_windows_1252_does_not_stop_a_file():
    table = read(PLAIN.encode().replace(b"Fully", b"F\x81lly\xe4"))

    assert table.columns["loan_status"][0] == "F\ufffdlly\u00e4 Paid"


def test_decimal_commas_become_points_and_dates_stay():
    text = "loan_amnt;int_rate;issue_d;loan_status\n1.250.000,50;10,65%;31.12.2011;Paid\n900;9,5%;01.02.2012;Late, 3\n"

    table = read(text, ["loan_amnt", "int_rate", "issue_d", "loan_status"])

    assert table.report.decimal_comma
    assert rows_of(table) == [
        ["1250000.50", "10.65%", "31.12.2011", "Paid"],
        ["900", "9.5%", "01.02.2012", "Late, 3"],
    ]


def test_decimal_points_stay_where_the_separator_is_a_semicolon():
    table = read("loan_amnt;int_rate;loan_status\n1,250.5;10.65%;Paid\n9;8.2%;Late\n")

    assert not table.report.decimal_comma
    assert table.columns["loan_amnt"].tolist() == ["1,250.5", "9"]


def test_column_names_are_found_without_regard_to_case_spaces_and_hyphens():
    table = read(" Loan Amnt ,INT-RATE,Loan_Status\n1,2,x\n")

    assert rows_of(table) == [["1", "2", "x"]]
    assert table.report.used == ("loan_amnt", "int_rate", "loan_status")


def test_rows_of_another_width_are_dropped_and_counted_with_their_lines():
    text = "loan_amnt,int_rate,loan_status\n1,2,x\n1,2\n1,2,x,9\n1,2,x,,\n3,4,y\n"

    table = read(text)

    assert rows_of(table) == [["1", "2", "x"], ["1", "2", "x"], ["3", "4", "y"]]
    (dropped,) = table.report.dropped
    assert (dropped.reason, dropped.n_rows, dropped.lines) == ("cell-count", 2, (3, 4))
    assert (table.report.n_read, table.report.n_kept) == (5, 3)


def test_files_pasted_together_repeat_their_column_names_and_those_are_no_rows():
    assert rows_of(read(PLAIN + PLAIN)) == ROWS + ROWS


def test_all_columns_are_kept_when_none_is_asked_for():
    table = read_loans(io.BytesIO(b"a title\na;b;c\n1;2,5;3\n4;5,5;6\n"))

    assert list(table.columns) == ["a", "b", "c"]
    assert rows_of(table) == [["1", "2.5", "3"], ["4", "5.5", "6"]]


def test_a_stream_stays_open_and_one_that_cannot_be_rewound_is_read_all_the_same():
    stream = io.BytesIO(PLAIN.encode())
    read_loans(stream, NAMES)
    assert not stream.closed

    class Upload:
        def __init__(self) -> None:
            self._left = io.BytesIO(PLAIN.encode())

        def read(self, size: int = -1) -> bytes:
            return self._left.read(size)

    assert rows_of(read_loans(Upload(), NAMES)) == ROWS
    with tempfile.SpooledTemporaryFile(max_size=10) as spooled:
        spooled.write(PLAIN.encode())
        spooled.seek(7)
        assert rows_of(read_loans(spooled, NAMES)) == ROWS


def test_missing_columns_are_named_with_the_nearest_and_with_what_is_there():
    with pytest.raises(WrongColumns) as refused:
        read("loan_amount,intrate,outcome\n1,2,x\n")

    error = refused.value
    assert error.missing == ("loan_amnt", "int_rate", "loan_status")
    assert error.nearest == {"loan_amnt": "loan_amount", "int_rate": "intrate", "loan_status": ""}
    assert error.found == ("loan_amount", "intrate", "outcome")
    assert "is it “loan_amount”?" in str(error)


def test_a_column_that_is_there_twice_is_refused():
    with pytest.raises(RepeatedColumn) as refused:
        read("loan_amnt,int_rate,loan_status,Loan Status\n1,2,x,y\n")

    assert refused.value.column == "loan_status"


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"", "empty"),
        (b" \n\n", "empty"),
        (b"PK\x03\x04" + bytes(50), "Excel"),
        (b"\xd0\xcf\x11\xe0" + bytes(50), "Excel"),
        (b"%PDF-1.7\n", "PDF"),
        (b"<!DOCTYPE html><html></html>", "web page"),
        (bytes(range(256)) * 20, "binary"),
        (b"\x01\x02\x03\x04" * 100, "binary"),
        (b"Dear data owner\nplease find enclosed\n", "more than one cell"),
        (gzip.compress(PLAIN.encode(), mtime=0)[:-12], "gzip"),
        (b"\x1f\x8b" + b"garbage" * 10, "gzip"),
        (gzip.compress(gzip.compress(PLAIN.encode(), mtime=0), mtime=0), "packed twice"),
        (b"\xff\xfea\x00,\x00b\x00\n\x00\x00\xd8x", "encoding"),
        (PLAIN.encode() + b'1,2,"never closed' + b"\nx,y,z" * 30_000, "quotation mark"),
    ],
)
def test_what_is_no_table_is_refused_with_what_it_is(raw, problem):
    with pytest.raises(NotACsv) as refused:
        read(raw)

    assert problem in refused.value.problem


def test_a_file_above_the_limit_is_refused_with_both_sizes():
    with pytest.raises(FileTooLarge) as refused:
        read(PLAIN, limits=ReadLimits(file_bytes=50))

    assert (refused.value.unit, refused.value.limit, refused.value.size) == ("bytes", 50, len(PLAIN))
    assert "At most 50 bytes" in str(refused.value)


def test_a_small_packed_file_cannot_swell_without_bound():
    bomb = gzip.compress(b"loan_amnt,int_rate,loan_status\n" + b"1,2,3\n" * 5_000_000)
    assert len(bomb) < 100_000

    tracemalloc.start()
    with pytest.raises(FileTooLarge) as refused:
        read(bomb, limits=ReadLimits(text_bytes=2_000_000))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert refused.value.unit == "bytes unpacked"
    assert peak < 5_000_000


def test_rows_columns_and_lines_have_limits():
    with pytest.raises(FileTooLarge, match="more than 2 rows"):
        read(PLAIN, limits=ReadLimits(rows=2))
    with pytest.raises(FileTooLarge, match="4 columns"):
        read("a,b,loan_status,loan_amnt\n", ["loan_status"], limits=ReadLimits(columns=3))
    with pytest.raises(NotACsv, match="a line has more than"):
        read(PLAIN + "x" * 2000, limits=ReadLimits(line_chars=1000))


def test_a_path_that_cannot_be_opened_is_the_users_mistake(tmp_path):
    with pytest.raises(BadInput, match="cannot be opened"):
        read_loans(tmp_path / "absent.csv", NAMES)


def test_a_path_is_read_and_named(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(PLAIN)

    assert read_loans(path, NAMES).report.filename == "mine.csv"


def test_a_hundred_thousand_wide_rows_cost_memory_for_the_wanted_columns_only():
    row = ",".join(["7"] * 100) + ",Fully Paid\n"
    text = ",".join(f"c{i}" for i in range(100)) + ",loan_status\n" + row * 100_000
    raw = gzip.compress(text.encode(), compresslevel=1)
    n_text = len(text)
    del text

    started = time.perf_counter()
    tracemalloc.start()
    table = read(raw, ["c3", "loan_status"])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert table.n_rows == 100_000
    assert peak < 12_000_000 < n_text
    assert time.perf_counter() - started < 30


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400), st.booleans())
def test_no_bytes_do_worse_than_be_refused(garbage, after_a_good_start):
    raw = PLAIN.encode() + garbage if after_a_good_start else garbage

    try:
        table = read(raw)
    except BadInput:
        return
    assert table.n_rows + table.report.n_dropped == table.report.n_read


cells = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=12)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.tuples(st.just("7"), cells, cells.map(lambda text: f"x{text}")), max_size=12),
    st.sampled_from(",;\t|"),
)
def test_what_a_csv_writer_writes_reads_back(rows, delimiter):
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerows([NAMES, *rows])

    table = read(out.getvalue())

    if not table.report.decimal_comma:
        assert [tuple(row) for row in rows_of(table)] == rows


def test_the_reader_port_reads_the_columns_it_is_asked_for():
    table = CsvLoanReader(ReadLimits(rows=3)).read(
        io.BytesIO(PLAIN.encode()), filename="up.csv", columns=["loan_status", "loan_amnt"]
    )

    assert rows_of(table) == [[status, amount] for amount, _, status in ROWS]
    assert table.report.filename == "up.csv"


def test_the_presets_have_the_published_numbers_of_inputs():
    presets = PackagedPresets()

    assert presets.names()[0] == "lending-club-compact"
    assert [len(presets.get(name).plans) for name in presets.names()] == [8, 21]
    assert [presets.get(name).norm_bound for name in presets.names()] == [3.0, 4.0]
    with pytest.raises(UnknownPreset, match="lending-club-compact"):
        presets.get("../secrets")


@needs_real_rows
def test_our_list_of_columns_known_only_later_is_that_of_the_field_catalogue():
    with (REAL / "fields.csv").open() as file:
        leaking = {row["column"] for row in csv.DictReader(file) if row["class"] == "post_origination_LEAK"}

    assert set(columns_known_later()) == leaking
    assert len(leaking) == 38


@needs_real_rows
@pytest.mark.parametrize("name", PackagedPresets().names())
@pytest.mark.parametrize(
    ("file", "n_read", "n_good", "n_bad", "dropped"),
    [
        ("LoanStats3a_sample17000.csv.gz", 17_000, 13_700, 2_300, {"excluded": 1_000}),
        ("LoanStats3a_tiny430.csv", 430, 345, 55, {"excluded": 30}),
        ("LoanStats_2015_H.csv", 1_097, 759, 208, {"unfinished": 130}),
        ("accepted_sample2000.csv.gz", 2_000, 974, 241, {"unfinished": 777, "excluded": 8}),
    ],
)
def test_every_real_layout_reads_with_the_counts_of_its_provenance(name, file, n_read, n_good, n_bad, dropped):
    preset = PackagedPresets().get(name)

    started = time.perf_counter()
    loans = labelled(read_loans(REAL / file, preset.columns), preset.target)

    assert time.perf_counter() - started < 2
    assert loans.table.report.n_read == n_read
    assert (loans.table.n_rows - loans.n_bad, loans.n_bad) == (n_good, n_bad)
    assert {group.reason: group.n_rows for group in loans.table.report.dropped} == dropped
