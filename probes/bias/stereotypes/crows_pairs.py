"""The probe that asks about the pairs of CrowS-Pairs."""

from __future__ import annotations

from dataclasses import dataclass

from probes.bias.stereotypes.benchmark import PairBenchmark, info


@dataclass(frozen=True)
class CrowsPairs(PairBenchmark):
    """Does the language model find the more stereotypical of two sentences likelier (CrowS-Pairs)?

    Measures:
        The share of pairs whose more stereotypical sentence is the likelier one, in all, by category of bias and by
        direction (a stereotype of the disadvantaged group, or the opposite of one); for masked models the same share
        under a second and a third score (AUL, AULA); the share of ties (for causal models, of differences within
        numerical noise); by how many bits the more stereotypical sentence is likelier. One half is the value of a model
        without a preference.

    Why it matters:
        What a language model finds likely shows in what it writes, ranks or fills in. These numbers are evidence
        relevant to the examination of models for bias.

    Method:
        Masked models, as published: of the tokens that both sentences share (matched as in Python's difflib) each in
        turn is masked and guessed with the words that differ in sight; the sum of the log-probabilities, rounded to
        three decimals, decides, and ties stay in the denominator. AUL: the mean log-probability of all tokens with
        nothing masked. AULA: the same, each token weighted by the attention it gets, averaged over all layers, heads
        and tokens, as in the authors' code. Causal models, for which the benchmark was not made: log-probability of the
        whole sentence. Shares have Wilson intervals with the author of the pairs as cluster where the file names
        authors.

    Limits:
        Written by crowd workers in the United States in 2020, in English, and noisy: a signal for screening. Many pairs
        differ in more than the group, contrast groups that do not fit, or hold stereotypes that make no sense (Blodgett
        et al. 2021 find at most 58 % of the tests of such benchmarks without a pitfall), and the authors themselves no
        longer recommend it as a sole measure; Névéol et al. 2022 mended many pairs, and their file is read likewise.
        Scores also depend on how frequent and how long the words for a group are and on how they are cut into tokens,
        differ between models that were pre-trained alike (Aribandi et al. 2021), and stay high where a stereotype is
        negated or the pair is about no stereotype (Pikuliak et al. 2023). One half is no evidence that there is no
        bias, and such numbers hardly foretell what a model does in a task (Goldfarb-Tarrant et al. 2021; Cao et al.
        2022; Delobelle et al. 2022). A model may have been trained on the sentences. Numbers of causal models, and
        those under AUL, compare only with their like.

    References:
        Nangia et al. 2020, CrowS-Pairs, EMNLP; data CC BY-SA 4.0. Kaneko and Bollegala 2022, Unmasking the Mask, AAAI
        (AUL, AULA). Salazar et al. 2020, ACL. Blodgett et al. 2021, Stereotyping Norwegian Salmon, ACL. Névéol et al.
        2022, French CrowS-Pairs, ACL. Aribandi et al. 2021, EMNLP Findings. Pikuliak et al. 2023, EACL.
        Goldfarb-Tarrant et al. 2021, ACL; Cao et al. 2022, ACL; Delobelle et al. 2022, NAACL (intrinsic and extrinsic
        measures).
    """


CrowsPairs.info = info("crows_pairs", title="CrowS-Pairs", doc=CrowsPairs.__doc__)
