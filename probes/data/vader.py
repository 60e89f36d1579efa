"""Human-rated sentences in four registers: the ground truth that ships in the source archive of vaderSentiment.

Twenty raters scored each sentence from -4 (extremely negative) to +4 (extremely positive); the mean is the rating.
Sentences whose mean is nearer to zero than half a point are called neither negative nor positive and are dropped.

Reference: Hutto, Gilbert (2014). VADER: A parsimonious rule-based model for sentiment analysis of social media text.
ICWSM. The data is MIT-licensed.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from probes.core.errors import DataError
from probes.core.examples import content_hash

INNER_ARCHIVE = "additional_resources/hutto_ICWSM_2014.tar.gz"
FILES = {
    "movie": "movieReviewSnippets_GroundTruth.txt",
    "tweets": "tweets_GroundTruth.txt",
    "amazon": "amazonReviewSnippets_GroundTruth.txt",
    "nyt": "nytEditorialSnippets_GroundTruth.txt",
}
"""Domain -> file of the inner archive: film reviews, tweets, product reviews, newspaper editorials."""

LABELS = ("negative", "positive")
LEAST_RATING = 0.5


@dataclass(frozen=True, slots=True)
class Rated:
    """One sentence with the mean of its ratings, from -4 to +4."""

    text: str
    rating: float

    @property
    def label(self) -> str:
        """negative or positive, by the sign of the rating."""
        return LABELS[self.rating > 0]


def read_ratings(archive: Path) -> dict[str, list[Rated]]:
    """Domain -> sentences with a clear rating, in the order of the file.

    Members are read in memory and nothing is unpacked, so no path in the archive can reach the disk.

    Raises:
        DataError: when the archive is damaged or lacks a file.
    """
    try:
        with tarfile.open(archive, mode="r:gz") as outer:
            inner_bytes = io.BytesIO(_member(outer, INNER_ARCHIVE))
        with tarfile.open(fileobj=inner_bytes, mode="r:gz") as inner:
            return {domain: _clear(_member(inner, name)) for domain, name in FILES.items()}
    except (tarfile.TarError, EOFError, OSError, ValueError) as error:
        raise DataError(f"cannot read {archive}: {error}", hint="delete the file and try again") from error


def split_by_content(sentences: Sequence[Rated], *, held_out_in: int = 5) -> tuple[list[Rated], list[Rated]]:
    """(training, held out): about one in `held_out_in` is held out, decided by a hash of the text alone.

    So a repeated sentence never lands on both sides, and no row moves when others are added.
    """
    held_out = [int(content_hash(sentence.text), 16) % held_out_in == 0 for sentence in sentences]
    return (
        [sentence for sentence, out in zip(sentences, held_out, strict=True) if not out],
        [sentence for sentence, out in zip(sentences, held_out, strict=True) if out],
    )


def _member(archive: tarfile.TarFile, suffix: str) -> bytes:
    for member in archive:
        if member.isfile() and member.name.endswith(f"/{suffix}"):
            opened = archive.extractfile(member)
            if opened is not None:
                return opened.read()
    raise ValueError(f"no {suffix} in it")


def _clear(content: bytes) -> list[Rated]:
    # One sentence a line: id, mean rating, text. Only "\n" ends a line, so that no character of a text can.
    rows = [line.split("\t", maxsplit=2) for line in content.decode("utf-8").replace("\r\n", "\n").split("\n") if line]
    rated = [Rated(text=text.strip(), rating=float(mean)) for _, mean, text in rows]
    return [sentence for sentence in rated if abs(sentence.rating) >= LEAST_RATING]
