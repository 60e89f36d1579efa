"""Data of other kinds: where they come from, and which probes get them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from audits.cli import cli
from audits.config import Config, SuiteEntry
from audits.planning.domains import COLUMN, Domains, by_column, named
from audits.planning.plan import make_plan, sizes_of
from audits.planning.pools import Pools
from audits.planning.subject import prepare
from probes.core.errors import UsageError
from probes.core.examples import DataCard, Example
from probes.core.records import SkipReason
from tests import tiny_models
from tests.audits.gate.test_gate import manifest
from tests.audits.stubs import Stub, info, registry
from tests.conftest import model_card


def items(n: int, what: str, **of: str) -> list[Example]:
    return [Example.of(f"{what} {k}", gold="positive" if k % 2 else "negative", groups=of) for k in range(n)]


def card(n: int, **changes: object) -> DataCard:
    return DataCard(name="d", source="d.csv", fingerprint="x", n=n, labelled=n).model_copy(update=changes)


def some() -> Domains:
    return named(items(100, "film"), {"tweets": (items(60, "tweet"), card(60)), "news": (items(5, "news"), card(5))})


def test_the_same_text_in_two_domains_is_two_items():
    (film,) = items(1, "film")
    assert film.within("a").id != film.within("b").id != film.id
    assert film.within("a").cluster == film.cluster
    assert film.within("a") == film.within("a")


def test_a_sample_holds_as_many_of_each_domain():
    drawn = some().sample(20, seed=0)
    assert [sum(each.domain == name for each in drawn) for name in ("", "tweets", "news")] == [20, 20, 5]
    assert sum(each.gold == "positive" for each in drawn if not each.domain) == 10
    assert drawn == some().sample(20, seed=0)
    assert some().largest == 100


def test_only_probes_that_compare_domains_get_other_domains():
    data = items(100, "film")
    pools = Pools(data, some(), seed=0)
    own, compares, none = (
        Stub(info=info("a.one")),
        Stub(info=info("a.two", domains=True)),
        Stub(info=info("a.three", data=False)),
    )
    assert {each.domain for each in pools.sample(own, limit=30)} == {""}
    assert {each.domain for each in pools.sample(compares, limit=30)} == {"", "tweets", "news"}
    assert pools.sample(none, limit=30) == ()
    assert [pools.available(probe) for probe in (own, compares, none)] == [100, 100, 0]


def test_the_plan_counts_them_and_names_them():
    found = registry(info("a.one"), info("a.two", domains=True))
    config = Config(model="m", suite="mine", suites={"mine": (SuiteEntry(probes="*", items=40),)})
    made = make_plan(
        config, registry=found, model=model_card(), data=items(100, "film"), card=card(100), domains=some()
    )
    first, second = (step.planned for step in made.steps)
    assert (first.items, first.domains) == (40, ())
    assert (second.items, second.domains) == (85, ("tweets", "news"))
    assert made.calls == 40 + second.calls


def test_a_resumed_run_draws_the_same_items_of_every_domain():
    found = registry(info("a.one"), info("a.two", domains=True))
    given = {"registry": found, "model": model_card(), "data": items(100, "film"), "card": card(100), "domains": some()}
    cut = Config(model="m", suite="mine", suites={"mine": (SuiteEntry(probes="*", items=40),)})
    first = [step.planned for step in make_plan(cut, **given).steps]
    uncut = Config(model="m", suite="mine", suites={"mine": (SuiteEntry(probes="*"),)})
    again = make_plan(uncut, **given, sizes=sizes_of(manifest(first)))
    assert [step.planned for step in again.steps] == first
    assert [step.planned.items for step in make_plan(uncut, **given).steps] != [each.items for each in first]


def test_without_other_domains_the_plan_says_how_to_name_some():
    found = registry(info("a.one"), info("a.two", domains=True))
    config = Config(model="m", suite="mine", suites={"mine": (SuiteEntry(probes="*"),)})
    made = make_plan(config, registry=found, model=model_card(), data=items(50, "film"), card=card(50))
    (skip,) = made.skips
    assert skip.skip.reason is SkipReason.NO_DOMAINS
    assert "--shift" in skip.skip.enable
    assert skip.skip.reason.applicable


def by(**counts: int) -> list[Example]:
    return [each for name, n in counts.items() for each in items(n, name, domain=name)]


def test_a_column_called_domain_does_the_same():
    found = by_column(by(film=50, news=20, tweets=30), card(100), home=None)
    assert len(found.home) == 50
    assert {name: len(examples) for name, examples in found.others.items()} == {"news": 20, "tweets": 30}
    assert found.cards["news"].n == found.cards["news"].labelled == 20
    assert {each.domain for each in found.others["news"]} == {"news"}
    asked = by_column(by(film=50, news=20, tweets=30), card(100), home="news")
    assert set(asked.others) == {"film", "tweets"}


@pytest.mark.parametrize("empty", ["", "(missing)"])
def test_rows_without_a_domain_belong_to_none(empty):
    found = by_column([*by(film=5, news=3), *items(70, "stray", domain=empty)], card(78), home=None)
    assert len(found.home) == 5
    assert {name: len(examples) for name, examples in found.others.items()} == {"news": 3}
    assert found.notes[1] == "70 items have no domain and are compared with nothing"


def test_no_home_is_guessed_where_none_is_the_commonest():
    with pytest.raises(UsageError) as caught:
        by_column(by(film=5, news=5), card(10), home=None)
    assert "--in-domain" in caught.value.hint
    with pytest.raises(UsageError) as caught:
        by_column(by(film=5, news=3), card(8), home="flim")
    assert "film" in caught.value.hint
    assert not by_column(by(film=5), card(5), home=None)


def test_the_same_texts_under_another_name_are_refused_whatever_their_order_labels_and_number():
    home, tweets = items(100, "film"), items(60, "tweet")
    copies = [Example.of(each.text) for each in reversed(home)]
    for others, said in (
        ({"copy": copies}, "the data called copy hold exactly the same texts as the in-domain data"),
        ({"a": tweets, "b": [*tweets, *tweets]}, "the data called b hold exactly the same texts as those called a"),
    ):
        with pytest.raises(UsageError, match=said):
            named(home, {name: (examples, card(len(examples))) for name, examples in others.items()})
    assert named(home, {"nearly": ([*copies[1:], *tweets[:1]], card(100))})
    both = [Example.of(f"text {k}", groups={COLUMN: name}) for name in ("film", "copy") for k in range(20)]
    with pytest.raises(UsageError, match="called copy hold exactly"):
        by_column(both, card(40), home="film")


def test_texts_that_are_all_in_domain_are_no_other_kind_however_they_are_spaced():
    home = items(100, "film")
    part = [Example.of(f"  {each.text.replace(' ', '   ')}\t") for each in home[:40]]
    with pytest.raises(UsageError, match=r"hold nothing but texts of the in-domain data \(40 of 100\)"):
        named(home, {"part": (part, card(40))})
    stray = named(home, {"stray": (home[:3], card(3)), "again": (home[:3], card(3))})
    assert set(stray.others) == {"stray", "again"}, "probes refuse so few; the others are not to suffer for it"


def test_no_other_data_are_called_what_the_own_are_called():
    with pytest.raises(UsageError, match="cannot be called in-domain"):
        named(items(40, "film"), {"in-domain": (items(40, "tweet"), card(40))})
    mixed = [*by(film=50), *items(40, "own", domain="in-domain")]
    with pytest.raises(UsageError) as caught:
        by_column(mixed, card(90), home=None)
    assert "--in-domain" in caught.value.hint
    assert set(by_column(mixed, card(90), home="in-domain").others) == {"film"}


@pytest.mark.parametrize("name", ["a\nPASS everything", "a\tb", "\x1b[2J"])
def test_names_that_would_break_a_line_are_refused(name):
    with pytest.raises(UsageError, match="line breaks"):
        named(items(40, "film"), {name: (items(40, "tweet"), card(40))})


@pytest.mark.parametrize("name", ["a<b>&'\"x", "../../etc/passwd", "*", "[x=1,y]", "Ελληνικά", "n" * 300])
def test_other_odd_names_are_names(name):
    assert set(named(items(40, "film"), {name: (items(40, "tweet"), card(40))}).others) == {name}


def test_what_was_taken_as_in_domain_is_said_and_what_belongs_nowhere():
    guessed = by_column([*by(film=50, news=20), *items(7, "stray", domain="")], card(77), home=None)
    assert guessed.notes == (
        "probes that compare kinds of text take the domain 'film' as in-domain (50 items), because most items have it; "
        "--in-domain names another one",
        "7 items have no domain and are compared with nothing",
    )
    asked = by_column(by(film=50, news=20), card(70), home="news")
    assert asked.notes == ("probes that compare kinds of text take the domain 'news' as in-domain (20 items)",)


def rows(path: Path, n: int, what: str, **more: str) -> Path:
    lines = [json.dumps({"text": f"{what} {k}", "label": ("negative", "positive")[k % 2], **more}) for k in range(n)]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("tiny") / "model"
    return str(tiny_models.build("bert", folder, labels=("negative", "positive")))


def test_the_shifts_of_a_request_are_read_and_described(model, tmp_path):
    home, other = rows(tmp_path / "home.jsonl", 40, "film"), rows(tmp_path / "other.jsonl", 12, "tweet")
    subject = prepare(Config(model=model, data=str(home), shifts={"tweets": str(other)}))
    assert [each.domain for each in subject.domains.others["tweets"]] == ["tweets"] * 12
    assert (subject.domains.cards["tweets"].n, subject.domains.cards["tweets"].name) == (12, "tweets")
    assert len(subject.data) == 40


def test_a_shift_without_the_named_label_column_is_unlabelled_and_noted(model, tmp_path):
    home = tmp_path / "home.csv"
    home.write_text("text,gold\n" + "".join(f"a film {k},positive\n" for k in range(12)))
    other = rows(tmp_path / "other.jsonl", 12, "tweet")
    subject = prepare(Config(model=model, data=str(home), label_column="gold", shifts={"tweets": str(other)}))
    card = subject.domains.cards["tweets"]
    assert (subject.card.labelled, card.labelled) == (12, 0)
    assert any("no column 'gold'" in note for note in card.notes)
    with pytest.raises(UsageError, match="no column 'gold'"):
        prepare(Config(model=model, data=str(other), label_column="gold"))


def test_the_column_is_asked_for_by_name(model, tmp_path):
    home = rows(tmp_path / "home.jsonl", 10, "film", domain="film")
    with home.open("a") as more:
        more.write(rows(tmp_path / "other.jsonl", 4, "tweet", domain="tweets").read_text())
    columns = {"data": str(home), "group_columns": (COLUMN,)}
    assert set(prepare(Config(model=model, **columns)).domains.others) == {"tweets"}
    assert set(prepare(Config(model=model, **columns, in_domain="tweets")).domains.others) == {"film"}
    assert not prepare(Config(model=model, data=str(home))).domains
    assert "'film' as in-domain" in prepare(Config(model=model, **columns)).card.notes[0]
    for wrong in ({"in_domain": "film"}, {"in_domain": "film", "shifts": {"a": str(home)}}):
        with pytest.raises(UsageError):
            prepare(Config(model=model, data=str(home), **wrong))


def test_built_in_sentences_are_no_kind_of_text_that_a_model_was_made_for(model, tmp_path):
    other = rows(tmp_path / "other.jsonl", 40, "tweet")
    with pytest.raises(UsageError, match="none are given") as caught:
        prepare(Config(model=model, shifts={"tweets": str(other)}))
    assert "--data" in caught.value.hint


@pytest.mark.parametrize("value", ["tweets", "=a.csv", "tweets=", " =a.csv"])
def test_a_shift_has_a_name_and_a_place(value):
    result = CliRunner().invoke(cli, ["run", "--model", "m", "--shift", value])
    assert result.exit_code == 2
    assert "NAME=PATH" in result.output


def test_two_shifts_of_one_name_are_refused():
    result = CliRunner().invoke(cli, ["run", "--model", "m", "--shift", "a=x.csv", "--shift", "a=y.csv"])
    assert result.exit_code == 2
    assert "two data sets are called" in result.output


def test_items_that_are_only_compared_are_no_calls():
    found = registry(info("a.one"), info("a.two", domains=True, answers=False))
    config = Config(
        model="m", suite="mine", suites={"mine": (SuiteEntry(probes="a.one", items=40), SuiteEntry(probes="*"))}
    )
    made = make_plan(
        config, registry=found, model=model_card(), data=items(100, "film"), card=card(100), domains=some()
    )
    assert [step.planned.items for step in made.steps] == [40, 165]
    assert made.calls == 40


def test_a_limit_takes_nothing_from_what_is_only_compared():
    """Of two samples of 10 in 100, hardly any shared text is in both: a search for shared ones would find none."""
    found = registry(info("a.one", domains=True), info("a.two", domains=True, answers=False))
    config = Config(model="m", suite="mine", suites={"mine": (SuiteEntry(probes="*"),)}, limit=10)
    made = make_plan(
        config, registry=found, model=model_card(), data=items(100, "film"), card=card(100), domains=some()
    )
    assert [step.planned.items for step in made.steps] == [25, 165]
