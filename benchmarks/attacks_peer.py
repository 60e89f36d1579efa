"""TextAttack on the same texts, in its own interpreter; `benchmarks.attacks` and `attacks_paired` start it.

Reads a job, writes JSON: of "work" what each recipe came to and how fast it was in all ways, of "pairs" the former.

Ways: "installed" is its HuggingFaceModelWrapper, which pads every text to 512 tokens; "dynamic" the same with padding
to the longest of a call; "replayed" gives back recorded answers, which leaves what its own code costs.
"""

# ruff: noqa: E402  # the job says where `child` lies, and `child.imported` keeps what comes after it from downloading

import json
import random
import sys
import time
from pathlib import Path

import numpy as np

JOB = json.loads(Path(sys.argv[1]).read_text())
sys.path.insert(0, JOB["child"])
import child

textattack = child.imported(Path(JOB["folder"]))
import nltk
import torch
from attacks_peer_recipes import built, lists, stand_in, stopwords_of
from textattack.models.wrappers import HuggingFaceModelWrapper, ModelWrapper
from transformers import AutoModelForSequenceClassification, AutoTokenizer

torch.set_num_threads(JOB["threads"])


class Dynamic(HuggingFaceModelWrapper):
    def __call__(self, texts):
        inputs = self.tokenizer(list(texts), padding=True, truncation=True, max_length=512, return_tensors="pt")
        with torch.inference_mode():
            return self.model(**inputs.to(self.model.device)).logits.softmax(-1)


class Keeping(Dynamic):
    """Keeps what it answers, text by text; that costs a microsecond a text."""

    def __init__(self, network, tokenizer):
        super().__init__(network, tokenizer)
        self.answers = {}

    def __call__(self, texts):
        found = super().__call__(texts)
        self.answers.update(zip(texts, found, strict=True))
        return found


class Kept(ModelWrapper):
    """Gives back what was kept."""

    model = None

    def __init__(self, answers):
        self.answers = answers

    def __call__(self, texts):
        return torch.stack([self.answers[text] for text in texts])


def attacked(recipe, wrapper, rows):
    return run(built(recipe, wrapper, JOB.get("words")), rows)


def run(attack, rows):
    found, each = [], []
    wall, used = time.perf_counter(), time.process_time()
    for seed, (text, label) in rows:
        random.seed(seed)
        np.random.seed(seed)
        result = attack.attack(text, label)
        each.append(attack.goal_function.num_queries)
        found.append([type(result).__name__, result.perturbed_result.attacked_text.text])
    return {
        "found": found,
        "queries": sum(each),
        "each": each,
        "wall": time.perf_counter() - wall,
        "cpu": time.process_time() - used,
    }


def compared(network, tokenizer):
    results = {}
    for recipe, rows, few in JOB["work"]:
        rows = list(enumerate(rows))
        keeping = Keeping(network, tokenizer)
        attacked(recipe, Dynamic(network, tokenizer), rows[:1])  # what is loaded when it is first used
        results[recipe] = {
            "installed": attacked(recipe, HuggingFaceModelWrapper(network, tokenizer), rows[:few]),
            "dynamic": attacked(recipe, keeping, rows),
            "replayed": attacked(recipe, Kept(keeping.answers), rows),
        }
    return results


def paired(network, tokenizer):
    results = {}
    for recipe, rows in JOB["pairs"]:
        attack = built(recipe, Dynamic(network, tokenizer), JOB.get("words"))
        results[recipe] = run(attack, list(enumerate(rows))) | {"stopwords": stopwords_of(attack)}
        print(f"{recipe}: TextAttack in {results[recipe]['wall']:.0f} s", flush=True)
    return results


def main():
    # Dropout is nothing to a network that answers; TextAttack takes gradients of one that is being trained.
    still = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    network = AutoModelForSequenceClassification.from_pretrained(JOB["model"], **still).eval().to(JOB["device"])
    tokenizer = AutoTokenizer.from_pretrained(JOB["model"])
    if "pairs" in JOB:
        stand_in(JOB["vectors"], JOB["word_model"])
    results = paired(network, tokenizer) if "pairs" in JOB else compared(network, tokenizer)
    results["lists"] = lists()
    results["versions"] = {
        "textattack": __import__("importlib.metadata").metadata.version("textattack"),
        "torch": torch.__version__,
        "transformers": __import__("transformers").__version__,
    }
    results["stopwords"] = nltk.corpus.stopwords.words("english")
    Path(JOB["out"]).write_text(json.dumps(results))


main()
