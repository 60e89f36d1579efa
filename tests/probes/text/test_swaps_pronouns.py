from __future__ import annotations

import pytest

from probes.text.grammar import Words
from probes.text.pronouns import kind_of_her, kind_of_his

HER_OBJECT = (
    "I love her.", "They told her to leave.",
    "We saw her at the station", "I met her yesterday", "He asked her if she knew",
    "She hurt herself and they took her to hospital", "I believe her", "Nobody likes her because she lies",
    "he looked at her and smiled", "Tell her that I called", "I gave it to her!", "Let her go", "It made her cry",
    "I heard her singing in the shower", "We saw her walking home", "All of her is lost",
    "Around her the crowd cheered",
    "I trust her completely.", "He loves her very much? No, her.", "Don't call her a liar", "it reminded her of home",
    "They paid her in cash", "the man behind her is my boss", "I would not marry her, ever", "We wish her the best",
    "I know her from school", "Ask her again", "They want her out", "he married her when they were young",
    "I like her too",
    "What happened to her was awful", "Help her understand", "without her I am lost", "I'll see her tomorrow",
    "lock her up", "she said it (but nobody believed her)", "I hate her so much", "Give her the keys",
    "he knew her as a child", "I told her about it", "They found her in the river", "Do you remember her?",
)  # fmt: skip
HER_POSSESSIVE = (
    "Her mother is kind", "I read her first novel", "She sold her house", "He took her hand", "I know her husband",
    "She lost her own keys", "in her view", "her best film", "This is her latest movie", "Her performance is great",
    "We like her new boss", "She did her job", "I admire her wit", "her quiet blue eyes", "at her wedding",
    "She raised her children alone", "He praised her acting", "her in-laws came", "to her surprise", "he saw her face",
    "her ex-husband called", "She broke her leg", "on her own", "Her political career is over", "for her sake",
    "She wore her red dress", "with all her heart", "her beautiful voice", "her only friend", "despite her fame",
    "She quit her band", "We met her parents", "She opened her laptop", "through her lens",
)  # fmt: skip
HIS_POSSESSIVE = (
    "his mother", "He lost his keys", "It was his best work", "his quiet life", "in his view", "his own fault",
    "his singing was bad", "he fed his dog", "his 1990 film", "his in-laws", "his then girlfriend", "his two sons",
    "his ex-wife", "on his way",
)  # fmt: skip
HIS_ALONE = ("The car is his.", "a friend of his", "that book of his is bad", "It is his, not mine", "Is this his?",
             "his is better: the choice was his to make", "a cousin of his in Rome")  # fmt: skip
UNDECIDED = (
    "I want her back", "he called her names", "they gave her flowers", "her … well", "I saw her duck",
    "He gave her money",
    "everyone around her seemed happy", "his/her", "I made her work",
)  # fmt: skip


def last(text, word):
    words = Words(text)
    return words, max(at for at, low in enumerate(words.low) if low == word)


@pytest.mark.parametrize(
    ("text", "right"),
    [*((text, "pronoun_object") for text in HER_OBJECT), *((text, "pronoun_possessive") for text in HER_POSSESSIVE)],
)
def test_her_is_never_misread(text, right):
    assert kind_of_her(*last(text, "her")) in (right, None)


@pytest.mark.parametrize(
    ("text", "right"),
    [
        *((text, "pronoun_possessive") for text in HIS_POSSESSIVE),
        *((text, "pronoun_possessive_alone") for text in HIS_ALONE),
    ],
)
def test_his_is_never_misread(text, right):
    assert kind_of_his(*last(text, "his")) in (right, None)


def test_most_are_settled():
    cases = (*HER_OBJECT, *HER_POSSESSIVE)
    settled = [kind_of_her(*last(text, "her")) is not None for text in cases]
    assert sum(settled) >= 0.9 * len(cases), [text for text, done in zip(cases, settled, strict=True) if not done]
    his = [kind_of_his(*last(text, "his")) for text in (*HIS_POSSESSIVE, *HIS_ALONE)]
    assert sum(kind is not None for kind in his) >= 0.9 * len(his)


@pytest.mark.parametrize("text", UNDECIDED)
def test_what_the_neighbours_do_not_settle_stays_undecided(text):
    word = "his" if "his/" in text else "her"
    kind = kind_of_his if word == "his" else kind_of_her
    assert kind(*last(text, word)) is None
