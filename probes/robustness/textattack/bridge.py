"""Talking to the child process: what it asks is answered by the audited model, all live attacks in one bulk."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from probes.core.answers import Floats
from probes.core.errors import ModelError, UsageError
from probes.core.examples import Text
from probes.robustness.textattack import frames

CHILD = Path(__file__).with_name("child.py")
SECONDS = 900.0
"""Longest silence of the child: loading its models and thinking between two questions."""
_DROPPED = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV")
_LAST = 5.0
"""Seconds that an end is waited for once the pipe is closed."""
_SAID = 400
"""Characters of the child's last words that an error repeats."""

WANTS: Mapping[str, str] = {
    "a2t": "counter-fitted word vectors and a sentence encoder",
    "alzantot": "counter-fitted word vectors and a language model",
    "bae": "the masked language model bert-base-uncased and the Universal Sentence Encoder",
    "bert-attack": "the masked language model bert-base-uncased and the Universal Sentence Encoder",
    "checklist": "flair's tagger of names",
    "clare": "the masked language model distilroberta-base and the Universal Sentence Encoder",
    "deepwordbug": "nltk's stopwords",
    "faster-alzantot": "counter-fitted word vectors and a language model",
    "iga": "counter-fitted word vectors",
    "kuleshov": "counter-fitted word vectors and a language model",
    "leap": "nltk's stopwords and wordnet",
    "pruthi": "nltk's stopwords",
    "pso": "HowNet",
    "pwws": "nltk's stopwords and wordnet",
    "textbugger": "counter-fitted word vectors, the Universal Sentence Encoder, and a list of lookalikes that the "
    "wheel of TextAttack 0.3.11 lacks",
    "textfooler": "counter-fitted word vectors and the Universal Sentence Encoder",
}
"""Those of its recipes whose goal is another answer of a classifier, each with the data it wants on the machine."""

Ask = Callable[[Sequence[Text]], Floats]
"""(n, labels) probabilities of n texts; a row of NaN where there is no answer."""

Progress = Callable[[int, int], None]
"""Is told how many of how many attacks have ended."""


@dataclass(frozen=True, slots=True)
class Item:
    """A text to attack.

    Attributes:
        text: of a pair, the second is attacked.
        label: position of the right label.
        seed: of everything that is drawn for it.
    """

    text: Text
    label: int
    seed: int


@dataclass(frozen=True, slots=True)
class Found:
    """What TextAttack came to.

    Attributes:
        outcome: the name of its class of results ("SuccessfulAttackResult"); "error" where it broke down on this text.
        text: at the end; None after an error.
        queries: as it counts them.
        error: its words, after an error.
    """

    outcome: str
    text: Text | None
    queries: int
    error: str = ""


@dataclass(frozen=True)
class Peer:
    """An interpreter that has TextAttack.

    Attributes:
        python: its path.
        folder: where the child keeps its marker; made when it is needed.
        version: of TextAttack, as it was found.
        seconds: longest silence that is waited for.
        script: what it runs.
        named: the variable of the environment that names the interpreter; empty where it was found otherwise.
    """

    python: Path
    folder: Path
    version: str = ""
    seconds: float = SECONDS
    script: Path = CHILD
    named: str = ""

    @property
    def told(self) -> str:
        """The interpreter, for messages."""
        return f"{self.python}, which {self.named} names" if self.named else str(self.python)

    @property
    def remedy(self) -> str:
        """What to do about an interpreter that does not do: one that is named wins over any that is built."""
        return f"correct or unset {self.named}" if self.named else _REBUILD

    def attack(
        self, recipe: str, items: Sequence[Item], ask: Ask, *, budget: int, progress: Progress | None = None
    ) -> list[Found]:
        """Attack n texts with one of TextAttack's recipes.

        Args:
            recipe: its name there ("pwws").
            budget: most texts that are asked about for one item.
            progress: is told as attacks end.

        Raises:
            UsageError: the recipe needs data that is not on this machine.
            ModelError: the child cannot be started, ended early, or was silent for too long. What it asked before is
                in the answer cache, so that another run comes to the same place quickly.
        """
        with tempfile.TemporaryFile() as errors, self._started(errors) as process:
            try:
                talk = _Talk(process, errors, self)
                if "refused" in (first := talk.receive()):
                    raise _missing(recipe, first["refused"])
                talk.send({"recipe": recipe, "budget": budget, "items": [_item(item) for item in items]})
                return _found(recipe, items, ask, talk, progress)
            finally:
                process.kill()
                with contextlib.suppress(OSError):  # where it ended first, what it was not told is still in the pipe
                    cast(BinaryIO, process.stdin).close()

    def _started(self, errors: IO[bytes]) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                [str(self.python), "-s", "-P", str(self.script)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=_environment(os.environ, self.folder),
            )
        except OSError as error:
            raise ModelError(
                f"TextAttack's interpreter cannot be started: {self.told}: {error.strerror}", hint=self.remedy
            ) from error


_REBUILD = "build its environment with `audit textattack install`"


def _environment(own: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Without what would lead the child to our packages, to the network or to an accelerator."""
    kept = {name: value for name, value in own.items() if name not in _DROPPED}
    return kept | {
        "AUDIT_TEXTATTACK_FOLDER": str(folder),
        "AUDIT_TEXTATTACK_CACHE": own.get("TA_CACHE_DIR", str(Path("~/.cache/textattack").expanduser())),
        "CUDA_VISIBLE_DEVICES": "",
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "PYTHONHASHSEED": "0",
    }


class _Talk:
    """Messages to and from the child, with an end to waiting."""

    def __init__(self, process: subprocess.Popen[bytes], errors: IO[bytes], peer: Peer) -> None:
        stdin, stdout = cast(BinaryIO, process.stdin), cast(BinaryIO, process.stdout)  # both are pipes
        self._stdin, self._errors, self._seconds = stdin, errors, peer.seconds
        self._process, self._peer = process, peer
        self._incoming: queue.Queue[dict[str, Any] | None] = queue.Queue()
        threading.Thread(target=self._listen, args=(stdout,), daemon=True).start()

    def _listen(self, stdout: BinaryIO) -> None:
        message: dict[str, Any] | None = {}
        while message is not None:
            try:
                message = frames.receive(stdout)
            except (OSError, ValueError):  # closed, or something else than a message
                message = None
            self._incoming.put(message)

    def send(self, message: dict[str, Any]) -> None:
        try:
            frames.send(self._stdin, message)
        except OSError as error:
            raise self._gone() from error

    def receive(self) -> dict[str, Any]:
        """The next message.

        Raises:
            ModelError: there is none.
        """
        try:
            message = self._incoming.get(timeout=self._seconds)
        except queue.Empty:
            raise ModelError(
                f"TextAttack has not said anything for {self._seconds:.0f} seconds",
                hint="its attack was ended; run the same command again, or leave this recipe out",
            ) from None
        if message is None:
            raise self._gone()
        return message

    def _gone(self) -> ModelError:
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace").strip().splitlines()
        last = f": {said[-1][:_SAID]}" if said else ""
        how, killed = _ended(self._process)
        remedy = "" if killed else f"; if it ends again, {self._peer.remedy}"
        return ModelError(
            f"TextAttack's process ({self._peer.told}) ended before its work was done, {how}{last}",
            hint=f"the same command again goes on with the answers it has{remedy}",
        )


def _ended(process: subprocess.Popen[bytes]) -> tuple[str, bool]:
    """How a process ended, and whether it was a signal from elsewhere."""
    try:
        status = process.wait(timeout=_LAST)
    except subprocess.TimeoutExpired:  # it closed its end of the pipe, or wrote something else into it
        return "though it runs on", False
    if status >= 0:
        return f"with exit status {status}", False
    known = {int(each): each.name for each in signal.Signals}
    return f"killed by {known.get(-status, f'signal {-status}')}", True


def _item(item: Item) -> dict[str, Any]:
    text = item.text if isinstance(item.text, str) else list(item.text)
    return {"text": text, "label": item.label, "seed": item.seed}


def _found(recipe: str, items: Sequence[Item], ask: Ask, talk: _Talk, progress: Progress | None) -> list[Found]:
    results: dict[int, dict[str, Any]] = {}
    while True:
        message = talk.receive()
        if "ask" in message:
            talk.send({"answers": ask([_text(text) for text in message["ask"]]).tolist()})
        elif "found" in message:
            results.update({int(number): result for number, result in message["found"]})
            _refuse_missing(recipe, results.values())
            if progress is not None:
                progress(len(results), len(items))
        elif "refused" in message:
            raise _missing(recipe, message["refused"])
        else:
            return [_result(results[number]) for number in range(len(items))]


def _refuse_missing(recipe: str, results: Any) -> None:
    for result in results:
        if "missing" in result:
            raise _missing(recipe, result["missing"])


def _missing(recipe: str, what: str) -> UsageError:
    return UsageError(
        f"TextAttack's recipe {recipe!r} needs {WANTS.get(recipe, 'data')}; not on this machine: {what}",
        hint="an audit downloads nothing: nltk's data goes into a folder that NLTK_DATA names, other data TextAttack "
        "downloads itself, once, when the recipe is run with it",
    )


def _text(text: Any) -> Text:
    return text if isinstance(text, str) else (text[0], text[1])


def _result(result: Mapping[str, Any]) -> Found:
    if "error" in result:
        return Found("error", None, 0, result["error"])
    return Found(result["outcome"], _text(result["text"]), int(result["queries"]))
