"""Chapters that say something about all tests together: card, groups, explanations, quality, change, attempts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from probes.core.audit_card import AuditCard
from probes.core.findings import Level, Status
from probes.core.manifest import PlannedSkip
from probes.core.records import Better, Skip, SkipReason, Unit
from reports.attempts import attempt_number, attempts_sentence, attempts_table, judged_at
from reports.baseline import BETTER, UNCLEAR, WORSE, change, direction
from reports.declared import NOT_DECLARED, declared
from reports.explanations import explanations
from reports.group_overview import group_overview
from reports.limits import Limits
from reports.load import load
from reports.page import page
from reports.quality import quality
from reports.ranking import ranked
from tests.reports import synthetic_run as synthetic
from tests.reports.synthetic_run import Step, measured, moved, plain, share

LIMITS = Limits()


@pytest.fixture(scope="module")
def rich(tmp_path_factory):
    return load(synthetic.rich(tmp_path_factory.mktemp("rich"), perturbations=3))


@pytest.fixture(scope="module")
def passing(tmp_path_factory):
    return load(synthetic.passing(tmp_path_factory.mktemp("passing")))


def run_with(folder, *steps, **changes):
    return load(synthetic.write(folder, list(steps), [], **changes))


def cells(table):
    return [[(cell.text, cell.sub) for cell in row.cells] for row in table.rows]


def test_the_card_prints_what_was_declared_and_every_gap(rich, passing):
    card = declared(rich)
    facts = {fact.name: fact.value for fact in (*card.model, *card.audit)}
    assert facts["People affected"] == "customers who write in a second language; customers who dictate"
    assert facts["Conflicts of interest"] == NOT_DECLARED
    assert card.summary.startswith("13 of 19 statements, declared by M. Example on 2026-11-19.")
    empty = declared(passing)
    assert {fact.value for fact in (*empty.model, *empty.audit)} == {NOT_DECLARED}
    assert "0 of 19 statements" in empty.summary
    assert "`card` of audit.yaml" in empty.summary


def test_the_card_leaves_out_no_field_that_is_not_told_elsewhere():
    told_elsewhere = {"instruments", "declared_by", "declared_on"}
    filled = AuditCard(**{
        name: (f"said {name}",) if isinstance(field.default, tuple) else f"said {name}"
        for name, field in AuditCard.model_fields.items()
    })  # fmt: skip

    class Manifest:
        card = filled

    class Loaded:
        manifest = Manifest

    card = declared(Loaded)  # type: ignore[arg-type]
    told = {fact.value for fact in (*card.model, *card.audit)}
    assert told == {f"said {name}" for name in AuditCard.model_fields if name not in told_elsewhere}


def test_groups_are_told_with_what_is_unknown_and_who_was_left_out(rich):
    section = group_overview(rich, ranked(rich.findings, titles=rich.titles), limits=LIMITS)
    assert section.lead.startswith("2 comparisons of groups. Declared as affected by the model: customers who write")
    by_name = {row.cells[0].text: row for row in section.tables[0].rows}
    language = by_name["Language"]
    assert language.cells[1].badge.word == "Waived"
    assert language.cells[1].anchor == "probe-bias-groups"
    assert (language.cells[2].text, language.cells[2].sub) == ("3", "26 to 400 items each")
    assert language.cells[3].text == "40.4%"
    assert (language.cells[4].text, language.cells[4].sub) == ("+15 pp (+6 to +24 pp)", "gap")
    assert language.cells[5].text == "sign language"
    channel = by_name["Channel"]
    assert (channel.cells[1].badge.word, channel.cells[2].text) == ("Inconclusive", "3")
    assert channel.cells[2].sub == "240 items each"


def test_without_groups_nothing_is_known_of_people(tmp_path):
    loaded = run_with(tmp_path, Step("r.a", "A", [measured("x", "x", share(1, 40))]))
    section = group_overview(loaded, (), limits=LIMITS)
    assert section.tables == ()
    assert "Nothing is known about differences between people" in section.lead
    assert "by channel" in section.lead


def swaps(axis="gender", source="templates"):
    """What a test publishes that puts words for one group in place of those for another."""
    whole, pair = {"axis": axis, "source": source}, {"axis": axis, "source": source, "pair": "women vs men"}
    return [
        measured("disparity", "largest score gap, women over men", plain(0.14, 0.09, n=60), unit=Unit.DIFFERENCE,
                 **whole),
        measured("flip_rate", "share of answers that change", share(4, 60), **whole),
        measured("pair_flip_rate", "share of answers that change", share(3, 40), **pair),
        Skip(reason=SkipReason.TOO_FEW, detail="2 texts.", slice={**whole, "pair": "women vs non-binary people"}),
    ]  # fmt: skip


def test_swapped_identities_compare_groups_though_the_data_name_none(tmp_path):
    data = synthetic.data_card(groups=())
    judged = synthetic.check(
        "bias.counterfactual", "gap", status=Status.INCONCLUSIVE, estimate=plain(0.14, 0.09, n=60), maximum=0.1,
        unit=Unit.DIFFERENCE, name="disparity", part={"axis": "gender", "source": "templates"},
    )  # fmt: skip
    words = measured("effect_size", "association", plain(0.3, 0.1), unit=Unit.SCORE, axis="age", pair="young vs old")
    steps = [
        Step("bias.counterfactual", "Swapped identities", swaps()),
        Step("bias.embedding", "Associations in embeddings", [words]),
    ]
    loaded = load(synthetic.write(tmp_path, steps, [judged], data=data))
    section = group_overview(loaded, ranked(loaded.findings, titles=loaded.titles), limits=LIMITS)
    assert section.lead.startswith("1 comparison of identities by the words for them. The data name no groups, so ")
    assert "No test of this run compared groups" not in section.lead
    (table,) = section.tables
    (row,) = table.rows
    assert (row.cells[0].text, row.cells[0].sub) == ("Gender, in templates", "Swapped identities")
    assert (row.cells[1].badge.word, row.cells[1].anchor) == ("Inconclusive", "probe-bias-counterfactual")
    assert (row.cells[2].text, row.cells[2].sub) == ("1", "40 items each")
    assert (row.cells[3].text, row.cells[3].sub) == ("+14 pp (+5 to +23 pp)", "disparity")
    assert row.cells[4].text == "women vs non-binary people"


def test_explanations_are_questioned_and_lead_to_their_chapters(tmp_path):
    section = explanations(load(synthetic.explained(tmp_path)), limits=LIMITS)
    assert section.lead.startswith("Not causal, and not a reason that may be given to a person")
    assert [link.text for link in section.links] == ["Explained examples", "Faithfulness of the explanations"]
    asked = cells(section.tables[0])
    assert asked[0][0][0] == "Do the weights add up to the answer?"
    assert asked[0][1] == ("Share of texts whose weights add up to within 1%", "Explained examples")


def test_without_explanations_the_reason_is_given(rich, passing):
    assert explanations(rich, limits=LIMITS).lead.endswith("The model gives no gradients.")
    assert explanations(passing, limits=LIMITS).lead.endswith("what the answers hang on.")


def test_quality_lists_what_rests_on_little_and_what_stands_in_two_data_sets(rich):
    section = quality(rich, limits=LIMITS)
    tables = {table.caption: table for table in section.tables}
    assert "1 of them rests on fewer than 30 independent items." in section.lead
    few = cells(tables["Numbers that rest on fewer than 30 independent items"])
    assert few == [[("Comparison of groups", "language, dictated"), ("Share of favourable answers", ""), ("26", ""),
                    ("wilson", "")]]  # fmt: skip
    overlap = cells(tables["Texts in more than one data set"])
    assert overlap[0][2] == ("3.0%", "1.7% to 5.2%")
    facts = {fact.name: fact.value for fact in section.facts}
    assert facts["Texts in more than one data set"].startswith("Compared;")
    assert facts["Like the data in use?"].startswith("Not declared")
    assert "No test of this run published how often a scorer" in facts["Errors of scorers"]


def test_tests_with_the_same_figures_share_a_row(rich):
    scope = next(table for table in quality(rich, limits=LIMITS).tables if table.caption == "What the numbers rest on")
    shared = next(row for row in scope.rows if row.cells[0].text.startswith("Keyboard typos"))
    assert [cell.text for cell in shared.cells] == [
        "Keyboard typos, Dropped letters, Swapped letters", "16", "items like these", "872 to 4,360", "872",
        "wilson; cluster bootstrap (BCa, 2000)",
    ]  # fmt: skip


def test_a_scorer_that_publishes_its_errors_is_told_with_them(tmp_path):
    fixed = plain(0.5, 0.1).model_copy(update={"estimand": "fixed_set"})
    records = [
        measured("scorer_sensitivity", "harmful texts it finds", share(80, 100), better=Better.HIGHER),
        measured("specificity", "harmless texts it lets pass", share(95, 100), better=Better.HIGHER),
        measured("rate", "rate", fixed),
    ]
    section = quality(run_with(tmp_path, Step("toxicity.scorer", "Scorer", records)), limits=LIMITS)
    rows = cells(next(table for table in section.tables if table.caption == "How often scorers are wrong"))
    assert [row[1][0] for row in rows] == ["Harmful texts it finds", "Harmless texts it lets pass"]
    assert "2 are about items like those tested and 1 about exactly these items" in section.lead
    assert "which every number that rests on it inherits" in section.facts[1].value


def test_overlap_that_was_not_looked_at_is_told_with_the_reason(tmp_path, passing):
    skip = Skip(reason=SkipReason.NO_DOMAINS, detail="There is no other data.")
    planned = PlannedSkip(probe="shift.overlap", risk="shift", title="Overlap", skip=skip)
    for loaded, expected in (
        (passing, "Not compared in this run."),
        (run_with(tmp_path / "a", skips=[planned]), "Not compared in this run. There is no other data."),
        (run_with(tmp_path / "b", Step("shift.overlap", "Overlap", [skip])),
         "Not compared in this run. There is no other data."),
    ):  # fmt: skip
        facts = {fact.name: fact.value for fact in quality(loaded, limits=LIMITS).facts}
        assert facts["Texts in more than one data set"] == expected


@pytest.mark.parametrize(
    ("value", "half", "better", "expected"),
    [
        (0.03, 0.01, Better.LOWER, WORSE),
        (0.03, 0.01, Better.HIGHER, BETTER),
        (-0.03, 0.01, Better.LOWER, BETTER),
        (-0.03, 0.01, Better.HIGHER, WORSE),
        (0.03, 0.04, Better.LOWER, UNCLEAR),
        (0.03, 0.01, Better.CONTEXT, UNCLEAR),
        (0.0, 0.0, Better.LOWER, UNCLEAR),
    ],
)
def test_worse_is_said_only_where_the_interval_shows_it(value, half, better, expected):
    assert direction(moved("x", "x", value, half, better)) == expected


def test_the_change_since_the_baseline_counts_and_orders(rich, passing):
    section = change(rich, limits=LIMITS)
    assert section.lead.startswith(
        "2 tests of 3 give numbers that a policy may judge against the baseline, item by item: 1 number shown"
    )
    assert [row.cells[5].badge for row in section.tables[0].rows] == [WORSE, UNCLEAR, BETTER]
    assert cells(section.tables[1]) == [[("Calibration", ""), ("The probe has another version.", "")]]
    assert change(passing, limits=LIMITS).lead.startswith("No earlier run was named as a baseline")


def test_attempts_are_counted_told_and_listed(rich):
    assert attempt_number(rich) == "2 under this policy, and tried under 1 other policy"
    assert attempts_sentence(rich).startswith("1 other run of this model under this policy came before this result; ")
    table = attempts_table(rich, limits=LIMITS)
    rows = cells(table)
    assert [row[3][0] for row in rows] == [
        "Gate passed, 2026-11-10T08:31:00Z", "Not judged", "Blocked, 2026-11-20T12:05:44Z",
    ]  # fmt: skip
    assert [row[2][1] for row in rows] == ["another policy", "the same policy", "the same policy"]
    assert [row[0][1] for row in rows] == ["", "", "this run"]
    assert judged_at(rich) == "2026-11-20T12:05:44Z"


def test_where_no_ledger_was_kept_it_is_said(passing):
    assert attempt_number(passing) == "not recorded"
    assert attempts_sentence(passing).startswith("No ledger of attempts was kept")
    assert attempts_table(passing, limits=LIMITS) is None
    assert judged_at(passing) == ""


def test_the_first_attempt_is_no_reassurance(rich):
    only = replace(rich, attempts=rich.attempts.model_copy(update={"attempts": rich.attempts.attempts[2:]}))
    assert attempt_number(only) == "1 under this policy"
    assert "the first run of this model under this policy that the ledger knows" in attempts_sentence(only)


def test_declared_risks_and_the_end_of_the_report_are_limitations(rich, passing):
    shown = page(rich, limits=LIMITS)
    declared_risks = next(table for table in shown.limitations if table.caption.endswith("as declared"))
    assert cells(declared_risks)[1] == [("Messages in Spanish: product owner", "")]
    assert shown.expiry == "Declared: not to be relied upon after 2027-05-01."
    without = page(passing, limits=LIMITS)
    assert without.expiry == "No day was declared on which it ends."
    assert any("Nobody declared which ones" in row.cells[1].text for row in without.limitations[0].rows)


def test_results_say_how_far_each_number_is_from_its_threshold(rich):
    rows = {row.cells[0].text: row for risk in page(rich, limits=LIMITS).results for row in risk.checks.rows}
    assert rows["Calibration error"].cells[3].sub == "0.009 beyond"
    assert rows["Quality of the answers: Mean F1 over the classes"].cells[3].sub == "4.3 pp inside"


def test_what_was_measured_stands_before_what_was_not(tmp_path):
    step = Step("performance.quality", "Quality", synthetic.quality_records())
    missing = [
        synthetic.check(f"performance.p{k}", "x", status=Status.NOT_RUN, message="Not selected.") for k in range(3)
    ]
    warned = synthetic.check(
        "performance.quality", "accuracy", status=Status.PASS, estimate=share(90, 100), minimum=0.5, level=Level.WARN
    )
    loaded = load(synthetic.write(tmp_path, [step], [*missing, warned], exit_code=4))
    rows = page(loaded, limits=LIMITS).results[0].checks.rows
    assert [row.cells[1].badge.word for row in rows] == ["Pass", "Not run", "Not run", "Not run"]


def test_results_say_what_so_much_data_could_show(rich):
    table = next(risk.checks for risk in page(rich, limits=LIMITS).results if risk.risk == "robustness")
    row = next(row for row in table.rows if row.cells[0].text.endswith("Any change flips the answer"))
    assert row.cells[5].text == "872"
    assert row.cells[5].sub == "shows 4.3 pp"
    assert "with a chance of 80%" in table.note


def test_results_show_the_change_since_the_baseline_of_the_same_number(rich, passing):
    tables = [risk.checks for risk in page(rich, limits=LIMITS).results]
    assert all("Change since baseline" in [column.text for column in table.columns] for table in tables)
    rows = {row.cells[0].text: row.cells[4] for table in tables for row in table.rows}
    changed = {name: (cell.text, cell.sub) for name, cell in rows.items() if cell.text != "–"}
    assert changed == {"Keyboard typos: share of answers that changed": ("\u22122.0 pp", "\u22123.1 to \u22120.9 pp")}
    without = page(passing, limits=LIMITS).results[0].checks
    assert "Change since baseline" not in [column.text for column in without.columns]


def test_a_unit_of_scores_keeps_its_digits(tmp_path):
    loaded = run_with(tmp_path, Step("r.a", "A", [measured("x", "x", plain(3.2, 0.4), unit=Unit.SCORE)]))
    assert quality(loaded, limits=LIMITS).lead.startswith("1 number in all")
