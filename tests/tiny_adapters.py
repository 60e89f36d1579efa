"""Tiny adapters with random weights, as a training with peft saves them.

folder = tuned(build("roberta", tmp_path / "base", language=True), tmp_path / "adapter", r=2)
"""

from __future__ import annotations

import warnings
from pathlib import Path

from tests.tiny_models import no_progress_bar

LABELS = ("good", "fair", "poor")
LOADERS = {
    "SEQ_CLS": "AutoModelForSequenceClassification",
    "CAUSAL_LM": "AutoModelForCausalLM",
    "SEQ_2_SEQ_LM": "AutoModelForSeq2SeqLM",
}


def tuned(base: Path, folder: Path, *, kind="LORA", task="SEQ_CLS", labels=LABELS, **settings):
    """Save an adapter of random weights on `base`, as a training with peft would."""
    import peft
    import torch
    import transformers

    loader = getattr(transformers, LOADERS[task])
    names = {"id2label": dict(enumerate(labels))} if task == "SEQ_CLS" else {}
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.simplefilter("ignore")
        torch.manual_seed(1)
        network = loader.from_pretrained(base, **names)
        made = peft.get_peft_model(network, peft.get_peft_config({"peft_type": kind, "task_type": task, **settings}))
        for name, weight in made.named_parameters():
            if weight.requires_grad and "classifier" not in name:
                torch.nn.init.normal_(weight, std=0.2)  # most kinds begin as a change of nothing
        with no_progress_bar():
            made.save_pretrained(folder)
    return folder
