"""Sequences that begin alike as one row of a network: a tree that holds each token they have in common once.

A token looks at those before it in its own sequences alone, and has the place it has there; so one pass gives what the
sequences one by one would give (as trees of drafts are checked in Miao et al. 2024, "SpecInfer").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from probes.core.answers import Bools, Ints
from probes.model.batching import Batch
from probes.model.families import Families
from probes.model.forward import Forward
from probes.model.sequences import Sequences
from probes.model.substitution import named


@dataclass(frozen=True, slots=True, kw_only=True)
class Trees:
    """Families of sequences, each as one row of nodes.

    Attributes:
        nodes: (trees,) rows of the tokens of the nodes.
        places: (nodes,) where each stands in the sequences it is part of.
        owners: (sequences,) the tree of each sequence, in the order of the families.
        paths: of each sequence, in that order, its nodes.
    """

    nodes: Sequences
    places: Ints
    owners: Ints
    paths: list[Ints]

    @classmethod
    def of(cls, sequences: Sequences, families: Families) -> Trees:
        """Put together the sequences of each family."""
        own = sequences.take(families.order)
        places = np.arange(len(own.ids)) - np.repeat(own.starts[:-1], own.lengths)
        new = places >= np.repeat(families.shared, own.lengths)
        kept = own.where(new)
        return cls(
            nodes=Sequences(ids=kept.ids, types=kept.types, starts=kept.starts[families.starts]),
            places=places[new],
            owners=np.repeat(np.arange(len(families.costs)), np.diff(families.starts)),
            paths=_paths(families.shared.tolist(), own.lengths.tolist()),
        )

    @property
    def branch(self) -> bool:
        """Does any of them hold more than one sequence."""
        return len(self.paths) > len(self.nodes)

    def inputs(self, forward: Forward) -> dict[str, Any]:
        """What the network is given: (trees, longest) ids, and what says where they stand and where they look."""
        ids, mask, types = forward.inputs(Batch(self.nodes))
        if not self.branch:
            return named(ids, mask, types)
        places = np.zeros(ids.shape, dtype=np.int64)
        places[np.arange(ids.shape[1]) < self.nodes.lengths[:, None]] = self.places
        seen = torch.from_numpy(self._seen(ids.shape[1])).to(ids.device)[:, None]
        number = forward.network.dtype
        hidden = torch.zeros(seen.shape, dtype=number, device=ids.device)
        hidden = hidden.masked_fill(~seen, torch.finfo(number).min)
        return {"input_ids": ids, "attention_mask": hidden, "position_ids": forward.moved(places)}

    def _seen(self, longest: int) -> Bools:
        """(trees, longest, longest): whether a node looks at another one; padding looks at itself, lest it has none."""
        seen = np.zeros((len(self.nodes), longest, longest), dtype=bool)
        seen[:, np.arange(longest), np.arange(longest)] = True
        for tree, path in zip(self.owners.tolist(), self.paths, strict=True):
            seen[tree][np.ix_(path, path)] |= np.tri(len(path), dtype=bool)
        return seen


def _paths(shared: list[int], lengths: list[int]) -> list[Ints]:
    """The nodes of each sequence: first those in common with the one before it, then its own."""
    paths: list[Ints] = []
    size = 0
    for common, length in zip(shared, lengths, strict=True):
        size = size if common else 0
        own = np.arange(size, size + length - common)
        paths.append(np.concatenate([paths[-1][:common], own]) if common else own)
        size += len(own)
    return paths
