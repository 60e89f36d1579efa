"""TextAttack's recipes where what they download is not at hand: stand-ins for vectors and masked models, no encoders.

Read by `attacks_peer`, in TextAttack's own interpreter. A recipe is built by its own code; only the names that it would
fetch something through are others.
"""

import io
import sys
from types import SimpleNamespace

import numpy as np
import textattack
from textattack.constraints import Constraint
from textattack.transformations.word_swaps import word_swap_homoglyph_swap
from textattack.transformations.word_swaps.word_swap_qwerty import WordSwapQWERTY
from transformers import AutoModelForMaskedLM, AutoTokenizer

# Its wheel lacks a list that this module opens; the swaps of words do not read it.
word_swap_homoglyph_swap.open = lambda *_args, **_kwargs: io.StringIO()

NAMES = {
    "deepwordbug": "DeepWordBugGao2018",
    "pwws": "PWWSRen2019",
    "textbugger": "TextBuggerLi2018",
    "pruthi": "Pruthi2019",
    "checklist": "CheckList2020",
    "input-reduction": "InputReductionFeng2018",
    "textfooler": "TextFoolerJin2019",
    "a2t": "A2TYoo2021",
    "bae": "BAEGarg2019",
    "bert-attack": "BERTAttackLi2020",
    "clare": "CLARE2020",
    "kuleshov": "Kuleshov2017",
}
ENCODERS = ("UniversalSentenceEncoder", "SBERT", "ThoughtVector", "GPT2")
LONGEST = 128
"""Tokens that a masked model reads, and is padded to; no text here is longer."""


class Passed(Constraint):
    """Lets everything through."""

    def __init__(self, *_args, **_kwargs):
        super().__init__(True)

    def _check_constraint(self, transformed_text, reference_text):
        return True


class Nearest:
    """Rows of the nearest words, the word itself first, as the table that comes with its vectors has them.

    Without one its own search for them fails (`dist.topk(n)[1:].tolist()`, of a pair).
    """

    def __init__(self, matrix):
        self.matrix = matrix

    def __getitem__(self, row):
        away = np.linalg.norm(self.matrix - self.matrix[row], axis=1)
        return np.argsort(away, kind="stable")[:101].tolist()


def stand_in(vectors=None, word_model=None):
    """Put stand-ins in the places of what is fetched."""
    for name, module in list(sys.modules.items()):
        if name.startswith("textattack.attack_recipes."):
            for encoder in ENCODERS:
                if hasattr(module, encoder):
                    setattr(module, encoder, Passed)
    if vectors is not None:
        with np.load(vectors, allow_pickle=False) as held:
            words, matrix = held["words"].tolist(), held["vectors"]
        rows = {word: row for row, word in enumerate(words)}
        embedding = textattack.shared.WordEmbedding(matrix, rows, dict(enumerate(words)), Nearest(matrix))
        textattack.shared.utils.GLOBAL_OBJECTS["textattack_counterfitted_GLOVE_embedding"] = embedding
    if word_model is not None:
        _masked(word_model)


def _masked(folder):
    network = SimpleNamespace(from_pretrained=lambda *_a, **_k: AutoModelForMaskedLM.from_pretrained(folder).eval())
    tokenizer = SimpleNamespace(from_pretrained=lambda *_a, **_k: AutoTokenizer.from_pretrained(folder))
    for name, module in list(sys.modules.items()):
        if name.startswith("textattack.transformations.") and hasattr(module, "AutoModelForMaskedLM"):
            module.AutoModelForMaskedLM, module.AutoTokenizer = network, tokenizer
    clare = sys.modules["textattack.attack_recipes.clare_li_2020"]
    clare.transformers = SimpleNamespace(AutoModelForCausalLM=network, AutoTokenizer=tokenizer)


def built(recipe, wrapper, words=None):
    """An attack; of CheckList and CLARE the parts that need no tagger, of CLARE so many words a place."""
    attack = getattr(textattack.attack_recipes, NAMES[recipe]).build(wrapper)
    parts = getattr(attack.transformation, "transformations", [attack.transformation])
    if recipe in ("checklist", "clare"):
        del parts[2:]
    for part in parts:
        if hasattr(part, "max_length"):
            part.max_length = LONGEST
        if recipe == "clare" and words is not None:
            part.max_candidates = words
    return attack


def stopwords_of(attack):
    """The words that it leaves alone."""
    found = [each.stopwords for each in attack.pre_transformation_constraints if hasattr(each, "stopwords")]
    return sorted(found[0]) if found else []


def lists():
    """What its transformations of letters and of contractions read."""
    return {
        "keys": WordSwapQWERTY()._keyboard_adjacency,
        "lookalikes": word_swap_homoglyph_swap.WordSwapHomoglyphSwap().homos,
        "longer": textattack.shared.data.EXTENSION_MAP,
    }
