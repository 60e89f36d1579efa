"""Recipes that change whole words, and our own fast one."""

from __future__ import annotations

from collections.abc import Sequence

from probes.robustness.adversarial.characters import LIMIT
from probes.robustness.adversarial.constraints.meaning import Entailed, Fluent, Similar
from probes.robustness.adversarial.constraints.opposites import Opposites
from probes.robustness.adversarial.constraints.speech import SameSpeech, by_ending, find_tagger
from probes.robustness.adversarial.constraints.words import Levenshtein, MostWords, Stopwords, WordDistance
from probes.robustness.adversarial.genetic import Genetic
from probes.robustness.adversarial.greedy import Greedy
from probes.robustness.adversarial.guided import Guided
from probes.robustness.adversarial.parts import Attack, Constraint, Transformation
from probes.robustness.adversarial.pure import Untouched
from probes.robustness.adversarial.rankings import Delete, Gradient, Unk, WeightedSaliency
from probes.robustness.adversarial.recipe import Composed, Recipe, Resource, Sources
from probes.robustness.adversarial.slips import Slips
from probes.robustness.adversarial.words import Filled, Flipped, NearOwnWords, NearVectors, Synonyms

NEAR = 0.5
"""Least cosine of a word and its substitute among word vectors (Jin et al. 2020)."""

NEARER = 0.75
"""The same where the paper's squared distance of vectors of length 1 is at most 0.5 (Alzantot et al. 2018)."""

OWN_NEAR = 0.3
"""The same in the model's own table, where words are further apart."""

FAST_QUERIES = 30
"""Most texts that the fast recipe asks about for an item; what it has not broken by then it seldom breaks."""

LESS_LIKELY = 5.0
"""Most that a word may lose in log-probability by a change (Jia et al. 2019)."""

SAME_MEANING = 0.8
"""Least cosine of sentence embeddings; published thresholds are for other encoders and do not carry over."""


def _fast(sources: Sources) -> Attack:
    rules = (Untouched(), Stopwords(), Levenshtein(30))
    budget = min(sources.budget, FAST_QUERIES)
    return Attack(method=Guided(), transformation=Slips(), constraints=rules, budget=budget)


def _pwws(sources: Sources) -> Attack:
    return Attack(
        method=Greedy(WeightedSaliency()),
        transformation=Synonyms(sources.given[Resource.WORDNET]),
        constraints=(Untouched(), Stopwords(), *_evidence(sources)),
        budget=sources.budget,
    )


def _textfooler(sources: Sources) -> Attack:
    vectors = sources.given.get(Resource.WORD_VECTORS)
    words: Transformation = NearOwnWords(least=OWN_NEAR) if vectors is None else NearVectors(vectors)
    close = () if vectors is None else (WordDistance(vectors, NEAR),)
    return Attack(
        method=Greedy(Delete()),
        transformation=words,
        constraints=(Untouched(), Stopwords(), *close, _same_speech(), *_evidence(sources), *_similar(sources)),
        budget=sources.budget,
    )


def _faster_alzantot(sources: Sources) -> Attack:
    vectors = sources.given.get(Resource.WORD_VECTORS)
    words: Transformation = NearOwnWords(8, OWN_NEAR) if vectors is None else NearVectors(vectors, count=8)
    close = () if vectors is None else (WordDistance(vectors, NEARER),)
    fluent = (Fluent(LESS_LIKELY),) if Resource.WORD_MODEL in sources.given else ()
    return Attack(
        method=Genetic(),
        transformation=words,
        constraints=(Stopwords(), MostWords(share=0.2), *close, *fluent, *_evidence(sources)),
        budget=sources.budget,
    )


def _bae(sources: Sources) -> Attack:
    return Attack(
        method=Greedy(Delete()),
        transformation=Filled(),
        constraints=(Untouched(), Stopwords(), _same_speech(), *_evidence(sources), *_similar(sources)),
        budget=sources.budget,
    )


def _bert_attack(sources: Sources) -> Attack:
    return Attack(
        method=Greedy(Unk()),
        transformation=Filled(count=48),
        constraints=(Untouched(), Stopwords(), MostWords(share=0.4), *_evidence(sources), *_similar(sources)),
        budget=sources.budget,
    )


def _clare(sources: Sources) -> Attack:
    return Attack(
        method=Greedy(Delete()),
        transformation=Filled(least=5e-3, beside=True),
        constraints=(Untouched(), Stopwords(), *_evidence(sources), *_similar(sources)),
        budget=sources.budget,
    )


def _hotflip(sources: Sources) -> Attack:
    return Attack(
        method=Greedy(Gradient()),
        transformation=Flipped(),
        constraints=(Untouched(), Stopwords(), _same_speech(), *_evidence(sources), *_similar(sources)),
        budget=sources.budget,
    )


def _same_speech() -> SameSpeech:
    return SameSpeech(find_tagger() or by_ending)


def _evidence(sources: Sources) -> Sequence[Constraint]:
    """What looks for changed meaning and refuses nothing: the guard against opposites, and a model of entailment."""
    guard = Opposites(sources.given.get(Resource.WORDNET), refuse=False)
    return (guard, Entailed()) if Resource.ENTAILMENT_MODEL in sources.given else (guard,)


def _similar(sources: Sources) -> Sequence[Constraint]:
    return (Similar(SAME_MEANING),) if Resource.SENTENCE_ENCODER in sources.given else ()


_SPEECH = (
    "Parts of speech are those of the perceptron tagger of nltk where its data are on the machine; otherwise a word "
    "may only be replaced by one with the same ending. "
)
_ENCODER = (
    "The sentence encoder is the one given with --sentence-encoder, at a cosine of 0.8, in place of the authors'; "
    "without one there is no such limit. "
)
_GUARDED = (Resource.WORDNET, Resource.ENTAILMENT_MODEL)
"""What `_evidence` makes use of."""
_GUARD = "Our own list of stopwords. Opposites are noted as doubtful, and kept as in the paper."

WORD_RECIPES: tuple[Recipe, ...] = (
    Composed(
        name="fast",
        paper="our own, after Ebrahimi, Rao, Lowd and Dou 2018, HotFlip: White-Box Adversarial Examples for Text "
        "Classification, ACL, and Wallace, Feng, Kandpal, Gardner and Singh 2019, Universal Adversarial Triggers for "
        "Attacking and Analyzing NLP, EMNLP",
        attack=_fast,
        deviations="At most 30 queries an item. Slips of one letter, none of which makes a word of the model's "
        "vocabulary. Which slips lean to the goal is learned once for each label from the gradients on 32 sentences of "
        "our own: 96 texts' worth of computing that is not counted as queries of an item. " + LIMIT,
        needs=(Resource.GRADIENTS,),
        queries=6,
    ),
    Composed(
        name="pwws",
        paper="Ren, Deng, He and Che 2019, Generating Natural Language Adversarial Examples through Probability "
        "Weighted Word Saliency, ACL",
        attack=_pwws,
        deviations="As in TextAttack: no named entities are exchanged. " + _GUARD,
        needs=(Resource.WORDNET,),
        queries=140,
    ),
    Composed(
        name="textfooler",
        paper="Jin, Jin, Zhou and Szolovits 2020, Is BERT Really Robust?, AAAI",
        attack=_textfooler,
        deviations="Words are neighbours among the vectors given with --word-vectors, at a cosine of 0.5; without any, "
        "neighbours in the audited model's own table of embeddings, at 0.3. " + _SPEECH + _ENCODER + _GUARD,
        needs=(Resource.NEIGHBOURS,),
        takes=_GUARDED,
        queries=60,
    ),
    Composed(
        name="faster-alzantot",
        paper="Jia, Raghunathan, Goeksel and Liang 2019, Certified Robustness to Adversarial Word Substitutions, "
        "EMNLP, after Alzantot, Sharma, Elgohary, Ho, Srivastava and Chang 2018, Generating Natural Language "
        "Adversarial Examples, EMNLP",
        attack=_faster_alzantot,
        deviations="Words are the eight nearest among the vectors given with --word-vectors, at a cosine of 0.75; "
        "without any, in the audited model's own table of embeddings, at 0.3. The language model is the masked one "
        "given with --word-model, asked about each changed word in its place, against the text that is changed; "
        "without one there is no such limit. A population of 20 in place of 60. " + _GUARD,
        needs=(Resource.NEIGHBOURS,),
        takes=_GUARDED,
        queries=300,
    ),
    Composed(
        name="bae",
        paper="Garg and Ramakrishnan 2020, BAE: BERT-based Adversarial Examples for Text Classification, EMNLP",
        attack=_bae,
        deviations="Its replacements (BAE-R), whole words only. " + _SPEECH + _ENCODER + _GUARD,
        needs=(Resource.WORD_MODEL,),
        takes=_GUARDED,
        queries=100,
    ),
    Composed(
        name="bert-attack",
        paper="Li, Ma, Guo, Xue and Qiu 2020, BERT-ATTACK: Adversarial Attack Against BERT Using BERT, EMNLP",
        attack=_bert_attack,
        deviations="The word itself is masked, where the paper has it read; only whole words are put in. "
        + _ENCODER
        + _GUARD,
        needs=(Resource.WORD_MODEL,),
        takes=_GUARDED,
        queries=120,
    ),
    Composed(
        name="clare",
        paper="Li, Zhang, Peng, Chen, Brockett, Sun and Dolan 2021, Contextualized Perturbation for Textual "
        "Adversarial Attack, NAACL",
        attack=_clare,
        deviations="Replaces and inserts; does not merge. Words are taken in the order of their importance, where the "
        "paper tries all places each time. " + _ENCODER + _GUARD,
        needs=(Resource.WORD_MODEL,),
        takes=_GUARDED,
        queries=150,
    ),
    Composed(
        name="hotflip",
        paper="Ebrahimi, Rao, Lowd and Dou 2018, HotFlip: White-Box Adversarial Examples for Text Classification, ACL",
        attack=_hotflip,
        deviations="Whole words of the model's vocabulary, the ten that the gradient expects most of, each asked "
        "about; the greedy variant without a beam. " + _SPEECH + _ENCODER + _GUARD,
        needs=(Resource.GRADIENTS,),
        takes=_GUARDED,
        queries=40,
    ),
)
