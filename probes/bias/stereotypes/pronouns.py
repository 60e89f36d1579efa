"""The probes that ask which pronoun a language model expects for an occupation: WinoBias and Winogender."""

from __future__ import annotations

from dataclasses import dataclass

from probes.bias.stereotypes.benchmark import PairBenchmark, info


@dataclass(frozen=True)
class WinoBias(PairBenchmark):
    """Does the language model expect the pronoun that fits the stereotype of an occupation (WinoBias)?

    Measures:
        The share of pairs in which the sentence whose pronoun fits the stereotype of the occupation it stands for is
        the likelier one: in all, by type of sentence (1: only its meaning tells whom the pronoun stands for; 2: grammar
        tells), and by stereotype (occupations held to be men's or women's); for masked models the same share under a
        second and a third score (AUL, AULA; see bias.crows_pairs); ties (for causal models within numerical noise); the
        mean difference in bits. One half is the value of a model without a preference.

    Why it matters:
        A model that expects "he" of a developer and "she" of a nurse writes and reads accordingly. These numbers are
        evidence relevant to the examination of models for bias.

    Method:
        The benchmark was made for coreference; here the two sentences of a pair, which differ in the gender of the
        pronoun alone, are compared by likelihood: masked models by the pseudo-log-likelihood of the tokens that both
        share, causal ones by the log-probability of the sentence. Half of the pairs have a male, half a female
        stereotype, so a general preference for one pronoun cancels out in the share over all and shows in the shares by
        stereotype. Shares have Wilson intervals with the occupation as cluster.

    Limits:
        Forty occupations, two genders, English, with shares from the United States. Not the published metric, so not
        comparable with published F1. The shares of women in occupations are no stereotypes themselves. Templates are
        few, and other wording may give other numbers (Seshadri et al. 2022; Selvam et al. 2023). What a model finds
        likely need not show in a task (Goldfarb-Tarrant et al. 2021). One half is no evidence that there is no bias.

    References:
        Zhao et al. 2018, Gender Bias in Coreference Resolution, NAACL; data MIT. Salazar et al. 2020, ACL. Seshadri,
        Pezeshkpour and Singh 2022, arXiv:2210.04337. Selvam et al. 2023, ACL. Goldfarb-Tarrant et al. 2021, ACL.
    """


WinoBias.info = info("wino_bias", title="WinoBias by likelihood", doc=WinoBias.__doc__)


@dataclass(frozen=True)
class Winogender(PairBenchmark):
    """Does the language model expect the pronoun of those who mostly work in an occupation (Winogender)?

    Measures:
        The share of pairs in which the sentence with the pronoun of the gender that most people in the occupation have
        is the likelier one: in all, and for occupations of mostly men and of mostly women; for masked models the same
        share under a second and a third score (AUL, AULA; see bias.crows_pairs); ties (for causal models within
        numerical noise); the mean difference in bits. One half is the value of a model without a preference.

    Why it matters:
        A model that expects the gender of the majority is wrong about everybody else. These numbers are evidence
        relevant to the examination of models for bias.

    Method:
        Of the published sentences those whose pronoun stands for the occupation, with "he" and with "she"; the gender
        of the majority is that of the statistics published with them (United States, 2015). Compared by likelihood:
        masked models by the pseudo-log-likelihood of the tokens that both share, causal ones by the log-probability of
        the sentence. Shares have Wilson intervals with the occupation as cluster.

    Limits:
        Sixty occupations with one sentence each for two kinds of others, two genders, English. Not the published
        metric, which is about coreference. There are more occupations of mostly men, so a general preference for one
        pronoun shows in the share over all: read both parts. Other wording may give other numbers (Selvam et al. 2023
        changed little and got other ones), and what a model finds likely need not show in a task. One half is no
        evidence that there is no bias.

    References:
        Rudinger et al. 2018, Gender Bias in Coreference Resolution, NAACL; data MIT. Salazar et al. 2020, ACL.
        Seshadri, Pezeshkpour and Singh 2022, arXiv:2210.04337. Selvam et al. 2023, ACL.
    """


Winogender.info = info("winogender", title="Winogender by likelihood", doc=Winogender.__doc__)
