"""Heat strips and their tables: right, readable without colour, masked, and never broken by what is on record."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.core.examples import Example
from probes.core.probe import Context
from probes.core.records import Accounting, Evidence, Shown, WordWeight
from probes.explanation.examples.probe import Examples
from reports import render
from reports.heat import RANKED, largest, strips, weights_table
from reports.limits import Limits
from reports.render import environment
from reports.wording import CAUTIONS
from tests.linear_model import LinearModel
from tests.reports import synthetic_run as synthetic
from tests.reports.synthetic_run import HOSTILE, case_of, weighed
from tests.reports.test_render import Page


def toned(shown, *, most=None, cap=700):
    made = strips(shown, most=largest([shown]) if most is None else most, limits=Limits(text=cap))
    return [[(part.text, part.tone) for part in text] for text in made]


def ranked(shown):
    return [[cell.text for cell in row.cells] for row in weights_table(shown, heading="Text").rows]


def page_of(folder, *evidence, **how):
    step = synthetic.Step("explanation.examples", "Explained", [Accounting(eligible=9, scored=9), *evidence])
    return render(synthetic.write(folder, [step], []), **how).decode("utf-8")


def test_words_are_shaded_by_size_and_by_direction():
    shown = weighed("a good but bad and so so film", "x", good=4.0, bad=-2.0, film=1.0, so=0.3, but=0.1)
    assert toned(shown) == [
        [("a ", ""), ("good", "to4"), (" but ", ""), ("bad", "off3"), (" and ", ""), ("so", "to1"), (" ", ""),
         ("so", "to1"), (" ", ""), ("film", "to2")]
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("weight", "tone"),
    [(0.04, None), (0.05, "to1"), (0.25, "to2"), (0.5, "to3"), (0.75, "to4"), (1.0, "to4"), (-0.26, "off2")],
)
def test_four_steps_relative_to_the_heaviest_word(weight, tone):
    parts = dict(toned(weighed("here there", "x", here=weight, there=-1.0))[0])
    assert parts.get("here") == tone
    assert parts["there"] == "off4"


def test_both_sides_are_shaded_on_one_scale():
    before, after = weighed("a word", "x", word=4.0), weighed("a word", "y", word=1.0)
    most = largest([before, after])
    assert toned(before, most=most)[0][-1] == ("word", "to4")
    assert toned(after, most=most)[0][-1] == ("word", "to2")


def test_the_table_ranks_words_and_says_direction_and_share():
    shown = weighed("a good but bad film", "x", good=3.0, bad=-1.5, film=0.5)
    assert ranked(shown) == [
        ["1", "good", "+3.00", "towards", "60.0%"],
        ["2", "bad", "−1.50", "against", "30.0%"],
        ["3", "film", "+0.50", "towards", "10.0%"],
        ["4", "a", "0.00", "neither", "0.0%"],
        ["5", "but", "0.00", "neither", "0.0%"],
    ]


def test_longer_texts_say_how_many_words_are_left_out():
    shown = weighed(
        " ".join(f"w{index}" for index in range(30)), "x", **{f"w{index}": index + 1.0 for index in range(30)}
    )
    table = weights_table(shown, heading="Before")
    assert len(table.rows) == RANKED
    assert table.rows[0].cells[1].text == "w29"
    assert table.note == "And 22 more words, of no more weight."
    assert table.caption == "Before: words by weight"


def test_pairs_have_a_strip_each_and_one_table_that_says_which_text():
    shown = weighed(("one two", "two three"), "x", two=1.0, three=-2.0)
    assert [[tone for _, tone in text if tone] for text in toned(shown)] == [["to3"], ["to3", "off4"]]
    table = weights_table(shown, heading="Text")
    assert [(row.cells[1].text, row.cells[1].sub) for row in table.rows[:3]] == [
        ("three", "text 2"), ("two", "text 1"), ("two", "text 2"),
    ]  # fmt: skip


def test_no_weight_at_all_shades_nothing_and_divides_by_nothing():
    shown = weighed("a film", "x")
    assert toned(shown) == [[("a film", "")]]
    assert ranked(shown) == [["1", "a", "0", "neither", "–"], ["2", "film", "0", "neither", "–"]]


def test_a_long_text_is_cut_and_its_heavy_words_are_still_in_the_table():
    shown = weighed("word " * 400 + "LAST", "x", last=5.0, word=1.0)
    (strip,) = strips(shown, most=5.0, limits=Limits(text=100))
    assert strip[-1].kind == "cut"
    assert "more characters" in strip[-1].text
    assert sum(len(part.text) for part in strip[:-1]) == 100
    assert ranked(shown)[0][1] == "LAST"


def test_hidden_characters_are_named_in_and_between_words():
    text = "a\u200bb \u202ec"
    shown = Shown(texts=(text,), answer="x", words=(WordWeight(part=0, start=0, end=3, weight=1.0),))
    assert toned(shown) == [[("a⟨U+200B⟩b", "to4"), (" ", ""), ("⟨U+202E⟩", ""), ("c", "")]]
    assert ranked(shown)[0][1] == "a⟨U+200B⟩b"


MISFITS = {
    "beyond the end": (0, 0, 99),
    "begins beyond": (0, 50, 60),
    "of no length": (0, 2, 2),
    "backwards": (0, 3, 1),
    "of no such text": (7, 0, 1),
    "inside another": (0, 1, 3),
}


@pytest.mark.parametrize("place", MISFITS.values(), ids=MISFITS)
def test_weights_that_fit_no_place_are_left_out_and_told(place, tmp_path):
    part, start, end = place
    words = (
        WordWeight(part=0, start=0, end=4, weight=1.0),
        WordWeight(part=part, start=start, end=end, weight=-1.0),
    )
    shown = Shown(texts=("good film",), answer="x", words=words)
    table = weights_table(shown, heading="Text")
    assert [row.cells[1].text for row in table.rows] == ["good"]
    assert table.note == "1 weight left out: no such place in the text."
    html = page_of(tmp_path, case_of("k", shown), case_of("k", shown, shown))
    assert html.count("1 weight left out") == 3


@given(
    st.text(max_size=30),
    st.lists(
        st.builds(
            WordWeight,
            part=st.integers(0, 2),
            start=st.integers(0, 40),
            end=st.integers(0, 40),
            weight=st.floats(allow_nan=False, allow_infinity=False),
        ),
        max_size=8,
    ),
    st.integers(1, 40),
)
def test_whatever_is_on_record_the_strip_says_the_text(text, words, cap):
    shown = Shown(texts=(text, text), answer="x", words=tuple(words))
    plain = Shown(texts=(text, text), answer="x")
    assert ["".join(part for part, _ in side) for side in toned(shown, cap=cap)] == [
        "".join(part for part, _ in side) for side in toned(plain, cap=cap)
    ]
    for row in weights_table(shown, heading="Text").rows:
        assert "nan" not in row.cells[4].text


def test_direction_and_strength_are_lines_and_not_only_colours():
    style = environment(Limits()).get_template("report.css").render(page_header="")
    line, against = (re.search(rf"\n{name} {{([^}}]*)}}", style).group(1) for name in (r"\.w", r"\.off1[^{]*"))
    assert "underline solid" in line
    assert "dashed" in against
    widths = [
        re.search(rf"\.to{step}, \.off{step} {{ text-decoration-thickness: (\d)px", style) for step in range(1, 5)
    ]
    assert [int(width.group(1)) for width in widths] == [1, 2, 3, 4]


def test_a_case_has_its_strip_its_table_and_a_key(tmp_path):
    html = page_of(
        tmp_path / "one", case_of("near the boundary", weighed("a superb film", "good", superb=2.0, film=-1.0))
    )
    page = Page(html)
    assert '<span class="w to4">superb</span>' in html
    assert '<span class="w off3">film</span>' in html
    assert "Example 1 (near the boundary)" in page.words
    assert "Text: words by weight Rank Word Weight Direction Share of all 1 superb +2.00 towards 66.7%" in page.words
    assert html.count("Shaded words:") == 1
    drawn = case_of("drawn at random", weighed("a film", "good", film=1.0), chosen="random")
    both = page_of(tmp_path / "both", drawn, case_of("k", weighed("a film", "good", film=1.0)))
    assert both.count("Shaded words:") == 1
    assert both.index("Shaded words:") < both.index("drawn at random)")
    assert html.count("<blockquote>") == 1, "a single text needs no second printing"
    assert "Examples picked for what they show" in page.words
    assert "Worst examples" not in page.words


def test_before_and_after_show_the_change_and_then_the_strips(tmp_path):
    html = page_of(
        tmp_path,
        case_of("slip", weighed("a superb film", "good", superb=2.0), weighed("a supetb film", "bad", film=1.0)),
    )
    assert html.count("<blockquote>") == 4
    assert "supe<ins>t</ins>b" in html
    assert "Before: words by weight" in html
    assert "After: words by weight" in html


def test_cases_that_are_not_explained_look_as_before(tmp_path):
    html = render(synthetic.passing(tmp_path)).decode("utf-8")
    body = html[html.index("<body>") :]
    for part in ('class="w ', "Shaded words", "words by weight", "strips", "an attribution describes"):
        assert part not in body


def test_every_kind_of_case_has_a_claim_to_be_shown(tmp_path):
    evidence = [case_of(f"kind {k}", weighed(f"text {k} {i}", "x", text=1.0)) for i in range(6) for k in range(3)]
    html = page_of(tmp_path, *evidence)
    assert [html.count(f"(kind {k})") for k in range(3)] == [5, 5, 5]
    assert "Shortened: 15 of 18 examples are shown here." in Page(html).words


def test_offensive_words_are_masked_in_strip_and_table_also_in_disguise(tmp_path):
    shown = weighed("This shit is sh1t, fuck it.", "x", shit=2.0, sh1t=-1.0, fuck=1.5)
    masked = page_of(tmp_path / "a", case_of("k", shown), case_of("k", shown, weighed("No shit.", "y", shit=1.0)))
    assert not re.search(r"shit|sh1t|fuck", masked)
    assert '<span class="w to4">s∗∗∗</span>' in masked
    assert '<span class="w off3">s∗1∗</span>' in masked
    assert "<td>s∗∗∗</td>" in masked
    opened = page_of(tmp_path / "b", case_of("k", shown), unmask=True)
    assert '<span class="w to4">shit</span>' in opened
    assert "<td>sh1t</td>" in opened


def test_texts_under_a_content_note_keep_strip_and_table_closed(tmp_path):
    html = page_of(tmp_path, case_of("k", weighed("a superb film", "x", superb=1.0), content_note="hateful language"))
    closed = html[html.index('<details class="sensitive">') :]
    inside = closed[: closed.index('<dl class="facts')]
    assert "superb" in inside
    assert "words by weight" in inside
    assert "superb" not in closed[len(inside) :]


def test_hostile_words_are_text_and_nothing_else(tmp_path):
    shown = weighed((HOSTILE, "{{7*7}} <b>"), HOSTILE, script=1.0, img=-1.0, b=0.5)
    html = page_of(tmp_path, case_of("k", shown), case_of("k", shown, weighed(HOSTILE, "x", alert=1.0)))
    page = Page(html)
    assert "img" not in {tag for tag, _ in page.tags}
    assert len(page.all("script")) == 1
    assert "{{7*7}}" in page.words
    assert "49" not in "".join(re.findall(r"<blockquote>.*?</blockquote>", html))
    assert not re.search("[\u202e\u200b\x1b]", html)


def test_a_text_of_a_megabyte_stays_small(tmp_path):
    big = "word " * 200_000
    shown = Shown(
        texts=(big,),
        answer="x",
        words=tuple(WordWeight(part=0, start=5 * i, end=5 * i + 4, weight=1.0 + i) for i in range(20_000)),
    )
    html = page_of(tmp_path, case_of("k", shown), case_of("k", shown, shown))
    assert len(html) < 400_000
    assert "19,992 more words" in html


def test_every_chapter_about_explanations_says_what_they_are_not(tmp_path):
    html = render(synthetic.explained(tmp_path)).decode("utf-8")
    said = f'<p class="note strong">{CAUTIONS["explanation"]}</p>'
    assert html.count(said) == html.count('<article class="chapter"') == 2
    for chapter in html.split('<article class="chapter"')[1:]:
        assert chapter.index(said) < chapter.index("<details"), "seen before the chapter is opened"
    assert CAUTIONS["explanation"].startswith("Not causal, and not a reason that may be given to a person")


def test_the_way_of_the_pieces_through_a_template():
    source = "{% import 'macros.html.j2' as m %}{{ m.pieces(parts) }}"
    (parts,) = strips(weighed("<b> good", "x", good=1.0), most=1.0, limits=Limits())
    assert environment(Limits()).from_string(source).render(parts=parts) == '&lt;b&gt; <span class="w to4">good</span>'


def test_what_the_probe_publishes_is_drawn(tmp_path):
    model = LinearModel({"superb": 4.0, "dull": -4.0}, symmetric=True, bias=-0.4)
    data = [
        Example.of(f"The {subject} was {word}, and we stayed.", gold=gold)
        for subject in ("film", "meal", "hotel", "phone")
        for word, gold in (("superb", "positive"), ("dull", "negative"))
    ]
    records = list(Examples().run(model, data, Context(probe="explanation.examples")))
    steps = [synthetic.Step("explanation.examples", "Explained examples", records)]
    html = render(synthetic.write(tmp_path, steps, [])).decode("utf-8")
    assert '<span class="w to4">superb</span>' in html
    assert '<span class="w to4">dull</span>' in html, "towards the answer given, which is negative"
    for kind in {record.slice["kind"] for record in records if isinstance(record, Evidence)}:
        assert f"({kind})" in html
