"""The child process: TextAttack's recipes, asking for answers over a pipe. Run by its path; imports nothing of ours.

Each text is attacked in a thread of its own. A thread that wants answers parks; when all are parked, their questions go
out as one. Only one thread ever runs, and its random state is put away while it is parked: TextAttack draws from
the global generators, and what one attack draws must not depend on the others.

Messages: in come {"recipe", "budget", "items": [{"text", "label", "seed"}]} and then {"answers": [[...], ...]}; out go
{"ready": version}, {"ask": [text, ...]}, {"found": [[item, result], ...]}, {"refused": reason} and {"end": true}.
"""

from __future__ import annotations

import copy
import importlib
import importlib.metadata
import logging
import os
import random
import socket
import sys
import threading
import types
from collections import OrderedDict
from collections.abc import Callable, Generator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

LIVE = 128
"""Texts that are attacked at the same time."""
RECIPES = {
    "a2t": "A2TYoo2021",
    "alzantot": "GeneticAlgorithmAlzantot2018",
    "bae": "BAEGarg2019",
    "bert-attack": "BERTAttackLi2020",
    "checklist": "CheckList2020",
    "clare": "CLARE2020",
    "deepwordbug": "DeepWordBugGao2018",
    "faster-alzantot": "FasterGeneticAlgorithmJia2019",
    "iga": "IGAWang2019",
    "kuleshov": "Kuleshov2017",
    "leap": "LEAP2023",
    "pruthi": "Pruthi2019",
    "pso": "PSOZang2020",
    "pwws": "PWWSRen2019",
    "textbugger": "TextBuggerLi2018",
    "textfooler": "TextFoolerJin2019",
}
"""The name users know -> the class of TextAttack; those whose goal is another answer of a classifier."""
_KEPT = ("HF_HOME", "XDG_CACHE_HOME", "TFHUB_CACHE_DIR", "PYTORCH_TRANSFORMERS_CACHE", "TOKENIZERS_PARALLELISM")
"""What importing TextAttack overwrites."""


class MissingResourceError(Exception):
    """A recipe wants data that is not on this machine."""


class Attacking(threading.Thread):
    """One text under attack; runs only between `resume` and the moment it parks or ends.

    Attributes:
        asked: the texts it wants answers to, while it is parked.
        result: what it came to, when it has ended.
    """

    def __init__(self, item: dict[str, Any], attack: Any) -> None:
        super().__init__(daemon=True)
        self.item, self.attack = item, attack
        self.asked: list[Any] | None = None
        self.result: dict[str, Any] | None = None
        self._answers: Any = None
        self._go, self._back = threading.Semaphore(0), threading.Semaphore(0)

    def resume(self, answers: Any = None) -> None:
        """Let it run, with the answers it waits for, until it parks or ends."""
        self.asked, self._answers = None, answers
        if self.ident is None:
            self.start()
        else:
            self._go.release()
        self._back.acquire()

    def park(self, texts: Sequence[Any]) -> Any:
        """Called from within: wait for the answers to these texts."""
        kept = _random_state()
        self.asked = list(texts)
        self._back.release()
        self._go.acquire()
        _restore(kept)
        return self._answers

    def run(self) -> None:
        try:
            _seed(self.item["seed"])
            self.result = self._attacked()
        except Exception as error:
            self.result = {"missing" if _is_missing(error) else "error": _words(error)}
        self._back.release()

    def _attacked(self) -> dict[str, Any]:
        text = self.item["text"]
        start = text if isinstance(text, str) else OrderedDict(zip(("premise", "hypothesis"), text, strict=True))
        result = self.attack.attack(start, self.item["label"])
        found = result.perturbed_result.attacked_text.tokenizer_input
        return {
            "outcome": type(result).__name__,
            "text": found,
            "queries": self.attack.goal_function.num_queries,
        }


def _is_missing(error: Exception) -> bool:
    """Files, modules, and nltk's data, for which it raises the plain LookupError."""
    return isinstance(error, MissingResourceError | OSError | ImportError) or type(error) is LookupError


def _words(error: Exception) -> str:
    """The first words of an error; nltk frames its own with asterisks, and says in colours what to do."""
    said = next((line.strip(" *") for line in str(error).splitlines() if line.strip(" *")), "")
    return said if isinstance(error, MissingResourceError) else f"{type(error).__name__}: {said}"[:300]


def _torch() -> Any:
    """Only TextAttack's own interpreter imports it, and only here."""
    return importlib.import_module("torch")


def _random_state() -> tuple[Any, ...]:
    return random.getstate(), np.random.get_state(), _torch().random.get_rng_state()


def _restore(kept: tuple[Any, ...]) -> None:
    random.setstate(kept[0])
    np.random.set_state(kept[1])
    _torch().random.set_rng_state(kept[2])


def _seed(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)
    _torch().random.manual_seed(seed)


def imported(folder: Path) -> Any:
    """TextAttack, kept from the network and from the variables of this process.

    Args:
        folder: for the marker that keeps it from downloading at its first import, and for an empty list of languages.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "post_install_check_3").touch()
    before = {name: os.environ.get(name) for name in _KEPT}
    for module in ("huggingface_hub", "transformers"):  # they read their folders when they are imported: before
        importlib.import_module(module)
    os.environ["TA_CACHE_DIR"] = str(folder)
    _without_network()
    _without_downloads(folder)
    _flair_or_stub()
    textattack = importlib.import_module("textattack")
    for name, value in before.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value
    install: Any = importlib.import_module("textattack.shared.utils.install")
    utils: Any = importlib.import_module("textattack.shared.utils")
    install.http_get = _no_network
    for place in (install, utils):
        place.download_from_s3 = place.download_from_url = _on_this_machine
    for name in [name for name in logging.root.manager.loggerDict if name.startswith("textattack")]:
        logging.getLogger(name).setLevel(logging.ERROR)
    return textattack


def _without_network() -> None:
    """Whatever else would fetch something fails as it would without a network, names included."""

    def refused(*_args: Any, **_kwargs: Any) -> Any:
        raise OSError("an audit does not use the network")

    socket.socket.connect = socket.socket.connect_ex = refused  # type: ignore[method-assign]  # no network
    socket.getaddrinfo = refused


def _without_downloads(folder: Path) -> None:
    """NLTK downloads nothing, and what TextAttack asks it for only to see that English is there, is there."""
    nltk: Any = importlib.import_module("nltk")
    nltk.download = lambda *_args, **_kwargs: False
    citation = folder / "nltk_data" / "corpora" / "omw-1.4" / "citation.bib"
    citation.parent.mkdir(parents=True, exist_ok=True)
    citation.touch()
    nltk.data.path.append(str(folder / "nltk_data"))


def _flair_or_stub() -> None:
    """The tagger that TextAttack imports; where it does not load (transformers 5), names that refuse to be used."""
    try:
        importlib.import_module("flair")
        importlib.import_module("flair.models")
    except Exception:
        flair, data, models = (types.ModuleType(name) for name in ("flair", "flair.data", "flair.models"))
        data.__dict__.update(Tokenizer=object, Sentence=_Absent)
        models.__dict__.update(SequenceTagger=_Absent)
        flair.__dict__.update(data=data, models=models)
        sys.modules.update({"flair": flair, "flair.data": data, "flair.models": models})


class _Absent:
    def __init__(self, *_args: Any, **_kwargs: Any) -> None:
        raise MissingResourceError("flair's tagger")

    @classmethod
    def load(cls, *_args: Any, **_kwargs: Any) -> Any:
        raise MissingResourceError("flair's tagger")


def _no_network(url: str, *_args: Any, **_kwargs: Any) -> None:
    raise MissingResourceError(url)


def _on_this_machine(name: str, *_args: Any, **_kwargs: Any) -> str:
    """Where data that TextAttack would download lies already, in its own cache.

    Raises:
        MissingResourceError: it does not.
    """
    home = os.environ.get("AUDIT_TEXTATTACK_CACHE") or str(Path("~/.cache/textattack").expanduser())
    if (Path(home) / name).exists():
        return str(Path(home) / name)
    raise MissingResourceError(f"{name} (looked for in {home})")


def built(textattack: Any, recipe: str, budget: int) -> Any:
    """An attack as the recipe builds it; its questions are put to whichever thread is running.

    Raises:
        MissingResourceError: it needs data that is not here.
    """

    class Parking(textattack.models.wrappers.ModelWrapper):  # type: ignore[misc]  # textattack is not typed
        model = None

        def __call__(self, texts: Sequence[Any], **_kwargs: Any) -> Any:
            thread = threading.current_thread()
            if not isinstance(thread, Attacking):
                raise RuntimeError("a question outside an attack")
            return np.array(thread.park(texts), dtype=np.float64)

    try:
        attack = getattr(textattack.attack_recipes, RECIPES[recipe]).build(Parking())
    except Exception as error:
        raise MissingResourceError(_words(error)) from error
    attack.goal_function.query_budget = budget
    attack.goal_function.batch_size = 4096
    return attack


def of_its_own(textattack: Any, attack: Any, item: dict[str, Any]) -> Any:
    """The same attack for one text: what it remembers of a text is its own, what it has loaded is shared."""
    lru: Any = importlib.import_module("lru")
    goal, method = copy.copy(attack.goal_function), copy.copy(attack.search_method)
    goal._call_model_cache = lru.LRU(2**16)
    constraints = [*attack.constraints, *attack.pre_transformation_constraints]
    if not isinstance(item["text"], str):  # of a pair, the first text is not for the attacker to change
        columns = importlib.import_module("textattack.constraints.pre_transformation").InputColumnModification
        constraints.append(columns(["premise", "hypothesis"], {"premise"}))
    return textattack.Attack(goal, constraints, attack.transformation, method)


def rounds(textattack: Any, attack: Any, items: Sequence[dict[str, Any]]) -> Generator[dict[str, Any], Any, None]:
    """Messages to send; is sent the answers to what was asked last, None after a message that asks nothing."""
    waiting = list(enumerate(items))[::-1]
    live: dict[int, Attacking] = {}
    while waiting or live:
        fresh = []
        while waiting and len(live) < LIVE:
            number, item = waiting.pop()
            live[number] = Attacking(item, of_its_own(textattack, attack, item))
            fresh.append(number)
        for number in fresh:
            live[number].resume()
        ended = [number for number, thread in live.items() if thread.result is not None]
        if ended:
            yield {"found": [[number, live.pop(number).result] for number in ended]}
            continue
        asked = {number: thread.asked or [] for number, thread in live.items()}
        answers = yield {"ask": [text for texts in asked.values() for text in texts]}
        at = 0
        for number, texts in asked.items():
            live[number].resume(answers[at : at + len(texts)])
            at += len(texts)


def serve(incoming: BinaryIO, outgoing: BinaryIO) -> None:
    """Talk until the work is done or the other side has gone."""
    frames = _beside("frames")
    send, receive = frames.send, frames.receive
    try:
        textattack = imported(Path(os.environ["AUDIT_TEXTATTACK_FOLDER"]))
    except LookupError as error:  # it reads nltk's stopwords when it is imported
        send(outgoing, {"refused": _words(error)})
        return
    send(outgoing, {"ready": importlib.metadata.version("textattack")})
    while (job := receive(incoming)) is not None:
        try:
            work = rounds(textattack, built(textattack, job["recipe"], job["budget"]), job["items"])
        except MissingResourceError as error:
            send(outgoing, {"refused": str(error)})
            continue
        _talk(work, partial(receive, incoming), partial(send, outgoing))


def _talk(
    work: Generator[dict[str, Any], Any, None],
    receive: Callable[[], dict[str, Any] | None],
    send: Callable[[dict[str, Any]], None],
) -> None:
    """Send what the attacks have to say, and give them the answers, until all have ended or nobody listens."""
    message = next(work, None)
    while message is not None:
        send(message)
        answers = receive() if "ask" in message else {"answers": None}
        if answers is None:
            return
        try:
            message = work.send(answers["answers"])
        except StopIteration:
            message = None
    send({"end": True})


def _beside(name: str) -> Any:
    """A module of this folder, which is not a package for this interpreter."""
    sys.path.insert(0, str(Path(__file__).parent))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.pop(0)


def main() -> None:
    """Keep the pipe to ourselves: whatever prints, prints to the other stream."""
    outgoing = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(sys.stdin.buffer, outgoing)
    outgoing.flush()
    os._exit(0)  # threads that are parked for ever are not waited for


if __name__ == "__main__":
    main()
