"""The real child process over a stand-in for TextAttack and everything heavy that it imports; started by its path.

Its recipes: "deepwordbug" changes the words of a text in turn, drawing letters from all three global generators until
the answer changes; "pwws" wants data; "pruthi" breaks down on texts with "broken" in them; "iga" falls silent; "pso"
ends the process; "bae" wants a file in its first attack; "a2t" the network; "clare" prints.
"""

import os
import random
import socket
import sys
import time
import types
from pathlib import Path

import numpy as np

STATE = [0]


def module(name, **members):
    made = types.ModuleType(name)
    made.__dict__.update(members)
    sys.modules[name] = made
    return made


class LRU(dict):
    def __init__(self, size):
        super().__init__()


def advance(state):
    state[0] = (state[0] * 69069 + 1) % 2**32
    return state[0]


module("torch").random = types.SimpleNamespace(
    get_rng_state=lambda: list(STATE),
    set_rng_state=lambda state: STATE.__setitem__(0, state[0]),
    manual_seed=lambda seed: STATE.__setitem__(0, seed),
)
module("huggingface_hub")
module("transformers")
module("flair")
module("flair.models")
module("lru", LRU=LRU)
module("nltk", data=types.SimpleNamespace(path=[]), download=None)


class ModelWrapper:
    pass


class Goal:
    num_queries = 0


class Result:
    def __init__(self, text):
        self.perturbed_result = types.SimpleNamespace(attacked_text=types.SimpleNamespace(tokenizer_input=text))


class SuccessfulAttackResult(Result):
    pass


class FailedAttackResult(Result):
    pass


class Attack:
    def __init__(self, goal_function, constraints, transformation, search_method):
        self.goal_function, self.constraints, self.search_method = goal_function, constraints, search_method
        self.pre_transformation_constraints, self.transformation = [], transformation

    def ask(self, texts):
        texts = texts[: self.goal_function.query_budget - self.goal_function.num_queries]
        self.goal_function.num_queries += len(texts)
        return self.goal_function.model(texts)

    def attack(self, text, label):
        self.goal_function.num_queries = 0
        self.transformation(text)
        words = text.split()
        self.ask([text])
        for place in range(len(words)):
            drawn = f"{random.randrange(1000)}-{np.random.randint(1000)}-{advance(STATE) % 1000}"
            words[place] += drawn
            if self.goal_function.num_queries >= self.goal_function.query_budget:
                break
            if self.ask([" ".join(words)])[0].argmax() != label:
                return SuccessfulAttackResult(" ".join(words))
        return FailedAttackResult(" ".join(words))


def fails(text):
    if "broken" in text:
        raise ValueError(f"cannot read {text}")


def wants(text):
    return Path("/nowhere/model.bin").read_bytes()


def recipe(transformation, *, build=None):
    class Recipe:
        @staticmethod
        def build(wrapper):
            if build is not None:
                build()
            goal = Goal()
            goal.model = wrapper
            return Attack(goal, [], transformation, types.SimpleNamespace())

    return Recipe


def missing():
    sys.modules["textattack.shared.utils"].download_from_s3("word_embeddings/paragramcf")


def loud(text):
    sys.stdout.write("to standard output\n")  # which is not the pipe


textattack = module("textattack", Attack=Attack)
module("textattack.shared")
install = module("textattack.shared.utils.install")
utils = module("textattack.shared.utils", install=install)
textattack.models = types.SimpleNamespace(wrappers=types.SimpleNamespace(ModelWrapper=ModelWrapper))
textattack.attack_recipes = types.SimpleNamespace(
    DeepWordBugGao2018=recipe(lambda text: None),
    PWWSRen2019=recipe(None, build=missing),
    Pruthi2019=recipe(fails),
    IGAWang2019=recipe(lambda text: time.sleep(60)),
    PSOZang2020=recipe(lambda text: (sys.stderr.write("gone for good\n"), sys.stderr.flush(), os._exit(3))),
    BAEGarg2019=recipe(wants),
    A2TYoo2021=recipe(lambda text: socket.create_connection(("127.0.0.1", 9))),
    CLARE2020=recipe(loud),
)

sys.path.insert(0, str(Path(__file__).resolve().parents[4] / "probes" / "robustness" / "textattack"))
import child  # noqa: E402

child.importlib.metadata.version = lambda name: "0.0.test"
child.LIVE = 3
child.main()
