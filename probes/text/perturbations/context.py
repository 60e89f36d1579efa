"""Text around the text: links, handles, sentences about something else, the frame of a forwarded message."""

from __future__ import annotations

import random

from probes.text.lexicon import rows
from probes.text.perturbations.perturbation import Family, Perturbation

_HASHTAGS = ("#update", "#note", "#info", "#thread", "#post", "#repost", "#today", "#text")
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
_ENDS = tuple(".!?…:;\"'”’)]")


def url_handle_noise(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive links, handles and hashtags around the text?

    Measures: how often and how far the answer moves when made-up links, user handles and hashtags are put before or
        behind the text.

    Why it matters: posts and messages carry them everywhere and they say nothing about the content; models often
        learn them as shortcuts.

    Method: as many items as the severity (1 to 5), each a link to the reserved domain example.com, a handle of
        "user" and digits, or a neutral hashtag, are put before or behind the text. Higher severities add to the
        lower ones. The text itself is unchanged.

    Limits: in tasks where the presence of a link counts (spam), a changed answer can be right; a handle may by
        chance be someone's.

    References: Ribeiro et al. 2020, Beyond Accuracy: Behavioral Testing of NLP Models with CheckList, ACL (which
        adds random links and handles to tweets); RFC 2606 (example.com).
    """
    if not text.strip():
        return text
    items = [(_item(rng), rng.random() < 0.3) for _ in range(5)][:severity]
    before = [item for item, first in items if first]
    behind = [item for item, first in items if not first]
    return " ".join((*before, text, *behind))


def irrelevant_suffix(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive sentences about nothing at the end?

    Measures: how often and how far the answer moves when neutral sentences ("Sent from my phone.", "Page 1 of 1.")
        follow the text.

    Why it matters: signatures, footers and page numbers stick to real text. They are no evidence for any answer,
        and distracting text is among the oldest ways to break a reading model.

    Method: as many different sentences as the severity (1 to 5) from a list of our own, without sentiment or topic,
        are put behind the text. Higher severities add to the lower ones. The text itself is unchanged.

    Limits: a text near the model's maximum length may be cut differently; for tasks about phones or documents a
        sentence could be on topic.

    References: Jia and Liang 2017, Adversarial Examples for Evaluating Reading Comprehension Systems, EMNLP; Naik
        et al. 2018, Stress Test Evaluation for Natural Language Inference, COLING.
    """
    sentences = _some("irrelevant_suffixes", severity, rng)
    return f"{text}{_joint(text)}{sentences}" if text.strip() else text


def irrelevant_prefix(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive sentences about nothing at the start?

    Measures: how often and how far the answer moves when neutral sentences ("Message follows.", "Today is
        Wednesday.") precede the text.

    Why it matters: greetings, headers and small talk come first in real messages and push the content back, towards
        the place where a model truncates and away from where it looks first.

    Method: as many different sentences as the severity (1 to 5) from a list of our own, without sentiment or topic,
        are put before the text. Higher severities add to the lower ones. The text itself is unchanged.

    Limits: a text near the model's maximum length loses words at its end, which is a finding about truncation; for
        tasks about such things as calendars a sentence could be on topic.

    References: Jia and Liang 2017, Adversarial Examples for Evaluating Reading Comprehension Systems, EMNLP; Shi et
        al. 2023, Large Language Models Can Be Easily Distracted by Irrelevant Context, ICML.
    """
    sentences = _some("irrelevant_prefixes", severity, rng)
    return f"{sentences} {text}" if text.strip() else text


def forwarded_message(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive the frame of a forwarded message?

    Measures: how often and how far the answer moves when the text is quoted as in a forwarded e-mail.

    Why it matters: complaints and reports are often passed on; the quoted words are what counts, and the frame
        should not decide.

    Method: a line "Forwarded message" is put above the text and each line gets the quotation mark "> ", once for
        each severity (1 to 5). The words are unchanged.

    Limits: plain-text quotation only; where the task is about the sender, forwarding may matter.

    References: RFC 3676 section 4.5 (quoting in plain-text mail); Naik et al. 2018, Stress Test Evaluation for
        Natural Language Inference, COLING.
    """
    if not text.strip():
        return text
    for _ in range(severity):
        quoted = "\n".join(f"> {line}" for line in text.split("\n"))
        text = f"---------- Forwarded message ----------\n{quoted}"
    return text


def _item(rng: random.Random) -> str:
    code = "".join(rng.choice(_LETTERS) for _ in range(6))
    return rng.choice((f"https://example.com/{code}", f"@user{rng.randrange(1000, 10000)}", rng.choice(_HASHTAGS)))


def _some(lexicon: str, count: int, rng: random.Random) -> str:
    return " ".join(sentence for (sentence,) in rng.sample(rows(lexicon), 5)[:count])


def _joint(text: str) -> str:
    """A text that does not end like a sentence keeps the added one off by a new line."""
    if text[-1].isspace():
        return ""
    return " " if text.endswith(_ENDS) else "\n"


PERTURBATIONS: tuple[Perturbation, ...] = tuple(
    Perturbation(name=apply.__name__, title=title, family=Family.CONTEXT, apply=apply, meaning="kept")
    for apply, title in (
        (url_handle_noise, "Links, handles, hashtags"),
        (irrelevant_suffix, "Irrelevant sentences at the end"),
        (irrelevant_prefix, "Irrelevant sentences at the start"),
        (forwarded_message, "Forwarded message"),
    )
)
