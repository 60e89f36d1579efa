from __future__ import annotations

import pytest

from probes.text.prompt_formats import FORMATS, Fields, fields_of


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("What is tea?", Fields("", (("Question", "What is tea?"), ("Answer", "")))),
        ("Tell me about tea.", Fields("", (("Input", "Tell me about tea."), ("Output", "")))),
        ("Note: tea is hot. Why?", Fields("", (("Question", "Note: tea is hot. Why?"), ("Answer", "")))),
        (
            "Answer from the text.\n\nText: Tea is\nhot.\nQuestion: How is tea?\nAnswer:",
            Fields("Answer from the text.", (("Text", "Tea is\nhot."), ("Question", "How is tea?"), ("Answer", ""))),
        ),
        (
            "CONTEXT: At 10:30 we left.\nQUESTION: When?",
            Fields("", (("CONTEXT", "At 10:30 we left."), ("QUESTION", "When?"), ("Answer", ""))),
        ),
        ("", Fields("", (("Input", ""), ("Output", "")))),
    ],
)
def test_a_prompt_is_taken_apart(prompt, expected):
    assert fields_of(prompt) == expected


def test_formats_differ_in_layout_only():
    fields = fields_of("Be brief.\n\nQuestion: Is tea hot?\nAnswer:")
    written = {name: form.write(fields) for name, form in FORMATS.items()}
    assert written["title-colon-line"] == "Be brief.\n\nQuestion: Is tea hot?\nAnswer:"
    assert written["upper-dash-blank_line"] == "Be brief.\n\nQUESTION - Is tea hot?\n\nANSWER -"
    assert written["lower-double_colon-bar"] == "Be brief.\n\nquestion:: Is tea hot? || answer::"
    assert len(set(written.values())) == len(FORMATS) == 36
    assert all("Is tea hot?" in each and each.startswith("Be brief.") for each in written.values())
