"""Grammatical features of dialects of English, one perturbation for each dialect.

Each dialect is a full grammar of its own, with rules as strict as those of the standard. What is imitated here are a
few well documented features, in the places where its speakers may use them; the result is no portrait of any person's
speech. Spelling is never changed to imitate a pronunciation.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from probes.text.lexicon import alternatives
from probes.text.perturbations.perturbation import Family, Perturbation, edit_share
from probes.text.perturbations.phrases import AFTER, BEFORE, CLAUSE_START, like_case

SHARES = (0.2, 0.4, 0.6, 0.8, 1.0)
"""Share of the places where a speaker may use a feature; the features are optional for every speaker."""

New = str | Callable[[re.Match[str]], str]

_THEY = r"([Hh]e|[Ss]he|[Tt]hey|[Ww]e|[Yy]ou)"
_HE = r"([Hh]e|[Ss]he|[Ii]t)"
_COPULA = r"(?: is| are|['’]s|['’]re)"
_PROGRESSIVE = (
    r"(?!(?:nothing|something|anything|everything|king|ring|thing|string|spring|evening|morning|during|ceiling|wedding|"
    r"being|amazing|interesting|exciting|boring|charming|willing|going)\b)[a-z]{2,20}ing"
)
_PREDICATE = (
    r"(?= (?:(?:not|so|very|really|too|always) )?(?:good|bad|great|nice|happy|sad|tired|late|early|ready|busy|crazy|"
    r"funny|mean|cute|broke|sick|sure|mad|angry|hungry|rude|slow|cold|hot|cheap|expensive|here|there|fine|smart|wrong|right|"
    + _PROGRESSIVE
    + r")\b)"
)
_NOT = (
    r"((?:[Dd]on|[Dd]oesn|[Dd]idn|[Cc]an|[Cc]ouldn|[Ww]on|[Ww]ouldn|[Hh]aven|[Hh]asn|[Hh]adn|[Aa]in)['’]t|[Nn]ever)"
    r" (have|had|has|want|need|see|seen|saw|get|got|know|like|buy|bought|find|found|give|gave|make|made|take|took|hear|"
    r"heard|say|said|do|did|done|eat|use|used|offer)"
)
_TAG = (
    r", (?:isn|aren|wasn|weren|don|doesn|didn|won|can|couldn|wouldn|haven|hasn|hadn)['’]t (?:I|you|he|she|it|we|they)\?"
)
_CLAUSE = BEFORE + CLAUSE_START
_MASS = "feedback|equipment|furniture|luggage|software|advice|stationery|jewellery|jewelry"


@dataclass(frozen=True, slots=True)
class Feature:
    """One grammatical feature: where it may be used, and what stands there then.

    Attributes:
        pattern: what it replaces, without its surroundings.
        new: the replacement, as for `re.sub`.
        after, before: expressions of no width that must hold behind and before it.
    """

    pattern: str
    new: New
    after: str = AFTER
    before: str = BEFORE

    @property
    def place(self) -> str:
        """What finds it in a text; what stands before it is looked at last, since that is what costs most."""
        return f"(?={self.pattern}){self.before}(?:{self.pattern}){self.after}"


@dataclass(frozen=True, slots=True)
class Grammar:
    """The features of one dialect, compiled into one expression; earlier ones win where two match at one place."""

    places: re.Pattern[str]
    features: tuple[tuple[re.Pattern[str], New], ...]

    @classmethod
    def of(cls, *features: Feature) -> Grammar:
        """Compile."""
        places = "|".join(feature.place for feature in features)
        return cls(
            re.compile(rf"(?:(?<!\w)|(?=,))(?:{places})"), tuple((re.compile(f.pattern), f.new) for f in features)
        )

    def edit(self, text: str, rng: random.Random, *, share: float) -> str:
        """Use the features in about `share` of the places that allow them."""
        curly = "’" in text

        def use(found: str, _rng: random.Random) -> str:
            new = self._use(found)
            return new.replace("'", "’") if curly else new

        return edit_share(text, rng, pattern=self.places, edit=use, share=share)

    def _use(self, found: str) -> str:
        for pattern, new in self.features:
            match = pattern.fullmatch(found)
            if match:
                return like_case(found, match.expand(new) if isinstance(new, str) else new(match))
        return found


def dialect_aae(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive features of African American English?

    Measures: how often and how far the answer moves when a text uses zero copula (they working), habitual be (he
        always be working), negative concord (don't have no time), ain't, and verbs without third-person -s (she
        know), where the grammar of African American English allows them.

    Why it matters: tens of millions of people may write so, and classifiers, toxicity filters above all, have been
        shown to treat such text worse although it says the same.

    Method: 20, 40, 60, 80 or 100 % of the places that fit our rules (severity 1 to 5) take the feature. The rules
        follow published descriptions: no zero copula with "I", in the past or at the end of a clause; habitual be
        only with adverbs of repetition; negative concord only after a negated verb from a list. Words and spelling
        stay standard.

    Limits: five of many features, by rules on words without a parser; real use varies by region, age and situation,
        and no speaker uses all of them. It shows whether these features move an answer, not how a model treats
        people: for that, use text by speakers. Many texts have no place that fits.

    References: Green 2002, African American English: A Linguistic Introduction, Cambridge; Blodgett, Green and
        O'Connor 2016, Demographic Dialectal Variation in Social Media, EMNLP; Ziems et al. 2023, Multi-VALUE: A
        Framework for Cross-Dialectal English NLP, ACL; Kortmann, Lunkenheimer and Ehret 2020, eWAVE 3.0.
    """
    return _african_american().edit(text, rng, share=SHARES[severity - 1])


def dialect_indian_english(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive features of Indian English?

    Measures: how often and how far the answer moves when a text uses progressive stative verbs (I am knowing), the
        tag "isn't it?" for every subject, today morning, two years back, discuss about, return back, "kindly" in
        requests, and plurals such as feedbacks.

    Why it matters: English has well over a hundred million users in India; a model trained on American and British
        text may take their usage for error or for another tone.

    Method: 20, 40, 60, 80 or 100 % of the places that fit our rules (severity 1 to 5) take the feature. Statives
        change only after a pronoun that begins a clause, so that questions and infinitives stay.

    Limits: some features from a language area with many varieties, by rules on words without a parser; educated
        writers use few of them. It shows whether these features move an answer, not how a model treats people. Many
        texts have no place that fits.

    References: Sailaja 2009, Indian English, Edinburgh; Demszky et al. 2021, Learning to Recognize Dialect
        Features, NAACL; Ziems et al. 2023, Multi-VALUE: A Framework for Cross-Dialectal English NLP, ACL; Kortmann,
        Lunkenheimer and Ehret 2020, eWAVE 3.0.
    """
    return _indian().edit(text, rng, share=SHARES[severity - 1])


def dialect_singapore_english(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive features of colloquial Singapore English?

    Measures: how often and how far the answer moves when a text uses zero copula (they late), existential "got"
        (got a queue), "already" for completed actions (I pay already), the tag "is it?", verbs without third-person
        -s, and the particle "lah" at its end.

    Why it matters: it is the everyday written variety of millions of people in chats and reviews, and its particles
        and tags are rare in training data.

    Method: 20, 40, 60, 80 or 100 % of the places that fit our rules (severity 1 to 5) take the feature; the
        particle is used at most once, at the end of the text.

    Limits: a few features, by rules on words without a parser. The particle also carries solidarity or insistence,
        so the tone may shift a little. It shows whether these features move an answer, not how a model treats
        people.

    References: Leimgruber 2011, Singapore English, Language and Linguistics Compass 5(1); Ziems et al. 2023,
        Multi-VALUE: A Framework for Cross-Dialectal English NLP, ACL; Kortmann, Lunkenheimer and Ehret 2020, eWAVE
        3.0.
    """
    return _singaporean().edit(text, rng, share=SHARES[severity - 1])


def _zero_copula() -> Feature:
    return Feature(f"{_THEY}{_COPULA}", r"\1", after=_PREDICATE)


def _plain_third_person() -> Feature:
    plain = alternatives("third_person_verbs")
    return Feature(f"{_HE} ({'|'.join(plain)})", lambda m: f"{m[1]} {plain[m[2]][0]}")


@cache
def _african_american() -> Grammar:
    return Grammar.of(
        Feature(
            f"{_THEY}{_COPULA} (always|usually|often|constantly) ({_PROGRESSIVE})",
            r"\1 \2 be \3",
        ),
        _zero_copula(),
        Feature(f"{_NOT} any", r"\1 \2 no", after=r"(?= (?!more\b|longer\b|other\b|better\b|further\b)[a-z])"),
        Feature(f"{_NOT} any(thing|body)", r"\1 \2 no\3"),
        Feature(f"{_NOT} anyone", r"\1 \2 no one"),
        Feature(r"I(?:['’]m| am) not", "I ain't", after=f"{AFTER}(?! only)"),
        Feature(r"(?:[Ii]s|[Aa]re)(?:n['’]t| not)", "ain't", after=f"{AFTER}(?! only)"),
        Feature(
            r"(?:[Hh]as|[Hh]ave)(?:n['’]t| not)",
            "ain't",
            after=r"(?= (?:been|seen|got|done|had|heard|gone)\b)",
        ),
        Feature(rf"{_HE} doesn['’]t", r"\1 don't"),
        _plain_third_person(),
    )


@cache
def _indian() -> Grammar:
    doing = alternatives("stative_verbs")
    verbs, third = "|".join(doing), "|".join(f"{verb}s" for verb in doing)
    return Grammar.of(
        Feature(
            f"(I|[Ww]e|[Tt]hey) ({verbs})",
            lambda m: f"{m[1]} {'am' if m[1] == 'I' else 'are'} {doing[m[2]][0]}",
            after=f"{AFTER}(?! not)",
            before=_CLAUSE,
        ),
        Feature(
            f"([Hh]e|[Ss]he) ({third})",
            lambda m: f"{m[1]} is {doing[m[2][:-1]][0]}",
            before=_CLAUSE,
        ),
        Feature(
            "(I|[Ww]e|[Tt]hey) have",
            lambda m: f"{m[1]} {'am' if m[1] == 'I' else 'are'} having",
            after=r"(?= (?:a|an|some|many|two|three|no)\b)",
            before=_CLAUSE,
        ),
        Feature(_TAG, ", isn't it?", after="", before=""),
        Feature("[Tt]his (morning|afternoon|evening)", r"today \1"),
        Feature(
            "[Ll]ast night",
            "yesterday night",
            after=f"{AFTER}(?! of)",
            before=f"{BEFORE}(?<!the )(?<!our )(?<!my )",
        ),
        Feature("(years|months|weeks|days) ago", r"\1 back"),
        Feature(
            "([Dd]iscuss(?:ed|ing)?)",
            r"\1 about",
            after=r"(?= (?:the|this|it|that|my|our|your|his|her|their|these|those)\b)",
        ),
        Feature(
            "([Tt]o return|[Rr]eturned|[Rr]eturning)",
            r"\1 back",
            after=r"(?= (?:to|the|it|my|this|them|your)\b)",
        ),
        Feature(
            "[Pp]lease",
            "kindly",
            after=r"(?= (?:check|send|help|confirm|share|let|call|contact|reply|advise|note|fix|update|refund|cancel|"
            r"provide|tell|give|read|see|find|do)\b)",
        ),
        Feature(f"((?:some|any|more|the|new|good) (?:{_MASS}))", r"\1s", after=r"(?=[.!?]|\Z)"),
    )


@cache
def _singaporean() -> Grammar:
    plain = alternatives("completed_actions")
    return Grammar.of(
        _zero_copula(),
        Feature(
            "[Tt]here(?: is| are|['’]s)",
            "got",
            after=r"(?= (?:a|an|no|many|some|so many|two|three|four|five)\b)",
            before=_CLAUSE,
        ),
        Feature(
            rf"(I|[Ww]e|[Tt]hey|[Yy]ou)(?: have|['’]ve)(?: already)? ({'|'.join(plain)})",
            lambda m: f"{m[1]} {plain[m[2]][0]} already",
            after=r"(?=[.,!?]|\Z)",
        ),
        Feature(_TAG, ", is it?", after="", before=""),
        _plain_third_person(),
        Feature(r"((?!etc\b)[a-z]{2,20})\.", r"\1 lah.", after=r"(?=\s*\Z)"),
    )


DIALECTS: tuple[Perturbation, ...] = tuple(
    Perturbation(name=apply.__name__, title=title, family=Family.REGISTER, apply=apply, meaning="mostly_kept")
    for apply, title in (
        (dialect_aae, "Features of African American English"),
        (dialect_indian_english, "Features of Indian English"),
        (dialect_singapore_english, "Features of Singapore English"),
    )
)
