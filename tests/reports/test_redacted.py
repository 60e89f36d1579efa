"""Personal data in a run: masked in the report and in every file for others, and nothing else is touched."""

from __future__ import annotations

import re

import pytest

from probes.core.findings import Status
from probes.core.records import Accounting, Better, Evidence, Measurement, Shown, Skip, SkipReason, Unit
from probes.core.run_folder import RunFolder
from probes.text.masking import MASK
from probes.text.personal import CHANGED
from reports import render
from reports.formats import FORMATS
from reports.load import load
from reports.redacted import redacted, without_personal
from reports.render import render_dir
from tests.reports import synthetic_run as synthetic
from tests.reports.test_render import Page

MAILS = ("jane.doe@mail.example", "jack.dow@mail.example")
"""Of one shape: masked they look the same."""
PHONE, CARD, ADDRESS = "+49 30 1234567", "4111 1111 1111 1111", "192.168.10.25"
SECRETS = (*MAILS, PHONE, "+49 30 1234568", CARD, ADDRESS, "@sam_b", "s3cr3t")
OWNER = "release-board@example.org"


def personal_run(folder) -> RunFolder:
    """Personal data wherever data or the model may put them; the owner of the policy is named on purpose."""
    first, second = MAILS
    before = f"Write to {first} or call {PHONE}, card {CARD}."
    words = synthetic.weighed(before, "billing", write=2.0, card=-1.0)
    records = [
        Accounting(eligible=5, scored=5, note=f"from {ADDRESS}"),
        *(
            Measurement(name="flip_rate", title=f"share of answers, {mail}", estimate=synthetic.share(hits, 40),
                        better=Better.LOWER, unit=Unit.PROPORTION, slice={"group": f"author={mail}"})
            for mail, hits in zip(MAILS, (3, 30), strict=True)
        ),
        Evidence(example_id="aaaa000011112222", chosen="random", shown=(words,), gold="@sam_b", note=f"like {second}"),
        Evidence(
            example_id="bbbb000011112222", chosen="worst",
            shown=(Shown(texts=(before,), answer="billing"),
                   Shown(texts=(before.replace("67,", "68,").replace("@mail.", "@mail,"),), answer="delivery")),
        ),
        Skip(reason=SkipReason.TOO_FEW, detail=f"Only 2 items of {second}.", name="flip_rate", slice={"group": second}),
    ]  # fmt: skip
    finding = synthetic.check("bias.groups", f"answers that change, {first}", status=Status.FAIL, maximum=0.1,
                              estimate=synthetic.share(30, 40), part={"group": f"author={first}"},
                              message=f"30 in 40 answers to {first} changed.")  # fmt: skip
    broken = synthetic.Step("bias.broken", "Broken", error=f"ValueError: no 'https://x.example/?token=s3cr3t' {PHONE}")
    steps = [synthetic.Step(probe="bias.groups", title="Groups", records=records), broken]
    return synthetic.write(
        folder, steps, [finding], exit_code=1, sentence="Blocked.", data=synthetic.data_card(notes=(f"see {first}",)),
        policy=f"{synthetic.POLICY}# approved by {OWNER}\n",
    )  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> RunFolder:
    return personal_run(tmp_path_factory.mktemp("personal"))


def outputs(run: RunFolder) -> dict[str, str]:
    made = {"report.html": render(run), **render_dir(run)}
    made |= {form.file: form.render(load(run)) for form in FORMATS.values()}
    return {name: content.decode("utf-8") for name, content in made.items()}


def test_no_personal_data_of_a_known_form_is_left_in_any_file(run):
    for name, text in outputs(run).items():
        assert [secret for secret in SECRETS if secret in text] == [], name


def test_unmasked_shows_all_of_it(run):
    page = Page(render(run, unmask=True).decode("utf-8"))
    assert [secret for secret in SECRETS if secret not in page.words.replace("\n", " ")] == []
    assert MASK not in page.words


def test_who_is_named_on_purpose_stays(run):
    assert OWNER in Page(render(run).decode("utf-8")).words


def test_masked_texts_stay_readable_and_their_changes_marked(run):
    html = render(run).decode("utf-8")
    assert "Write to j∗∗∗.∗∗∗@∗∗∗∗.∗∗∗∗∗∗∗ or call +4∗ ∗∗ ∗∗∗∗∗∗∗, card 4∗∗∗ ∗∗∗∗ ∗∗∗∗ ∗∗∗∗." in Page(html).words
    assert f"<ins>{CHANGED}</ins>, card" in html
    assert "j∗∗∗.∗∗∗@∗∗∗∗<ins>,</ins>∗∗∗∗∗∗∗ or" in html


def test_shaded_words_stand_where_they_stood(run):
    html = render(run).decode("utf-8")
    assert '<span class="w to4">Write</span> to j' in html
    assert re.search(r'∗, <span class="w off\d">card</span> 4∗∗∗', html)


def test_parts_of_the_data_that_look_alike_once_masked_are_told_apart(run):
    loaded = redacted(load(run))
    names = [r.slice["group"] for _, r in loaded.records() if isinstance(r, Measurement)]
    assert names == ["author=j∗∗∗.∗∗∗@∗∗∗∗.∗∗∗∗∗∗∗", "author=j∗∗∗.∗∗∗@∗∗∗∗.∗∗∗∗∗∗∗ (2)"]
    (finding,) = loaded.verdict.findings
    assert finding.slice["group"] == names[0]
    assert finding.check == f"bias.groups.flip_rate[group={names[0]}]"


def test_numbers_statuses_and_identifiers_do_not_change(run):
    before, after = load(run), redacted(load(run))
    assert [(f.status, f.estimate) for f in before.findings] == [(f.status, f.estimate) for f in after.findings]
    assert [r.example_id for _, r in before.records() if isinstance(r, Evidence)] == [
        r.example_id for _, r in after.records() if isinstance(r, Evidence)
    ]
    assert before.manifest.model == after.manifest.model


@pytest.mark.parametrize("told", sorted(set(synthetic.SITUATIONS) - {"hostile"}))
def test_a_run_without_personal_data_is_redacted_to_itself(told, tmp_path):
    loaded = load(synthetic.SITUATIONS[told](tmp_path / "run"))
    again = redacted(loaded)
    assert [r for _, r in again.records()] == [r for _, r in loaded.records()]
    assert list(again.findings) == list(loaded.findings)


def test_twice_is_once(run):
    once = without_personal(load(run))
    assert [r for _, r in without_personal(once).records()] == [r for _, r in once.records()]
    assert not [r for _, r in once.records() if isinstance(r, Evidence)]
