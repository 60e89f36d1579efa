"""What may hurt a reader: masked words, closed cases, and the switch that shows everything."""

from __future__ import annotations

import re

import pytest

from probes.core.findings import Status
from probes.core.records import Accounting, Better, Evidence, Measurement, Shown, Unit
from probes.text.masking import MASK
from reports import render, write_report
from reports.cases import CLOSED
from reports.limits import LADDER
from reports.render import environment
from tests.reports import synthetic_run as synthetic
from tests.reports.test_render import Page

NOTE = "hateful language"
COMMAND = "audit report RUN --unmask"


def offensive_run(folder):
    shown = (
        Shown(texts=("This shit is late.",), answer="billing", confidence=0.9),
        Shown(texts=("This sh1t is l@te.",), answer="delivery", confidence=0.6),
    )
    records = [
        Accounting(eligible=5, scored=5, note="a shitty batch"),
        Measurement(
            name="flip_rate", title="share of answers", estimate=synthetic.share(2, 40), better=Better.LOWER,
            unit=Unit.PROPORTION, slice={"word": "bullshit"},
        ),
        Evidence(example_id="aaaa000011112222", chosen="random", shown=shown, gold="billing", note="about a whore"),
        Evidence(example_id="bbbb000011112222", chosen="worst", shown=shown, content_note=NOTE),
    ]  # fmt: skip
    finding = synthetic.check("toxicity.evasion", "Fuck", status=Status.FAIL, message="9 in 10 answers say fuck.")
    step = synthetic.Step(probe="toxicity.evasion", title="Evasion", records=records)
    return synthetic.write(folder, [step], [finding], exit_code=1, sentence="Blocked by a shitstorm of shit.")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return offensive_run(tmp_path_factory.mktemp("offensive"))


@pytest.fixture(scope="module")
def masked(run):
    return render(run).decode("utf-8")


@pytest.fixture(scope="module")
def unmasked(run):
    return render(run, unmask=True).decode("utf-8")


def test_no_listed_word_is_left_anywhere(masked):
    words = Page(masked).words
    assert not re.search(r"\b(shit|sh1t|shitty|bullshit|whore|fuck)\b", masked, re.IGNORECASE)
    for shown in ("s∗∗∗ is late", "a s∗∗∗∗∗ batch", "b∗∗∗∗∗∗∗", "about a w∗∗∗∗", "say f∗∗∗", "F∗∗∗"):
        assert shown in words


def test_marks_of_changes_do_not_bring_a_word_back(masked):
    after = next(line for line in masked.splitlines() if "<ins>" in line)
    assert "s∗<ins>1</ins>∗ is l<ins>@</ins>te." in after


def test_unmasked_shows_every_word_and_opens_the_cases(unmasked):
    words = Page(unmasked).words
    for shown in ("shit is late", "a shitty batch", "bullshit", "about a whore", "say fuck", "shitstorm"):
        assert shown in words
    assert MASK not in words.replace("∗ masks", "")
    assert '<details class="sensitive" open>' in unmasked


def test_a_case_with_a_content_note_is_closed_and_the_others_are_not(masked):
    assert masked.count('<details class="sensitive">') == 1
    closed = masked[masked.index('<details class="sensitive">') :]
    closed = closed[: closed.index("</details>")]
    assert f"<summary>Content note: {NOTE}. <span" in closed
    assert "Show the texts." in closed
    assert "∗ is l<ins>@</ins>te" in closed
    assert "bbbb000011112222" not in closed, "the item must be named on paper, where the texts are not"
    assert CLOSED in Page(masked).words


def test_both_say_what_they_are_and_how_to_get_the_other(masked, unmasked):
    assert COMMAND in Page(masked).words
    assert "made with --unmask" in Page(unmasked).words


def test_print_and_the_button_leave_closed_cases_closed(masked):
    page = Page(masked)
    style, script = "".join(page.raw["style"]), "".join(page.raw["script"])
    printed = style[style.index("@media print") :]
    assert re.search(r"details\.sensitive:not\(\[open\]\)::details-content \{[^}]*display: none", printed)
    assert "details:not([open]):not(.sensitive)" in script


def test_the_same_run_gives_the_same_bytes_with_and_without_the_switch(run, masked, unmasked):
    assert render(run).decode("utf-8") == masked
    assert render(run, unmask=True).decode("utf-8") == unmasked != masked
    assert write_report(run, unmask=True).read_text(encoding="utf-8") == unmasked
    assert write_report(run).read_text(encoding="utf-8") == masked


def test_a_report_without_offensive_words_is_masked_to_itself(tmp_path):
    def body(html):
        return html[: html.index('<section id="reading"')]

    run = synthetic.passing(tmp_path)
    assert body(render(run).decode()) == body(render(run, unmask=True).decode())


def test_every_string_a_template_prints_is_masked():
    source = "{{ x }} {{ x ~ '!' }}"
    assert environment(LADDER[0]).from_string(source).render(x="shit") == "s∗∗∗ s∗∗∗!"
    assert environment(LADDER[0], masked=False).from_string(source).render(x="shit") == "shit shit!"


def test_the_content_security_policy_is_never_masked(masked, unmasked):
    for html in (masked, unmasked):
        policy = Page(html).all("meta")[1]["content"]
        assert MASK not in policy
        assert len(re.findall(r"'sha256-[A-Za-z0-9+/]{43}='", policy)) == 2
