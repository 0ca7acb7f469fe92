"""Sources are numbered in reading order, also those of parts that are written apart."""

from markupsafe import Markup

from cleanhub.report.citations import SHOWN, Citations

SOURCES = [{"source_id": one, "title": f"Title of {one}", "publisher": "P"} for one in ("a", "b", "r&d")]


def test_sources_are_numbered_in_order_of_first_mention():
    cite = Citations(SOURCES)
    assert [Markup(cite.cite(one)).striptags() for one in ("b", "a;b", "unknown")] == [
        "[1]",
        "[2] [1]",
        "[3]",
    ]
    assert [(number, one) for number, one, _ in cite.listed()] == [(1, "b"), (2, "a"), (3, "unknown")]


def test_a_part_written_apart_gets_the_numbers_it_would_have_had():
    together, apart = Citations(SOURCES), Citations(SOURCES)
    expected = together.cite("b") + together.caption(["r&d", "b", "a"]) + together.cite("a")
    late = apart.mentions()
    second = late.caption(["r&d", "b", "a"])  # written before the first
    first = apart.cite("b")
    apart.add(*(one for _, one, _ in late.listed()))
    assert apart.numbered(str(first + second + apart.cite("a"))) == str(expected)
    assert [one for _, one, _ in apart.listed()] == [one for _, one, _ in together.listed()]


def test_numbers_and_places_for_them_leave_plain_text_alike():
    cite = Citations(SOURCES)
    for source in (cite, cite.mentions()):
        plain = Markup("As in {}, here.").format(source.cite("a")).striptags()
        assert SHOWN.sub("", plain) == "As in, here."


def test_text_with_the_signs_of_a_place_is_no_error():
    assert Citations(SOURCES).numbered("\x02ff\x03 \x02zz\x03").endswith("\x02zz\x03")
