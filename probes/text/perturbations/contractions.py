"""Contracting what is written out, and writing out what is contracted, only where both are grammatical."""

from __future__ import annotations

import random
from functools import cache

from probes.text.lexicon import alternatives
from probes.text.perturbations.phrases import CLAUSE_START, SENTENCE_START, Group, PhraseTable

SHARES = (0.2, 0.4, 0.6, 0.8, 1.0)

_NOT_FOCUS = r"(?! (?i:only|just|merely|simply)\b)"
"""In "cannot only" the negation belongs to "only": "can't only" would say something else."""

_GOES_ON = (
    r"(?= [^\W\d_])(?! (?i:and|or|but|nor|because|if|when|as|than|then|therefore|now|there|here|too|though|indeed|"
    r"either|neither|so)\b)"
)
"""A contracted verb cannot stand last in its clause ("yes, I am")."""

_HAVE_PARTICIPLE = (
    r"(?= (?i:been|had|got|gotten|done|seen|made|gone|come|taken|given|heard|read|found|known|written|become|never|"
    r"always|already|ever|tried|bought|started|finished|decided|received|ordered|noticed|learned|loved|enjoyed|wanted|"
    r"needed|visited|watched|worked|lived)\b)"
)
"""After these "have" is an auxiliary; before a noun it is the main verb and is not contracted."""

_PRONOUN_NEXT = r" (?i:i|you|he|she|it|we|they|there|any\w+|some\w+|every\w+)\b"
_DETERMINER_NEXT = r" (?i:the|this|that|these|those|a|an|my|your|his|her|its|our|their|people)\b"
_AFTER_QUESTION_WORD = r"(?<!\b(?i:why) )(?<!\b(?i:how) )(?<!\b(?i:what) )(?<!\b(?i:when) )(?<!\b(?i:where) )"
_OPENERS = ("don't", "can't", "couldn't", "didn't", "wouldn't", "won't", "doesn't", "haven't", "hadn't", "wasn't")

_PARTICIPLE = r"(?:\w+ed|\w+en|got|had|gone|done|come|become|made|left|lost|put|set|said|found|kept)\b"
_IS_NEXT = (
    r"(?= (?i:a|an|the|my|your|his|our|their|no|in|on|at|from|for|like|about|why|what|how|because|such|this|that|good|"
    r"great|bad|nice|fine|true|right|wrong|hard|easy|okay|clear|important|possible|impossible|likely|better|worse|"
    rf"\w{{2,}}ing|(?:very|too|so|really|quite|pretty|not)(?= \w)(?! (?:\w+ )?{_PARTICIPLE}))\b)"
)
"""After these 's can only be "is"; before a participle it may be "has"."""

_S_WORDS = ("it", "that", "there", "here", "what", "who", "he", "she", "where")
_D_WORDS = ("I", "you", "he", "she", "we", "they")
_WOULD_NEXT = (
    "be",
    "have",
    "like",
    "love",
    "prefer",
    "rather",
    "recommend",
    "suggest",
    "say",
    "expect",
    "want",
    "give",
)
_HAS_NEXT = ("been", "got", "had")


def contractions(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive contracted forms (do not to don't, it is to it's)?

    Measures: how often and how far the answer moves when verb and "not", or pronoun and verb, are contracted.

    Why it matters: contraction changes the tone and nothing else. It moves the negation into a part of a word,
        which is where models that lean on the word "not" fail.

    Method: 20, 40, 60, 80 or 100 % of the forms that can be contracted (severity 1 to 5) are. Pronoun and verb are
        contracted only where a clause begins and goes on, so "yes, I am" and "what it is" stay; "have" only as an
        auxiliary; "not only" stays.

    Limits: a list of English forms; nouns are not contracted with their verbs (the film's great).

    References: Ribeiro et al. 2020, Beyond Accuracy: Behavioral Testing of NLP Models with CheckList, ACL; Biber et
        al. 1999, Longman Grammar of Spoken and Written English, section 14.1 (contraction).
    """
    return contracting().edit(text, rng, share=SHARES[severity - 1])


def expansions(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive contractions written out (don't to do not, it's to it is)?

    Measures: how often and how far the answer moves when contractions are written out in full.

    Why it matters: formal writers avoid contractions; what they mean is the same.

    Method: 20, 40, 60, 80 or 100 % of the contractions that can be written out (severity 1 to 5) are. An ambiguous
        's (is or has) or 'd (had or would) is written out only where the next word decides it; a negated verb
        before its subject ("isn't it", "why don't they") stays, since "is not it" is no English.

    Limits: a list of English forms; contractions typed without an apostrophe (dont) stay.

    References: Ribeiro et al. 2020, Beyond Accuracy: Behavioral Testing of NLP Models with CheckList, ACL; Biber et
        al. 1999, Longman Grammar of Spoken and Written English, section 14.1 (contraction).
    """
    return expanding().edit(text, rng, share=SHARES[severity - 1])


@cache
def contracting() -> PhraseTable:
    """Written-out forms that may be contracted where they stand."""
    return PhraseTable.of(
        Group(alternatives("contractions_not"), after=_NOT_FOCUS),
        Group(alternatives("contractions_subject"), before=CLAUSE_START, after=_GOES_ON),
        Group(alternatives("contractions_have"), before=CLAUSE_START, after=_HAVE_PARTICIPLE),
    )


@cache
def expanding() -> PhraseTable:
    """Contractions that may be written out where they stand."""
    negated = alternatives("expansions_not")
    decided = {f"{word}'s {verb}": (f"{word} has {verb}",) for word in _S_WORDS for verb in _HAS_NEXT}
    decided |= {f"{word}'d {verb}": (f"{word} would {verb}",) for word in _D_WORDS for verb in _WOULD_NEXT}
    decided |= {f"{word}'d better": (f"{word} had better",) for word in _D_WORDS}
    decided |= {f"{word}'d been": (f"{word} had been",) for word in _D_WORDS}
    return PhraseTable.of(
        Group(decided),
        Group(negated, before=f"(?!{SENTENCE_START}){_AFTER_QUESTION_WORD}", after=f"(?!{_PRONOUN_NEXT})"),
        Group(
            {verb: negated[verb] for verb in _OPENERS},
            before=SENTENCE_START,
            after=f"(?!{_PRONOUN_NEXT}|{_DETERMINER_NEXT}| [A-Z])",
        ),
        Group(alternatives("expansions")),
        Group({f"{word}'s": (f"{word} is",) for word in _S_WORDS}, after=_IS_NEXT),
    )
