"""A GGUF file as an ordinary folder."""

from __future__ import annotations

import numpy as np
import pytest

from probes.core.generations import Decoding
from probes.model.card import describe
from probes.model.load import load
from probes.model.resave import resave
from tests.probes.model.test_gguf import convert
from tests.tiny_models import CHAT, SENTENCES

pytestmark = pytest.mark.engine


def test_the_folder_answers_as_the_file_and_loads_as_any_other(tiny, tmp_path, capfd):
    llama = tiny("llama", language=True, config={"intermediate_size": 64, "tie_word_embeddings": False})
    file = convert(llama, tmp_path / "tiny.gguf", kind="Q8_0", chat=CHAT)
    resave(file, tmp_path / "out")
    assert capfd.readouterr().err == ""
    whole, card = load(str(file)), describe(str(tmp_path / "out"))
    again = load(card)
    assert (card.weights_format, card.quantisation, card.dtype, card.chat) == ("safetensors", None, "float32", True)
    np.testing.assert_array_equal(again.score(SENTENCES).totals, whole.score(SENTENCES).totals)
    prompts, short = SENTENCES[:2], Decoding(max_tokens=5)
    assert again.generate(prompts, short).texts == whole.generate(prompts, short).texts
