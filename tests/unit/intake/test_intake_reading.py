"""Files against their contract: what is accepted comes out typed, what is not is told by row, column and rule."""

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.spec import Column, ColumnType, Data
from shared.intake import contract, lines, reading
from shared.intake.reading import Reading, read
from shared.intake.report import MOST_ALIKE, MOST_FINDINGS, Rule
from tests.unit.intake.intake_world import a_contract, chunked

AT = "2026-01-01T00:00:00Z"


def column(kind: str, **rest: object) -> Column:
    return Column(type=ColumnType(kind), **rest)  # type: ignore[arg-type]


WIDE = a_contract(
    count=column("int64", min=0, max=10),
    share=column("float64", nullable=True, max=1.5),
    code=column("string", max_length=3),
    note=column("string", nullable=True),
    kind=column("string", values=("-", "A")),
    late=column("bool"),
    seen=column("timestamp", nullable=True),
)
GOOD = {"at": AT, "count": "1", "share": "0.5", "code": "abc", "note": "", "kind": "A", "late": "true", "seen": ""}


def csv(*rows: dict[str, str]) -> bytes:
    """Rows in the columns' order, each laid over the good one."""
    body = [",".join(str((GOOD | row)[name]) for name in GOOD) for row in rows]
    return "\n".join([",".join(GOOD), *body, ""]).encode()


def taken(content: bytes, folder: Path, data: Data = WIDE, block: int = 1 << 22) -> Reading:
    return read(chunked(content, block), data, folder / "part.parquet")


def told(found: Reading) -> list[tuple[Rule, int, str]]:
    return [(finding.rule, finding.row, finding.column) for finding in found.findings.kept]


def test_a_good_file_becomes_a_part_that_spans_its_times(tmp_path: Path) -> None:
    found = taken(csv({"at": "2026-03-01T00:00:00Z"}, {"at": "2026-02-01T00:00:00Z"}), tmp_path)
    assert found.part is not None
    assert (found.part.rows, found.part.start, found.part.end) == (
        2,
        datetime(2026, 2, 1, tzinfo=UTC),
        datetime(2026, 3, 1, tzinfo=UTC),
    )


def test_a_part_is_named_by_the_hash_of_the_original_bytes(tmp_path: Path) -> None:
    crlf = csv({}).replace(b"\n", b"\r\n")
    names = {taken(content, tmp_path).name for content in (csv({}), crlf, csv({}).rstrip(b"\n"))}
    assert len(names) == 3
    assert taken(b"", tmp_path).sha256 == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_a_part_is_typed_by_the_contract(tmp_path: Path) -> None:
    taken(csv({"seen": "2026-01-01 05:00:00", "note": '"say ""hi"", now"'}), tmp_path)
    table = pq.read_table(tmp_path / "part.parquet")
    assert table.schema.equals(contract.schema(WIDE))
    assert table.to_pylist()[0] | {"at": None, "seen": None} == {
        "at": None, "count": 1, "share": 0.5, "code": "abc", "note": 'say "hi", now', "kind": "A", "late": True,
        "seen": None,
    }  # fmt: skip


def test_columns_may_stand_in_any_order(tmp_path: Path) -> None:
    found = taken(b"minutes,at\n1.5,2026-01-01T00:00:00Z\n", tmp_path, a_contract())
    assert found.part is not None
    assert pq.read_table(tmp_path / "part.parquet").column_names == ["at", "minutes"]


@pytest.mark.parametrize("text", ["\ufeff{}", "{}"])
def test_a_byte_order_mark_is_no_part_of_the_header(tmp_path: Path, text: str) -> None:
    assert taken(text.format(csv({}).decode()).encode(), tmp_path).part is not None


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-01-01", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-01-01 05:06", datetime(2026, 1, 1, 5, 6, tzinfo=UTC)),
        ("2026-01-01T05:06:07.5", datetime(2026, 1, 1, 5, 6, 7, 500_000, tzinfo=UTC)),
        ("2026-01-01T05:00:00+02:00", datetime(2026, 1, 1, 3, tzinfo=UTC)),
        ("2026-01-01 05:00:00-0130", datetime(2026, 1, 1, 6, 30, tzinfo=UTC)),
    ],
)
def test_times_are_read_as_iso_8601_and_as_utc_where_they_name_no_zone(
    tmp_path: Path, text: str, time: datetime
) -> None:
    found = taken(csv({"at": text}), tmp_path)
    assert found.part is not None
    assert found.part.start == time


@pytest.mark.parametrize(
    ("name", "cell", "rule"),
    [
        ("at", "", Rule.NULL),
        ("at", "yesterday", Rule.TYPE),
        ("at", "2026-02-30", Rule.TYPE),
        ("at", "2026-01-01T25:00:00Z", Rule.TYPE),
        ("at", "0000-01-01", Rule.TYPE),
        ("at", "9999-12-31T23:59:59-05:00", Rule.TYPE),
        ("count", "", Rule.NULL),
        ("count", "1.0", Rule.TYPE),
        ("count", " 1", Rule.TYPE),
        ("count", "0x1F", Rule.TYPE),
        ("count", "1_0", Rule.TYPE),
        ("count", "٣", Rule.TYPE),
        ("count", '""', Rule.TYPE),
        ("count", "9223372036854775808", Rule.TYPE),
        ("count", "-1", Rule.BELOW_MINIMUM),
        ("count", "11", Rule.ABOVE_MAXIMUM),
        ("share", "1.6", Rule.ABOVE_MAXIMUM),
        ("share", "one", Rule.TYPE),
        ("share", '"1,5"', Rule.TYPE),
        ("share", "inf", Rule.NOT_FINITE),
        ("share", "-Infinity", Rule.NOT_FINITE),
        ("share", "1e999", Rule.NOT_FINITE),
        ("code", "", Rule.NULL),
        ("code", "abcd", Rule.TOO_LONG),
        ("code", "=1", Rule.FORMULA),
        ("note", "+1", Rule.FORMULA),
        ("note", "-1", Rule.FORMULA),
        ("note", "@x", Rule.FORMULA),
        ("note", "\tx", Rule.FORMULA),
        ("note", "x" * (contract.MAX_CELL_CHARS + 1), Rule.TOO_LONG),
        ("kind", "B", Rule.NOT_IN_VALUES),
        ("late", "yes", Rule.TYPE),
        ("seen", "1", Rule.TYPE),
    ],
)
def test_a_wrong_cell_is_told_by_row_column_and_rule(tmp_path: Path, name: str, cell: str, rule: Rule) -> None:
    found = taken(csv({}, {name: cell}, {}), tmp_path)
    assert told(found) == [(rule, 2, name)]
    assert found.part is None


@pytest.mark.parametrize(
    ("name", "cell"),
    [("share", "NaN"), ("share", "nan"), ("share", ".5"), ("share", "1e-3"), ("kind", "-"), ("code", "äöü"),
     ("late", "0"), ("count", "0010")],
)  # fmt: skip
def test_an_unusual_cell_that_keeps_the_contract_is_accepted(tmp_path: Path, name: str, cell: str) -> None:
    assert told(taken(csv({name: cell}), tmp_path)) == []


def test_a_quoted_empty_text_is_not_null(tmp_path: Path) -> None:
    found = taken(csv({"note": '""'}, {"note": ""}, {"code": '""'}), tmp_path)
    assert found.part is not None
    assert pq.read_table(tmp_path / "part.parquet")["note"].to_pylist() == ["", None, None]


def test_nan_is_refused_where_nulls_are(tmp_path: Path) -> None:
    found = taken(b"at,minutes\n2026-01-01,nan\n", tmp_path, a_contract())
    assert told(found) == [(Rule.NOT_FINITE, 1, "minutes")]


@pytest.mark.parametrize(
    ("content", "rule", "row"),
    [
        (b"", Rule.EMPTY, 0),
        (b"\n", Rule.EMPTY, 0),
        (b"at,minutes", Rule.EMPTY, 0),
        (b"at,minutes\n", Rule.EMPTY, 0),
        (b"at;minutes\n2026-01-01;1\n", Rule.HEADER, 0),
        (b'at,"minutes\n2026-01-01,1\n', Rule.HEADER, 0),
        (b"at,min\xfftes\n2026-01-01,1\n", Rule.HEADER, 0),
        (b"at,minutes,at\n2026-01-01,1,2\n", Rule.DUPLICATE_COLUMN, 0),
        (b"at\n2026-01-01\n", Rule.MISSING_COLUMN, 0),
        (b"at,minutes,x\n2026-01-01,1,2\n", Rule.UNKNOWN_COLUMN, 0),
        (b"\x1f\x8b\x08\x00at,minutes\n", Rule.ENCODING, 0),
        (b"PK\x03\x04\x14\x00\x06\x00at,minutes\n", Rule.ENCODING, 0),
        (b"at,minutes\n2026-01-01,1\n2026-01-01,1\x00\n", Rule.NUL_BYTE, 2),
        (b"at,minutes\n2026-01-01,1\n2026-01-01,\xff\n", Rule.ENCODING, 2),
        (b"at,minutes\n2026-01-01,1\n\xef\xbb\xbf2026-01-01,1\n", Rule.ENCODING, 2),
        (b"at,minutes\n\xef\xbb\xbf", Rule.ENCODING, 1),
        (b"at,minutes\n2026-01-01,1\n\n2026-01-01,1\n", Rule.LINE_BREAK, 2),
        (b"at,minutes\n2026-01-01,1\n\n", Rule.LINE_BREAK, 2),
        (b"at,minutes\r\n2026-01-01,1\r\n\r\n", Rule.LINE_BREAK, 2),
        (b"at,minutes\n2026-01-01,1\r2026-01-01,1\n", Rule.LINE_BREAK, 1),
        (b"at,minutes\n2026-01-01,1\n2026-01-01\n", Rule.CELL_COUNT, 2),
        (b"at,minutes\n2026-01-01,1\n2026-01-01,1,\n", Rule.CELL_COUNT, 2),
        (b'at,minutes\n2026-01-01,1\n2026-01-01,"1\n', Rule.QUOTING, 2),
        (b'at,minutes\n2026-01-01,1\n2026-01-01,1"2\n', Rule.QUOTING, 2),
        (b'at,minutes\n2026-01-01,1\n2026-01-01,"1"2\n', Rule.QUOTING, 2),
    ],
)
@pytest.mark.parametrize("block", [1 << 22, 7])
def test_a_file_that_is_no_sound_csv_is_told_so(
    tmp_path: Path, content: bytes, rule: Rule, row: int, block: int
) -> None:
    found = taken(content, tmp_path, a_contract(), block)
    assert (rule, row) in [(finding.rule, finding.row) for finding in found.findings.kept]
    assert found.part is None


def test_quotes_are_checked_in_the_row_where_they_stand(tmp_path: Path) -> None:
    rows = [{}, {"note": '"fine"'}, {}, {"note": '"a"b'}, {}, {"note": 'a"b'}]
    assert told(taken(csv(*rows), tmp_path)) == [(Rule.QUOTING, 4, ""), (Rule.QUOTING, 6, "")]


def test_a_header_of_very_many_columns_is_refused_at_once(tmp_path: Path) -> None:
    found = taken(b",".join(b"c" for _ in range(400_000)) + b"\n1\n", tmp_path)
    assert told(found) == [(Rule.HEADER, 0, "")]


def test_a_file_of_nothing_but_mistakes_is_not_read_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MOST_COUNTED", 10)
    content = csv(*({"count": "x"} for _ in range(1_000)))
    found = taken(content, tmp_path, block=512)
    assert (10 < len(found.findings) < 100, found.size) == (True, len(content))


def test_a_line_break_in_quotes_is_refused_because_rows_are_counted_in_lines(tmp_path: Path) -> None:
    found = taken(csv({"note": '"a\nb"'}), tmp_path)
    assert [(rule, row) for rule, row, _ in told(found)] == [(Rule.QUOTING, 1), (Rule.QUOTING, 2)]


def test_a_line_without_end_is_refused_in_bounded_memory(tmp_path: Path) -> None:
    found = taken(b"at,minutes\n" + b"1" * (3 * lines.MAX_LINE_BYTES), tmp_path, a_contract(), 1 << 16)
    assert [rule for rule, _, _ in told(found)] == [Rule.LINE_LENGTH]
    assert found.size == len(b"at,minutes\n") + 3 * lines.MAX_LINE_BYTES


def test_a_file_that_grows_past_the_limit_is_refused_and_still_hashed(tmp_path: Path) -> None:
    content = csv(*({} for _ in range(100)))
    small = Data(time_column="at", columns=WIDE.columns, max_bytes=100)
    found = taken(content, tmp_path, small, 64)
    assert (Rule.TOO_LARGE in [rule for rule, _, _ in told(found)], found.size) == (True, len(content))
    assert found.sha256 == taken(content, tmp_path).sha256


def test_a_file_with_too_many_rows_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_ROWS", 3)
    assert told(taken(csv({}, {}, {}, {}), tmp_path)) == [(Rule.TOO_MANY_ROWS, 0, "")]


def test_a_time_column_without_any_time_makes_no_part(tmp_path: Path) -> None:
    data = Data(time_column="at", columns={"at": column("timestamp", nullable=True), "n": column("int64")})
    assert told(taken(b"at,n\n,1\n", tmp_path, data)) == [(Rule.EMPTY, 0, "")]


def test_all_mistakes_of_a_file_are_counted_and_a_few_of_each_kind_told(tmp_path: Path) -> None:
    found = taken(csv(*({"count": "99", "code": "long"} for _ in range(1_000))), tmp_path, block=512)
    assert found.findings.counts == {"count: AboveMaximum": 1_000, "code: TooLong": 1_000}
    assert len(found.findings.kept) == 2 * MOST_ALIKE


def test_the_findings_of_a_file_are_bounded(tmp_path: Path) -> None:
    names = {f"c{number}": column("int64") for number in range(40)}
    row = "2026-01-01" + ",x" * 40
    content = "\n".join([",".join(["at", *names]), row, row]).encode()
    found = taken(content, tmp_path, a_contract(**names))
    assert (len(found.findings), len(found.findings.kept)) == (80, MOST_FINDINGS)


def test_a_report_shows_no_more_of_a_cell_than_a_short_and_escaped_piece(tmp_path: Path) -> None:
    found = taken(csv({"code": "=cmd|' /C calc'!A0\u202e" + "x" * 100}), tmp_path)
    for finding in found.findings.kept:
        assert finding.cell.isascii()
        assert len(finding.cell) <= 60
        assert not finding.cell.startswith(("=", "+", "-", "@"))


def test_a_profile_tells_nulls_bounds_and_means(tmp_path: Path) -> None:
    found = taken(
        csv({"count": "2", "share": "", "late": "true"}, {"count": "4", "code": "a", "late": "false"}),
        tmp_path,
        block=64,
    )
    assert found.profile is not None
    columns = found.profile.columns
    assert (columns["count"].least, columns["count"].greatest, columns["count"].mean) == (2, 4, 3.0)
    assert (columns["share"].nulls, columns["share"].mean) == (1, 0.5)
    assert (columns["code"].least, columns["code"].greatest) == (1, 3)
    assert (columns["late"].mean, columns["note"].nulls, columns["note"].mean) == (0.5, 2, None)
    assert columns["at"].least == datetime(2026, 1, 1, tzinfo=UTC)


@settings(deadline=None)  # how busy the machine is says nothing about the reading
@given(block=st.integers(1, 400), rows=st.integers(1, 20))
def test_the_size_of_the_blocks_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, block: int, rows: int
) -> None:
    folder = tmp_path_factory.mktemp("blocks")
    content = csv(*({"count": str(number % 13), "note": f"n{number}"} for number in range(rows)))
    cut, whole = taken(content, folder, block=block), taken(content, folder)
    assert (cut.sha256, cut.part, told(cut), cut.findings.counts) == (
        whole.sha256,
        whole.part,
        told(whole),
        whole.findings.counts,
    )
    assert cut.profile == whole.profile


ODD_CELLS = [
    "2026-01-01",
    "2026-02-30",
    "1.5",
    "",
    '""',
    '"1"',
    'x"',
    '"x',
    "nan",
    "inf",
    "\ufeff",
    "\u2028",
    "=1",
    "0x1",
]


@given(
    rows=st.lists(st.lists(st.sampled_from(ODD_CELLS), max_size=3).map(",".join), max_size=8),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    block=st.integers(1, 30),
)
def test_a_part_has_as_many_rows_as_the_file_has_lines_however_it_is_cut(
    tmp_path_factory: pytest.TempPathFactory, rows: list[str], end: str, block: int
) -> None:
    folder = tmp_path_factory.mktemp("odd")
    content = end.join(["at,minutes\n2026-01-01,1", *rows]).encode()
    cut, whole = taken(content, folder, a_contract(), block), taken(content, folder, a_contract())
    assert (cut.sha256, cut.part) == (whole.sha256, whole.part)
    if whole.part:
        assert whole.part.rows == whole.rows == content.count(b"\n") + (not content.endswith(b"\n")) - 1


@given(content=st.binary(max_size=200) | st.text('at,minutes\n\r"=;0123.-T:Zé', max_size=200).map(str.encode))
def test_no_bytes_whatever_make_it_fail(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.mktemp("bytes")
    for start in (b"", b"at,minutes\n", b"at,minutes\n2026-01-01,1\n"):
        found = taken(start + content, folder, a_contract(), 16)
        assert (found.part is None) == bool(found.findings)


def test_a_large_file_is_read_in_a_small_memory(tmp_path: Path) -> None:
    header, row = csv({"note": "n" * 80}).split(b"\n")[:2]
    block = (row + b"\n") * (4 * 1024 * 1024 // (len(row) + 1))
    before = pa.total_allocated_bytes()
    peak = 0

    def stream():
        nonlocal peak
        yield header + b"\n"
        for _ in range(25):
            yield block
            peak = max(peak, pa.total_allocated_bytes() - before)

    found = read(stream(), WIDE, tmp_path / "part.parquet")
    assert found.size > 100_000_000
    assert found.part is not None
    assert peak < 80_000_000
