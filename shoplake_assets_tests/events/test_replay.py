"""From a file to what is sent."""

import gzip
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shoplake_assets.errors import ShoplakeError
from shoplake_assets.events.feed import Outgoing
from shoplake_assets.events.files import LONGEST_LINE, open_lines
from shoplake_assets.events.replay import FORMATS, Tally, read_events

HEADER = b"event_time,event_type,product_id,category_id,category_code,brand,price,user_id,user_session"
GOOD = [f"2019-11-01 00:00:0{n} UTC,view,{n},77,a.b,x,1.0{n},u{n},s".encode() for n in range(4)]


def read(path: Path, name: str = "rees46", *, from_line: int = 1) -> tuple[list[Outgoing], Tally]:
    tally = Tally()
    with open_lines(path) as lines:
        sent = list(read_events(lines, path=path, source=FORMATS[name], from_line=from_line, tally=tally))
    return sent, tally


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "events.csv"


def test_lines_that_are_no_event_are_sent_as_they_are_and_counted(file: Path) -> None:
    bad = [b"cut,li", GOOD[1] + b",more", b'"open quote,' + GOOD[2]]
    file.write_bytes(b"\n".join([HEADER, GOOD[0], bad[0], GOOD[1], b"", bad[1], bad[2], GOOD[2][:40]]))
    sent, tally = read(file)
    assert [event.value for event in sent if event.mark in {3, 6, 7, 8}] == [*bad, GOOD[2][:40]]
    assert [event.mark for event in sent] == [2, 3, 4, 6, 7, 8]
    assert tally == Tally(mapped=2, unmapped=4, unmapped_lines=[3, 6, 7, 8], blank=1, last_line=8)


def test_only_the_first_ten_numbers_are_kept(file: Path) -> None:
    file.write_bytes(b"\n".join([HEADER, *[b"bad"] * 25]))
    _, tally = read(file)
    assert (tally.unmapped, tally.unmapped_lines) == (25, list(range(2, 12)))


def test_line_ends_and_byte_order_mark_change_nothing(file: Path) -> None:
    file.write_bytes(b"\n".join([HEADER, *GOOD]))
    plain, _ = read(file)
    file.write_bytes(b"\xef\xbb\xbf" + b"\r\n".join([HEADER, *GOOD, b""]))
    windows, _ = read(file)
    assert plain == windows


def test_the_key_is_the_user(file: Path) -> None:
    file.write_bytes(b"\n".join([HEADER, *GOOD]))
    assert [event.key for event in read(file)[0]] == [b"u0", b"u1", b"u2", b"u3"]


@given(rows=st.lists(st.one_of(st.sampled_from(GOOD), st.binary(min_size=1, max_size=80)), max_size=30))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_plain_gzip_and_zstd_give_the_same_twice(tmp_path: Path, rows: list[bytes]) -> None:
    content = b"\n".join([HEADER, *rows])
    # The ending lies on purpose: the content decides.
    file = tmp_path / "events.csv"
    results = []
    for written in (content, content, gzip.compress(content), zstandard.compress(content)):
        file.write_bytes(written)
        results.append(read(file))
    assert all(result == results[0] for result in results)
    sent, tally = results[0]
    assert tally.mapped + tally.unmapped == len(sent)
    lines = [line.rstrip(b"\r") for line in content.split(b"\n")[1:]]
    assert len(sent) == sum(1 for line in lines if line.strip())


def test_two_members_of_one_archive_are_one_file(file: Path) -> None:
    file.write_bytes(gzip.compress(HEADER + b"\n" + GOOD[0] + b"\n") + gzip.compress(GOOD[1] + b"\n"))
    assert read(file)[1].mapped == 2


def test_equal_rows_are_one_event_and_different_rows_are_two(file: Path) -> None:
    file.write_bytes(b"\n".join([HEADER, GOOD[0], GOOD[0], GOOD[1]]))
    first, again, other = (event.value for event in read(file)[0])
    assert first == again
    assert first != other


def test_it_goes_on_from_a_line(file: Path) -> None:
    file.write_bytes(b"\n".join([HEADER, *GOOD]))
    assert [event.mark for event in read(file, from_line=4)[0]] == [4, 5]
    assert read(file, from_line=6)[0] == []
    with pytest.raises(ShoplakeError, match="has 5 lines; --from-line 7 is beyond its end"):
        read(file, from_line=7)


def test_wrong_columns_are_named(file: Path) -> None:
    file.write_bytes(b"a,b,c\n1,2,3\n")
    with pytest.raises(ShoplakeError) as error:
        read(file)
    assert str(file) in str(error.value)
    assert "'a,b,c'" in str(error.value)
    assert HEADER.decode() in str(error.value)


def test_a_missing_file_a_folder_and_an_empty_file_are_named(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    for name, complaint in (("none", "no such file"), (".", "is a folder"), ("empty", "is empty")):
        with pytest.raises(ShoplakeError, match=complaint):
            read(tmp_path / name)


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.compress])
def test_a_cut_archive_is_an_error_that_says_where_to_go_on(file: Path, compress: object) -> None:
    assert callable(compress)
    content = b"\n".join([HEADER, *(GOOD[0].replace(b",u0,", b",u%d," % n) for n in range(50_000))])
    file.write_bytes(compress(content)[:-20])
    sent: list[Outgoing] = []
    with open_lines(file) as lines, pytest.raises(ShoplakeError, match="cut or damaged") as error:
        sent.extend(read_events(lines, path=file, source=FORMATS["rees46"], from_line=1, tally=Tally()))
    assert f"--from-line {sent[-1].mark + 1}." in str(error.value)
    assert len(sent) > 30_000


def test_a_file_without_line_ends_is_refused_before_it_fills_the_memory(file: Path) -> None:
    file.write_bytes(b"x" * (LONGEST_LINE + 1))
    with pytest.raises(ShoplakeError, match="longer than"):
        read(file)


def test_a_large_file_is_read_in_pieces(file: Path) -> None:
    file.write_bytes(b"\n".join([HEADER, *GOOD * 5_000]))
    with open_lines(file) as lines:
        events = read_events(lines, path=file, source=FORMATS["rees46"], from_line=1, tally=Tally())
        next(events)
        assert 0 < lines.position < lines.size / 10
