"""The same content as it comes through another channel: a post, a chat, a transcript, a mail, a list."""

from __future__ import annotations

import random
import re

from probes.shift.synthetic.sentences import drawn, sentences
from probes.text.perturbations.casing import lower_case
from probes.text.perturbations.chains import in_turn
from probes.text.perturbations.context import url_handle_noise
from probes.text.perturbations.contractions import contractions
from probes.text.perturbations.perturbation import Family, Perturbation, edit_share
from probes.text.perturbations.punctuation import punctuation_stripped
from probes.text.perturbations.register import emoji, slang

SHARES = (0.2, 0.4, 0.6, 0.8, 1.0)
"""Share of the sentence ends that become the end of a message at each severity."""

_FULL_STOP = re.compile(r"(?<=[^\W\d_]{3})(?<!\bMrs)\.(?:[^\S\n]+(?=[^\W\d_])|(?=\s*\Z))")


def social_media(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive the text as a post on social media?

    Measures: how often and how far the answer moves when abbreviations, small letters, emoji without sentiment, and
        links, handles and hashtags around the text come together.

    Why it matters: a model tuned on edited prose is often used on posts.

    Method: abbreviations and slang from our list, lower case, neutral emoji, and made-up links, handles and hashtags,
        in this order, at the same severity (1 to 5) with randomness of their own.

    Limits: the mixture is ours and is not fitted to a corpus of posts; spelling for emphasis, memes and pictures are
        not imitated.

    References: Eisenstein 2013, What to do about bad language on the internet, NAACL; Ribeiro et al. 2020, Beyond
        Accuracy: Behavioral Testing of NLP Models with CheckList, ACL.
    """
    return in_turn(text, severity, rng, (slang, lower_case, emoji, url_handle_noise))


def chat(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive the text as messages in a chat?

    Measures: how often and how far the answer moves when full stops become the ends of messages, and contractions,
        chat abbreviations and small letters are used.

    Why it matters: support desks and assistants read chats, and test sets seldom hold any.

    Method: 20, 40, 60, 80 or 100 % of the full stops between sentences become new lines and the last one goes; then
        contractions, abbreviations from our list and lower case, at the same severity (1 to 5) with randomness of
        their own.

    Limits: one writer, no turns of another speaker; typing slips are not imitated (robustness.keyboard_typos does).

    References: Eisenstein 2013, What to do about bad language on the internet, NAACL; Baldwin et al. 2015, Shared
        Tasks of the 2015 Workshop on Noisy User-generated Text, W-NUT.
    """
    return in_turn(text, severity, rng, (_messages, contractions, slang, lower_case))


def transcript(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive a transcript without punctuation and capital letters?

    Measures: how often and how far the answer moves when punctuation at the edges of words and capital letters go.

    Why it matters: many recognisers of speech write words only, and a model that leans on marks and capitals loses
        what it leans on.

    Method: 20, 40, 60, 80 or 100 % of the runs of marks at the edges of words are removed, and 10, 25, 50, 75 or 100 %
        of the capitalised words are put in small letters (severity 1 to 5). Nothing is misheard and nothing repeated.

    Limits: question and exclamation marks go as well, and with them some tone. Errors of recognition are not imitated
        (robustness.chain_voice_transcript does).

    References: Ravichander et al. 2021, NoiseQA: Challenge Set Evaluation for User-Centric Question Answering, EACL;
        Mayhew, Tsygankova and Roth 2019, ner and pos when nothing is capitalized, EMNLP.
    """
    return in_turn(text, severity, rng, (punctuation_stripped, lower_case))


def forwarded_mail(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive the text quoted and forwarded by mail?

    Measures: how often and how far the answer moves when the text stands as a quotation in a mail, with what mail
        programs put around it.

    Why it matters: complaints and reports are passed on by mail, and the frame is no evidence for any answer.

    Method: severity 1 marks each line as quoted and names a made-up writer; 2 adds a neutral note above, 3 a header
        with a sender at the reserved domain example.com, 4 a signature below, 5 a notice about the addressee. The words
        of the text are unchanged.

    Limits: plain-text mail in English; where the task is about mail itself (spam), a changed answer may be right. A
        text near the model's maximum length loses words at its end.

    References: RFC 3676 section 4.5 (quoting in plain-text mail); RFC 2606 (example.com); Naik et al. 2018, Stress Test
        Evaluation for Natural Language Inference, COLING.
    """
    if not text.strip():
        return text
    frame = drawn("mail_frames", rng)
    quoted = "\n".join(f"> {line}" for line in text.split("\n"))
    above = [frame["header"]][: severity >= 3] + [frame["note"]][: severity >= 2] + [frame["attribution"]]
    below = ["-- \n" + frame["signature"]][: severity >= 4] + [frame["notice"]][: severity >= 5]
    return "\n\n".join((*above[:-1], f"{above[-1]}\n{quoted}", *below))


def list_or_table(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive the text as a list or a table?

    Measures: how often and how far the answer moves when each sentence stands in a line of a list or a row of a table.

    Why it matters: forms, exports of spreadsheets and slides hold the same sentences in cells and bullets.

    Method: severity 1 puts each sentence behind a bullet; 2 adds a heading; 3 makes rows with numbers and bars; 4 adds
        the head of the table; 5 adds a column of made-up reference numbers. The words of the text are unchanged.

    Limits: plain text with bars as in Markdown; a real table spreads a sentence over columns, which is not imitated.

    References: Naik et al. 2018, Stress Test Evaluation for Natural Language Inference, COLING; Sclar et al. 2024,
        Quantifying Language Models' Sensitivity to Spurious Features in Prompt Design, ICLR.
    """
    cells = sentences(text)
    if not cells:
        return text
    heading = rng.choice(("Notes:", "Entries:", "Items:", "List:"))
    start = rng.randrange(1000, 9000)
    if severity <= 2:
        return "\n".join(([heading] if severity == 2 else []) + [f"- {cell}" for cell in cells])
    columns = ("No.", "Text", "Reference")[: 3 if severity == 5 else 2]
    table = [(str(number), cell, str(start + number)) for number, cell in enumerate(cells, start=1)]
    lines = [_row(cells[: len(columns)]) for cells in table]
    head = [_row(columns), _row(["---"] * len(columns))] if severity >= 4 else []
    return "\n".join((heading, *head, *lines))


def _row(cells: tuple[str, ...] | list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _messages(text: str, severity: int, rng: random.Random) -> str:
    return edit_share(text, rng, pattern=_FULL_STOP, edit=_message_end, share=SHARES[severity - 1])


def _message_end(found: str, _rng: random.Random) -> str:
    return "\n" if len(found) > 1 else ""


CHANNELS: tuple[Perturbation, ...] = (
    Perturbation(
        name="social_media",
        title="Social media",
        family=Family.CHAIN,
        apply=social_media,
        meaning="mostly_kept",
    ),
    Perturbation(name="chat", title="Chat", family=Family.CHAIN, apply=chat, meaning="mostly_kept"),
    Perturbation(
        name="transcript",
        title="Transcript without punctuation and capitals",
        family=Family.CHAIN,
        apply=transcript,
        meaning="mostly_kept",
    ),
    Perturbation(
        name="forwarded_mail",
        title="Quoted and forwarded mail",
        family=Family.CONTEXT,
        apply=forwarded_mail,
        meaning="kept",
    ),
    Perturbation(
        name="list_or_table", title="List or table", family=Family.CONTEXT, apply=list_or_table, meaning="kept"
    ),
)
