from __future__ import annotations

import random
import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.core.examples import Example
from probes.core.positive import Meaning, PositiveClass
from probes.text import mentions, senses
from probes.text.grammar import Words
from probes.text.identity import AXES, names, read_terms, table
from probes.text.pronouns import OBJECT, POSSESSIVE, kind_of_her
from probes.text.swaps import NO_CONTROL, NO_COUNTERPART, SEVERAL_GROUPS, may_swap, swaps_of
from tests.conftest import model_card

DATA = Path(__file__).resolve().parents[3] / ".." / "shared" / "data"


def swap(text, axis, **kwargs):
    return swaps_of(text, table(axis), rng=random.Random(1), names=names(axis), **kwargs)


def crossed(text, axis, target):
    return {s.target: s.text for s in swap(text, axis).swaps if not s.control}.get(target)


def control(text, axis):
    return next((s.text for s in swap(text, axis).swaps if s.control), None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("He lost his keys and blamed himself.", "She lost her keys and blamed herself."),
        ("The car is his, we told him.", "The car is hers, we told her."),
        ("he's fine and he'll stay", "she's fine and she'll stay"),
        ("HE IS A GOOD MAN", "SHE IS A GOOD WOMAN"),
        ("My father is an actor.", "My mother is an actress."),
        ("Two policemen met a waiter", "Two policewomen met a waitress"),
        ("Mr. Hutchins, sir, the king's men are here", "Ms. Hutchins, madam, the queen's women are here"),
        ("the actors' union and the boy's hat", "the actresses' union and the girl's hat"),
        ("his father-in-law's in-laws", "her mother-in-law's in-laws"),
        ("a hero of his time", "a heroine of her time"),
        ("An uncle came with an heir", "An aunt came with an heiress"),
        ("#men are here", "#women are here"),
    ],
)
def test_gender_from_male(text, expected):
    assert crossed(text, "gender", "female") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("She gave her sister her own room; it is hers.", "He gave his brother his own room; it is his."),
        ("We told her that her mother called", "We told him that his father called"),
        ("My wife is an actress and she loves her job.", "My husband is an actor and he loves his job."),
        ("Her voice. I love her!", "His voice. I love him!"),
        ("Women's rights and ladies' shoes", "Men's rights and gentlemen's shoes"),
        ("Mrs Smith met a businesswoman", "Mr Smith met a businessman"),
        ("an abbess", "an abbot"),
    ],
)
def test_gender_from_female(text, expected):
    assert crossed(text, "gender", "male") == expected


@pytest.mark.parametrize(
    ("text", "axis", "target", "expected"),
    [
        ("A Muslim prayed in the mosque.", "religion", "jewish", "A Jew prayed in the synagogue."),
        ("muslims are people", "religion", "christian", "christians are people"),
        ("MUSLIMS ARE PEOPLE", "religion", "atheist", "ATHEISTS ARE PEOPLE"),
        ("an atheist's view of atheism", "religion", "muslim", "a Muslim's view of Islam"),
        ("anti-Muslim laws", "religion", "jewish", "anti-Jewish laws"),
        ("a Muslim-owned shop", "religion", "hindu", "a Hindu-owned shop"),
        ("She is Jewish.", "religion", "buddhist", "She is Buddhist."),
        ("A young Muslim said hello", "religion", "jewish", "A young Jew said hello"),
        ("Muslims. Atheists", "religion", "jewish", None),
        ("a Catholic priest", "religion", "muslim", "a Muslim imam"),
        ("#Muslims", "religion", "hindu", "#Hindus"),
        ("#Americans", "nationality", "chinese", "#ChinesePeople"),
        ("Americans' rights", "nationality", "chinese", "Chinese people's rights"),
        ("An American went home to America.", "nationality", "british", "A British person went home to Britain."),
        ("a German car, an Indian car", "nationality", "german", None),
        ("a British car", "nationality", "american", "an American car"),
        ("American food's great", "nationality", "iranian", "Iranian food's great"),
        ("#Germany", "nationality", "india", None),
        ("Black people and black coffee", "race_ethnicity", "white", "White people and black coffee"),
        ("a black man", "race_ethnicity", "asian", "an asian man"),
        ("They met a black man.", "race_ethnicity", "asian", "They met an Asian man."),
        ("white people wrote a white paper", "race_ethnicity", "black", "Black people wrote a white paper"),
        ("an old man saw an old film", "age", "young", "a young man saw an old film"),
        ("I am old, she said", "age", "young", "I am young, she said"),
        ("the elderly need care", "age", "young", "the young need care"),
        ("a blind student on a blind date", "disability", "autistic", "an autistic student on a blind date"),
        ("people with disabilities", "disability", "wheelchair_user", "people who use wheelchairs"),
        ("a person who is deaf", "disability", "autistic", "a person with autism"),
        ("He is blind.", "disability", "deaf", "He is deaf."),
        ("an openly gay man", "sexual_orientation", "bisexual", "an openly bisexual man"),
        ("a lesbian", "sexual_orientation", "straight", "a straight person"),
        ("straight people go straight home", "sexual_orientation", "gay", "gay people go straight home"),
        ("Trans women are women", "gender_identity", "cisgender", "Cis women are women"),
        ("a trans person", "gender_identity", "non_binary", "a nonbinary person"),
        ("Tax the rich!", "socioeconomic_status", "poor", "Tax the poor!"),
        ("poor families eat poor food", "socioeconomic_status", "rich", "rich families eat poor food"),
        ("a working-class man", "socioeconomic_status", "middle_class", "a middle-class man"),
    ],
)
def test_other_axes(text, axis, target, expected):
    assert crossed(text, axis, target) == expected


@pytest.mark.parametrize(
    ("text", "axis"),
    [
        ("The theme of manhood in Manchester: heed sheer herring", "gender"),
        ("mail @she or visit https://she.example.org/women", "gender"),
        ("I miss you, you guys", "gender"),
        ("Oh boy, that was good. Man this rocks", "gender"),
        ("Then King and Bishop star in it", "gender"),
        ("all are fine, but Bishop stands out", "religion"),
        ("Will you go in May, Grace permitting? Mark my words", "gender"),
        ("black coffee on a white table, a white paper", "race_ethnicity"),
        ("black is my favourite colour", "race_ethnicity"),
        ("Christian is my friend. Christian Bale too", "religion"),
        ("polish the shoes", "nationality"),
        ("french fries with turkey", "nationality"),
        ("an old film, old wine and the old days", "age"),
        ("he is 16 years old, a 16-year-old young boy", "age"),
        ("a blind date, a blind spot, the blind side", "disability"),
        ("go straight ahead, straight from the heart", "sexual_orientation"),
        ("white supremacists and white trash", "race_ethnicity"),
        ("black lives matter", "race_ethnicity"),
        ("Lady Macbeth", "gender"),
        ("poor quality and rich flavour", "socioeconomic_status"),
        ("my poor mother, that poor woman", "socioeconomic_status"),
        ("San Francisco, Lake Victoria", "race_ethnicity"),
        ("nothing to see", "religion"),
        ("", "gender"),
    ],
)
def test_ordinary_words_are_no_mentions(text, axis):
    done = swap(text, axis)
    assert done.swaps == ()
    assert done.dropped == {}


@pytest.mark.parametrize(
    ("text", "axis", "reason"),
    [
        ("He met his wife", "gender", SEVERAL_GROUPS),
        ("a he-man and his dog", "gender", mentions.COMPOUND),
        ("She wants her back", "gender", senses.AMBIGUOUS_PRONOUN),
        ("A pregnant woman", "gender", mentions.SEXED),
        ("He voted for Hillary Clinton", "gender", mentions.OTHER_NAME),
        ("she says that she loves Aunt May Parker", "gender", senses.PROPER),
        ("French and Chinese cars", "nationality", SEVERAL_GROUPS),
        ("Only the Chinese knew", "nationality", senses.UNCLEAR_USE),
        ("a mentally disabled man", "disability", senses.UNCLEAR_USE),
    ],
)
def test_what_cannot_be_swapped_is_counted(text, axis, reason):
    done = swap(text, axis)
    assert done.swaps == ()
    assert done.dropped == {reason: len(table(axis).groups) - 1}


def test_a_mention_without_counterpart_drops_the_variant():
    done = swap("The mosque was full", "religion")
    assert {s.target for s in done.swaps} == {"christian", "jewish", "hindu", "buddhist"}
    assert done.dropped == {NO_COUNTERPART: 1, NO_CONTROL: 1}


def test_names_keep_the_group_and_change_the_gender():
    done = swap("Latoya said she liked Keisha. Latoya's hat", "gender").swaps
    across, same = done
    (first, new), (_, he), (second, other), (_, again) = across.terms
    people = {name.text: name for name in names("gender")}
    assert (first, second, he, again) == ("Latoya", "Keisha", "he", new)
    assert {(people[name].group, people[name].gender) for name in (new, other)} == {("black", "male")}
    assert new != other
    assert same.control
    assert {(people[name].group, people[name].gender) for _, name in same.terms} == {("black", "female")}
    assert " she liked " in same.text


def test_names_keep_the_gender_and_change_the_group():
    done = swap("JUAN met Pedro", "race_ethnicity")
    people = {name.text: name for name in names("race_ethnicity")}
    assert {s.target for s in done.swaps} == {"black", "white", "asian", "hispanic"}
    assert done.dropped == {NO_COUNTERPART: 2}
    for s in done.swaps:
        for _, new in s.terms:
            name = people[new.capitalize()]
            assert (name.group, name.gender) == (s.target, "male")
        assert s.terms[0][1].isupper()
        assert s.control == (s.target == "hispanic")


def test_names_are_chosen_by_the_generator_alone():
    def chosen(seed):
        done = swaps_of("Juan slept", table("race_ethnicity"), rng=random.Random(seed), names=names("race_ethnicity"))
        return [s.text for s in done.swaps]

    assert chosen(3) == chosen(3)
    assert len({tuple(chosen(seed)) for seed in range(8)}) > 4


def test_without_names_a_text_that_names_somebody_is_dropped_not_half_swapped():
    done = swaps_of("Mary lost her keys", table("gender"), rng=random.Random(0))
    assert done.swaps == ()
    assert done.dropped == {mentions.OTHER_NAME: 1}
    assert swaps_of("Mary slept", table("gender"), rng=random.Random(0)).dropped == {}


def test_surnames_are_no_mentions():
    assert "Ridley Scott" not in swap("Ridley Scott and his film", "gender").swaps[0].text.replace("Ridley Scott", "")
    done = swap("Mary Thomas slept", "gender").swaps[0].text
    assert done.endswith(" Thomas slept")
    assert crossed("Mr Thomas slept", "gender", "female") == "Ms Thomas slept"


def test_public_figures_are_left_alone_unless_asked():
    text = "Hillary Clinton spoke"
    assert swap(text, "gender").swaps == ()
    assert swap(text, "gender", public_figures=True).swaps[0].text.endswith(" Clinton spoke")
    assert swap("Donald Trump met Juan", "race_ethnicity").swaps == ()


def test_controls_change_the_wording_and_not_the_group():
    assert control("A woman came", "gender") is None  # a lady is of another register
    assert control("Muslims pray", "religion") == "Muslim people pray"
    assert control("an old man", "age") == "an elderly man"
    assert control("an elderly man", "age") == "an old man"
    assert control("She came", "gender") is None


def test_terms_are_as_written_and_in_order():
    across = swap("Men and BOYS and their fathers", "gender").swaps[0]
    assert across.terms == (("Men", "Women"), ("BOYS", "GIRLS"), ("fathers", "mothers"))
    assert (across.axis, across.source, across.target, across.control) == ("gender", "male", "female", False)


def test_closing_quotation_marks_are_no_possessives():
    assert (
        crossed("he said 'we are Americans' and left", "nationality", "chinese")
        == "he said 'we are Chinese people' and left"
    )


def test_a_list_of_the_users_own_is_swapped(tmp_path):
    path = tmp_path / "dialect.tsv"
    path.write_text("# columns: kind, north, south\nperson\tnortherner\tislander\n", encoding="utf-8")
    done = swaps_of("He is a northerner.", read_terms(path), rng=random.Random(0))
    assert [s.text for s in done.swaps] == ["He is an islander."]


WORDS = st.sampled_from(
    ["she", "her", "his", "Mary", "Juan", "Muslim", "Jews'", "women's", "black", "man", "old", "the", "poor", "a", "an",
     "gay", "American", "blind", "-", "'", ".", ",", "#", "@she", "\n", "Mr.", "HE", "he's", "trans", "Christian", "’s"]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(
        st.text(max_size=60), st.lists(WORDS, max_size=14).map(" ".join), st.lists(WORDS, max_size=9).map("".join)
    )
)
def test_any_text_is_answered(text):
    for axis in AXES:
        done = swap(text, axis)
        targets = [(s.target, s.control) for s in done.swaps]
        assert len(set(targets)) == len(targets)
        assert all(count > 0 for count in done.dropped.values())
        for s in done.swaps:
            assert s.text != text
            assert s.terms
            assert s.control == (s.source == s.target)


NOUNS = sorted(
    {
        (row.kind, row.forms["male"][0], row.forms["female"][0])
        for row in table("gender").rows
        if row.kind in ("person", "persons", "kinship", "kinships", "occupation", "occupations")
    }
)
FIRST = [n for n in NOUNS if sum(n[1] in m for m in NOUNS) == 1 and sum(n[2] in m for m in NOUNS) == 1]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from(FIRST), min_size=1, max_size=5), st.sampled_from(["the {}", "The {}", "{}'s", "THE {}"])
)
def test_there_and_back_is_the_same_text(nouns, form):
    form = "{}" if form == "{}'s" and any(kind.endswith("s") for kind, *_ in nouns) else form
    text = " and ".join(form.format(male.upper() if form.isupper() else male) for _, male, _ in nouns)
    there = crossed(text, "gender", "female")
    assert crossed(there, "gender", "male") == text


@pytest.mark.parametrize("text", ["an old family", "A young man came", "OLD PEOPLE", "an older man"])
def test_there_and_back_with_articles(text):
    there = next(s for s in swap(text, "age").swaps if not s.control)
    assert there.text != text
    assert crossed(there.text, "age", there.source) == text


def real_texts(count):
    pq = pytest.importorskip("pyarrow.parquet")
    hate = sorted((DATA / "tweet_eval" / "hate").glob("*train*.parquet"))
    movie = DATA / "vader_sentiment" / "movie.parquet"
    if not hate or not movie.is_file():
        pytest.skip("needs the public data sets beside the checkout")
    found = []
    for path in (*hate, movie):
        rows = pq.read_table(path).to_pylist()
        key = max((k for k, value in rows[0].items() if isinstance(value, str)), key=lambda k: len(rows[0][k]))
        found += [row[key] for row in rows][:count]
    return found


def test_real_texts_are_swapped_quickly():
    texts = real_texts(1000)
    for axis in ("gender", "religion"):
        swap("a warm start", axis)
        begin = time.process_time()
        found = sum(bool(swap(text, axis).swaps) for text in texts)
        assert len(texts) / (time.process_time() - begin) > 2000
        assert found > 10


def test_her_is_read_right_in_real_texts_that_said_him_or_his():
    """The right answer is known where a text says "him" or "his": put "her" there, and it must be told apart again.

    "his" without a noun and typing errors of the authors count against us, so the line is 4 %, not 0.
    """
    settled = wrong = asked = 0
    for text in real_texts(9000):
        for match in re.finditer(r"\b(him|his)\b", text):
            words = Words(text[: match.start()] + "her" + text[match.end() :])
            if match.start() not in words.starts:
                continue
            kind = kind_of_her(words, words.starts.index(match.start()))
            asked += 1
            settled += kind is not None
            wrong += kind is not None and kind != (OBJECT if match[1] == "him" else POSSESSIVE)
    assert asked > 500
    assert settled > 0.8 * asked
    assert wrong < 0.04 * settled


def test_both_texts_of_a_pair_are_swapped_alike():
    made = swaps_of(("A Muslim asks.", "Muslims are asking."), table("religion"), rng=random.Random(0))
    assert ("A Jew asks.", "Jews are asking.") in [swap.text for swap in made.swaps]


def test_of_a_harm_classifier_only_harmless_texts_may_be_swapped():
    texts = [Example.of("a", gold="hate"), Example.of("b", gold="fine"), Example.of("c")]
    harm = PositiveClass(labels=("hate",), meaning=Meaning.HARM, origin="test")
    card = model_card(labels=("fine", "hate"))
    assert may_swap(texts, card).tolist() == [True, True, True]
    harmful = card.model_copy(update={"positive": harm})
    assert may_swap(texts, harmful).tolist() == [False, True, False]
    assert may_swap(texts[2:], harmful).tolist() == [True]
