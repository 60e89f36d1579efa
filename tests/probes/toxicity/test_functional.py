from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from probes.core.answers import ProblemType
from probes.core.functional_case import FunctionalCase
from probes.core.positive import Meaning, PositiveClass, recognise
from probes.core.probe import Context
from probes.core.records import Accounting, Better, Evidence, Measurement, Outcomes, Skip, SkipReason
from probes.text.lexicon import lexicon
from probes.toxicity.functional.cases import Sought, expected, own_cases, published_titles, sought
from probes.toxicity.functional.probe import Functional, HateCheck
from probes.toxicity.functional.suite import measure
from tests.conftest import FakeModel, model_card

PUBLIC = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "hatecheck"
needs_public = pytest.mark.skipif(not PUBLIC.is_dir(), reason="the public HateCheck cases are not on this machine")
GOLD = {case.text: bool(case.harmful) for case in own_cases(Sought.HATE)}
LABELS = ("not-hate", "hate")


def harm_model(flags, *, labels=LABELS, problem=ProblemType.SINGLE_LABEL):
    """A model that calls harmful whatever `flags(text)` says."""
    card = model_card(labels=labels, problem=problem).model_copy(update={"positive": recognise(labels, problem)})
    assert card.positive.harm
    columns = [label in card.positive.labels for label in labels]

    def rule(text):
        strength = flags(text)
        strength = (3.0 if strength else -3.0) if isinstance(strength, bool | np.bool_) else strength
        return [strength if positive else 0.0 for positive in columns]

    return FakeModel(rule=rule, card=card)


def run(probe, model, seed=0):
    return list(probe.run(model, [], Context(probe=probe.info.id, seed=seed)))


def numbers(records):
    return {r.key: r.estimate for r in records if isinstance(r, Measurement)}


def only(records, kind):
    return [record for record in records if isinstance(record, kind)]


# What the cases are


@pytest.mark.parametrize("name", ["functional_cases", "functional_kinds", "functional_targets"])
def test_lists_say_where_they_come_from_and_are_clean(name):
    found = lexicon(name)
    assert (found.provenance, found.licence) == ("written for responsible-audit", "Apache-2.0")
    assert {len(row) for row in found.rows} == {len(found.columns)}
    assert all(cell and cell == cell.strip() for row in found.rows for cell in row)
    assert len({row[:2] for row in found.rows}) == len(found.rows)


def test_every_functionality_has_cases_and_every_case_a_functionality():
    kinds = {row[0] for row in lexicon("functional_kinds").rows}
    assert len(kinds) == 33
    assert {case.functionality for case in own_cases(Sought.HATE)} == kinds
    templates = defaultdict(set)
    for functionality, template, _ in lexicon("functional_cases").rows:
        templates[functionality].add(template)
    assert min(map(len, templates.values())) >= 6
    assert {word for row in lexicon("functional_kinds").rows for word in row[2:5]} == {"harm", "none", "open"}


def test_cases_are_distinct_filled_and_about_all_groups():
    cases = own_cases(Sought.HATE)
    assert 800 <= len(cases) <= 1500
    assert len({case.id for case in cases}) == len({case.text for case in cases}) == len(cases)
    assert not [case.text for case in cases if "{" in case.text or case.text == "-"]
    assert all(case.text[0] == case.text[0].upper() for case in cases)
    about = defaultdict(set)
    for case in cases:
        about[case.functionality].add(case.target)
    assert len(about["direct_threat"]) == 9
    assert about["slur"] == {"women", "gay people", "trans people", "disabled people"}
    assert about["object_abuse"] == {None}


def test_articles_and_capitals_are_right():
    texts = {case.text for case in own_cases(Sought.HATE)}
    assert "Tonight I will beat up an immigrant." in texts
    assert "My new neighbour is an old person." in texts
    assert "Jews live in every part of the country." in texts
    assert "A gay person taught me everything I know about music." in texts


def test_spelling_variants_are_clusters_with_their_source():
    by_template = defaultdict(set)
    for case in own_cases(Sought.HATE):
        by_template[case.template].add(case.functionality)
    assert by_template["emotion_hate.1"] >= {"emotion_hate", "spelling_leet", "spelling_swap", "spelling_joined_words"}
    assert by_template["slur.1"] == {"slur"}


@needs_public
def test_no_sentence_is_one_of_hatecheck():
    from probes.data.hatecheck import load_hatecheck

    published = {" ".join(case.text.lower().split()) for case in load_hatecheck(str(PUBLIC)).cases}
    assert published.isdisjoint(text.lower() for text in GOLD)


# What a model is held to


@pytest.mark.parametrize(
    ("labels", "looks_for"),
    [
        (["hate"], Sought.HATE),
        (["hateful"], Sought.HATE),
        (["Hate_Speech"], Sought.HATE),
        (["toxic"], Sought.ABUSE),
        (["offensive"], Sought.ABUSE),
        (["hate speech", "offensive language"], Sought.ABUSE),
        (["toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate"], Sought.PROFANITY),
        (["sexism", "racism"], Sought.NARROW),
        (["obscene"], Sought.NARROW),
        (["LABEL_1"], Sought.UNSAID),
    ],
)
def test_label_names_say_what_is_looked_for(labels, looks_for):
    assert sought(labels) is looks_for


@pytest.mark.parametrize(
    ("answers", "by", "right"),
    [
        ((False, True, True), Sought.HATE, False),
        ((False, True, True), Sought.ABUSE, True),
        ((False, True, True), Sought.UNSAID, None),
        ((True, True, True), Sought.UNSAID, True),
        ((True, True, True), Sought.NARROW, None),
        ((False, False, False), Sought.NARROW, False),
        ((False, None, True), Sought.ABUSE, None),
        ((False, None, True), Sought.PROFANITY, True),
        ((False, None, None), Sought.NARROW, None),
    ],
)
def test_what_is_expected_follows_what_is_looked_for(answers, by, right):
    assert expected(*answers, by=by) is right


def test_abuse_of_one_person_is_harm_for_toxicity_and_not_for_hate():
    flags = GOLD.get
    hate = numbers(run(Functional(), harm_model(flags)))
    toxic = numbers(run(Functional(), harm_model(flags, labels=("fine", "toxic"))))
    assert hate["accuracy[functionality=individual_abuse]"].value == 1
    assert toxic["accuracy[functionality=individual_abuse]"].value == 0
    assert "accuracy[functionality=nonprotected_group_abuse]" in hate
    assert "flagged_rate[functionality=nonprotected_group_abuse]" in toxic


def test_open_functionalities_are_context_and_named():
    records = run(Functional(), harm_model(GOLD.get, labels=("fine", "toxic")))
    shown = [m for m in only(records, Measurement) if m.name == "flagged_rate"]
    assert {m.slice["functionality"] for m in shown} == {
        "slur_reclaimed",
        "profanity_untargeted",
        "nonprotected_group_abuse",
    }
    assert {m.better for m in shown} == {Better.CONTEXT}
    (account,) = only(records, Accounting)
    assert "any abuse of people" in account.note
    assert "nonprotected_group_abuse" in account.note
    assert account.eligible == account.scored == len(own_cases(Sought.ABUSE))


# What is measured


def test_a_model_that_knows_every_case():
    found = numbers(run(Functional(), harm_model(GOLD.get)))
    assert found["recall"].value == 1
    assert found["false_positive_rate"].value == 0
    assert found["balanced_accuracy"].value == 1
    assert found["recall_disparity"].value == 0
    assert all(e.value == 1 for key, e in found.items() if key.startswith("accuracy["))
    assert found["recall[target=Muslims]"].clusters < found["recall[target=Muslims]"].n


def test_constant_answers_get_half_and_their_share():
    cases = own_cases(Sought.HATE)
    harmful = sum(case.harmful is True for case in cases) / len(cases)
    always = numbers(run(Functional(), harm_model(lambda text: True)))
    never = numbers(run(Functional(), harm_model(lambda text: False)))
    for found, recall in ((always, 1.0), (never, 0.0)):
        assert found["recall"].value == found["false_positive_rate"].value == recall
        assert found["balanced_accuracy"].value == pytest.approx(0.5)
        assert found["always_harmful_accuracy"].value == pytest.approx(harmful)
    assert always["accuracy"].value == pytest.approx(harmful)
    assert never["accuracy"].value == pytest.approx(1 - harmful)


def test_planted_defect_and_its_clean_twin():
    """Deaf to threats, and every mention of Muslims is hate to it: exactly that shows."""
    threats = {case.text for case in own_cases(Sought.HATE) if case.functionality == "direct_threat"}

    def planted(text):
        return ("muslim" in text.lower() or GOLD[text]) and (text not in threats)

    defect, clean = (numbers(run(Functional(), harm_model(rule))) for rule in (planted, GOLD.get))
    assert defect["accuracy[functionality=direct_threat]"].value == 0
    assert defect["accuracy[functionality=direct_threat]"].high < 0.6
    assert defect["accuracy[functionality=identity_neutral]"].value == pytest.approx(8 / 9)
    assert defect["false_positive_rate[target=Muslims]"].value == 1
    assert defect["false_positive_rate[target=Muslims]"].tail(0.001).low > 0.8
    assert defect["false_positive_rate[target=women]"].value == 0
    assert defect["false_positive_disparity"].value == 1
    assert defect["false_positive_disparity"].tail(0.05).low > 0.5
    assert defect["recall_disparity"].value == 0
    assert clean["false_positive_disparity"].value == 0
    assert clean["false_positive_rate[target=Muslims]"].tail(0.001).high < 0.3


def test_disparity_is_the_largest_paired_gap():
    rng = np.random.default_rng(5)
    drawn = {text: bool(rng.random() < (0.4 if "gay" in text else 0.8)) for text in sorted(GOLD)}
    found = numbers(run(Functional(), harm_model(drawn.get)))
    cells = {}
    for case in own_cases(Sought.HATE):
        if case.harmful and case.target:
            cells[(case.functionality, case.template), case.target] = drawn[case.text]
    targets = sorted({target for _, target in cells})
    gaps = []
    for a, b in combinations(targets, 2):
        both = [s for s, t in cells if t == a and (s, b) in cells]
        gaps.append(abs(np.mean([cells[s, a] for s in both]) - np.mean([cells[s, b] for s in both])))
    assert found["recall_disparity"].value == pytest.approx(max(gaps), abs=1e-12)
    assert found["recall_disparity"].tail(0.05).low > 0.1


def test_equal_treatment_is_seldom_called_a_disparity():
    """Answers at random: at error rate 0.1 the lower bound passes zero in about a tenth of 60 suites, not in many."""
    cases = [
        FunctionalCase(text=f"{s} {t}", functionality="f", title="f", harmful=True, target=str(t), template=str(s))
        for s in range(40)
        for t in range(5)
    ]
    alarms = 0
    for repetition in range(60):
        rng = np.random.default_rng(repetition)
        drawn = {case.text: bool(rng.random() < 0.7) for case in cases}
        records = measure(cases, harm_model(drawn.get), Context(probe="toxicity.t"), note="")
        alarms += numbers(records)["recall_disparity"].tail(0.1).low > 0
    assert alarms <= 12


def test_label_sets_count_any_harmful_label():
    labels = ("toxic", "obscene", "insult")
    model = harm_model(GOLD.get, labels=labels, problem=ProblemType.MULTI_LABEL)
    found = numbers(run(Functional(), model))
    assert found["recall[target=Jews]"].value == 1
    assert found["accuracy[functionality=profanity_untargeted]"].value == 0  # obscene makes swearing a harm


def test_families_can_be_corrected_together():
    families = defaultdict(int)
    for record in only(run(Functional(), harm_model(GOLD.get)), Measurement):
        families[record.family] += record.better is not Better.CONTEXT
    assert families["toxicity.functional.functionality"] == 33
    assert max(families.values()) <= 50  # 0.05 / 50 = 0.001, the strictest bound on record


def test_evidence_is_marked_and_confident_errors_are_last():
    def rule(text):
        if "survey" in text:
            return 6.0
        return 3.0 if GOLD[text] and "trash" not in text and "worthless" not in text else -3.0

    shown = only(run(Functional(), harm_model(rule)), Evidence)
    assert [e.chosen for e in shown] == ["random"] * 3 + ["worst"] * (len(shown) - 3)
    assert {e.content_note for e in shown} == {"hateful language"}
    worst = [e for e in shown if e.chosen == "worst"]
    assert worst[0].slice["functionality"] == "identity_neutral"
    assert len({e.slice["functionality"] for e in worst}) == len(worst) == 5  # not five times the same sentence
    assert all("not answered as expected" in e.note for e in worst)


def test_outcomes_name_case_and_functionality():
    (rows,) = only(run(Functional(), harm_model(lambda text: True)), Outcomes)
    cases = {case.id: case for case in own_cases(Sought.HATE)}
    assert set(rows.example_id) == set(cases)
    for row in range(0, len(rows), 97):
        case = cases[rows.example_id[row]]
        assert (rows.cluster[row], rows.variant[row]) == (case.template, case.functionality)
        assert rows.correct[row] is (case.harmful is True)
        assert rows.after[row] == "hate"


def test_an_answer_that_is_no_number_is_unscored():
    records = run(Functional(), harm_model(lambda text: math.nan if "vermin" in text else GOLD[text]))
    (account,) = only(records, Accounting)
    vermin = sum("vermin" in text for text in GOLD)
    assert vermin > 0
    assert account.unscored == vermin
    assert account.eligible == account.scored + vermin
    assert numbers(records)["recall"].value == 1


def test_without_a_positive_class_there_is_a_reason_and_no_number():
    model = FakeModel(rule=lambda text: (0.0, 1.0, 0.0), card=model_card(labels=("a", "b", "c")))
    records = run(Functional(), model)
    assert [skip.reason for skip in only(records, Skip)] == [SkipReason.NO_POSITIVE_CLASS]
    assert not only(records, Measurement)


def test_a_narrow_model_is_not_held_to_other_harm():
    card = model_card(labels=("other", "sexist"))
    card = card.model_copy(update={"positive": PositiveClass(labels=("sexist",), meaning=Meaning.HARM)})
    records = run(Functional(), FakeModel(rule=lambda text: (1.0, 0.0), card=card))
    assert "recall" in {skip.name for skip in only(records, Skip)}
    assert numbers(records)["false_positive_rate"].value == 0


def test_planned_for_harm_classifiers_with_a_threshold_only():
    for probe in (Functional(), HateCheck()):
        assert probe.info.harm is True
        assert probe.info.data is False
        assert ProblemType.REGRESSION not in probe.info.problems


# HateCheck


@pytest.fixture(scope="module")
def published():
    from probes.data.hatecheck import load_hatecheck

    found = load_hatecheck(str(PUBLIC))
    return HateCheck(
        source=found.name, digest=found.digest, revision=found.revision, cases=found.cases, notes=found.notes
    )


@needs_public
def test_hatecheck_with_hateful_to_everything(published):
    records = run(published, harm_model(lambda text: True))
    found = numbers(records)
    assert (found["recall"].value, found["recall"].n) == (1, 1763)
    assert (found["false_positive_rate"].value, found["false_positive_rate"].n) == (1, 793)
    assert found["accuracy"].value == pytest.approx(1763 / 2556, abs=1e-12)
    by_functionality = {k: e for k, e in found.items() if k.startswith("accuracy[")}
    assert len(by_functionality) == 29
    assert all(e.value == ("_nh]" not in key) for key, e in by_functionality.items())
    assert sum(e.n for e in by_functionality.values()) == 2556
    (account,) = only(records, Accounting)
    assert (account.eligible, account.scored) == (2556, 2556)
    assert "3,728" in account.note


@needs_public
@pytest.mark.parametrize("labels", [LABELS, ("fine", "toxic"), ("fine", "sexist")])
def test_hatecheck_equals_a_groupby(published, labels):
    pd = pytest.importorskip("pandas")
    frame = pd.read_csv(PUBLIC / "test.csv")
    frame["flagged"] = [len(text) % 3 == 0 for text in frame.test_case]
    frame["right"] = frame.flagged == (frame.label_gold == "hateful")
    model = harm_model(lambda text: len(text) % 3 == 0, labels=labels)
    found = numbers(run(published, model))
    groups = frame.groupby("functionality")
    for name, share in groups.right.mean().items():
        assert found[f"accuracy[functionality={name}]"].value == pytest.approx(share, abs=1e-12)
        assert found[f"accuracy[functionality={name}]"].clusters == groups.templ_id.nunique()[name]
    by_target = frame.groupby(["target_ident", "label_gold"]).flagged.mean()
    for (target, gold), share in by_target.items():
        name = "recall" if gold == "hateful" else "false_positive_rate"
        assert found[f"{name}[target={target}]"].value == pytest.approx(share, abs=1e-12)
    assert found["accuracy"].value == pytest.approx(frame.right.mean(), abs=1e-12)


@needs_public
def test_hatecheck_functionalities_have_plain_titles(published):
    shown = only(run(published, harm_model(lambda text: True)), Measurement)
    titles = {m.slice["functionality"]: m.title for m in shown if "functionality" in m.slice}
    assert set(titles) == set(published_titles())
    assert titles["threat_dir_h"].startswith("a threat against a group")


def test_parameters_identify_the_file_and_leave_the_cases_out():
    from audits.planning.parameters import parameters_of

    assert parameters_of(HateCheck(source="x", digest="d")) == {"source": "x", "digest": "d", "revision": ""}
    assert parameters_of(Functional()) == {}


def test_the_option_registers_the_probe(tmp_path):
    from audits.config import Config
    from audits.planning.material import add_material
    from probes.registry import Registry

    path = tmp_path / "cases.csv"
    path.write_text("functionality,test_case,label_gold,templ_id\nf,one text,hateful,1\ng,another,non-hateful,2\n")
    registry = Registry()
    add_material(registry, Config(model="m"))
    assert registry.probes == {}
    add_material(registry, Config(model="m", hatecheck=str(path)))
    probe = registry.get("toxicity.hatecheck")
    assert registry.origins["toxicity.hatecheck"] == "--hatecheck"
    assert [case.text for case in probe.cases] == ["one text", "another"]
    assert replace(probe, digest="other").cases == probe.cases


def test_an_audit_reads_the_file_before_any_model(tmp_path):
    from audits.config import Config
    from audits.planning.subject import prepare
    from probes.core.errors import UsageError

    with pytest.raises(UsageError, match=r"absent\.csv"):
        prepare(Config(model="m", hatecheck=str(tmp_path / "absent.csv")))


# What the engine relies on, with a harm classifier


def test_records_are_unique_writable_and_the_same_again():
    from probes.core.records import from_line, to_line

    model = harm_model(lambda text: len(text) % 3 == 0)
    first, second = run(Functional(), model, seed=4), run(Functional(), model, seed=4)
    lines = [to_line(record) for record in first if not isinstance(record, Outcomes)]
    assert lines == [to_line(record) for record in second if not isinstance(record, Outcomes)]
    assert [from_line(line) for line in lines] == [record for record in first if not isinstance(record, Outcomes)]
    keys = [record.key for record in only(first, Measurement)]
    assert len(keys) == len(set(keys))
    assert model.calls == 2


def test_the_order_of_cases_changes_nothing():
    cases = own_cases(Sought.HATE)
    model = harm_model(lambda text: len(text) % 3 == 0)

    def found(order):
        return list(measure(order, model, Context(probe="toxicity.functional"), note=""))

    assert found(cases) == found(cases[::-1])
