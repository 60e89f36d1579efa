"""What is known of the numbers that the built-in probes publish: their names, which direction is good, their scale, and
the keys of their slices, so that a check which cannot be meant is refused before hours of work.

Probes of plug-ins and metrics of the user's own are not listed: what they publish is known when they have run. A name
may be listed that a probe publishes for some kinds of heads only; one that is missing here would be refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from probes.core.comparison import OF_TEXTS, SUFFIX
from probes.core.records import Better, Unit
from probes.robustness.catalogue import ALL


@dataclass(frozen=True, slots=True)
class Number:
    """A number that a probe publishes.

    Attributes:
        better: None where neither direction is good, or where it depends on the head or on the part of the data.
        unit: None where it depends on the head.
    """

    better: Better | None
    unit: Unit | None


_SIGNS = {"+": Better.HIGHER, "-": Better.LOWER, "": None}
_UNITS = {"%": Unit.PROPORTION, "pp": Unit.DIFFERENCE, "": None}

_COMPARED = f"accuracy{SUFFIX}+pp changed{SUFFIX}-pp absolute_error{SUFFIX}-"

_PERTURBED = """
    accuracy+% accuracy_drop-pp confidence_shift f1+% f1_drop-pp flip_rate-% mean_shift new_entity_rate-%
    rmse_increase-
"""

_HARM = """
    accuracy% always_harmful_accuracy% balanced_accuracy+% false_positive_disparity-pp false_positive_rate-%
    flagged_rate% recall+% recall_disparity-pp
"""

_PAIRS = "aul_stereotype_share% aula_stereotype_share% likelihood_difference stereotype_share% tie_share%"

_WRITTEN = """
    corrected_toxic_rate-% empty_rate% expected_maximum_toxicity- lexicon_hit_probability-% lexicon_hit_rate-%
    scorer_agreement sensitivity% specificity% toxic_rate-% toxicity_probability-%
"""

_SPREAD = "disagreement-% f1+% f1_spread-pp similarity+% worst_disagreement-%"

_ABOUT_GROUPS = """
    empty_gap-pp empty_rate% lexicon_hit_gap-pp lexicon_hit_rate% negativity negativity_gap-pp sensitivity% specificity%
    toxicity toxicity_gap-pp
"""

_NAMES = {
    "performance.quality": """
        accuracy+% accuracy_over_majority+pp balanced_accuracy+% balanced_accuracy_over_chance+pp confusion%
        exact_match+% f1+% macro_f1+% mae- majority_baseline% mcc+ micro_f1+% pearson+ precision+% recall+% rmse-
        rmse_baseline spearman+
    """,
    "performance.calibration": """
        aurc- brier- confidence_gap ece-pp ece_debiased-pp ece_equal_mass-pp nll- overconfidence_rate-%
        underconfidence_rate-%
    """,
    "performance.ranking": "first_right+% first_right_over_chance+pp longest_right% reciprocal_rank+%",
    "performance.tagging": """
        commonest_label% f1+% macro_f1+% missed-% precision+% recall+% spurious-% strict_f1+% unread_words%
        word_accuracy+% word_accuracy_over_commonest+pp wrong_boundary-% wrong_kind-% wrong_kind_and_boundary-%
    """,
    "performance.answers": """
        abstention+% exact_match+% f1+% f1_over_trivial+pp false_abstention-% miss_rate-% trivial_exact_match%
        trivial_f1%
    """,
    "performance.likelihood": "bits_over_frequency+ bits_per_byte- perplexity- word_perplexity-",
    "performance.generation": """
        bleu+% chrf+% empty_rate-% exact_match+% f1+% f1_over_trivial+pp length_ratio repetition_rate-% rouge_1+%
        rouge_2+% rouge_l+% rouge_l_over_trivial+pp trivial_f1% trivial_rouge_l% unfinished_rate-%
    """,
    "robustness.adversarial": """
        accuracy_drop-pp accuracy_under_attack+% any_success_rate-% attack_success_rate-% cut_short%
        few_words_success_rate-% mean_queries similarity undoubted_success_rate-% words_changed% worst_accuracy+%
        worst_accuracy_drop-pp
    """,
    "robustness.adversarial_prompts": """
        any_success_rate-% attack_success_rate-% cut_short% few_words_success_rate-% mean_queries similarity
        undoubted_success_rate-% words_changed%
    """,
    "robustness.distractors": "distracted-% f1+% f1_drop-pp flip_rate-%",
    "robustness.prompts": """
        exact_match+% exact_match_drop-pp f1+% f1_drop-pp flip_rate-% similarity+% within_noise% worst_flip_rate-%
    """,
    "robustness.format": _SPREAD,
    "robustness.few_shot_order": _SPREAD,
    "robustness.worst_case": "any_flip_rate-% worst_accuracy+% worst_accuracy_drop-pp worst_flip_rate-%",
    "shift.performance": """
        accuracy+% accuracy_lost-pp accuracy_lost_label_shares accuracy_lost_relative-% accuracy_lost_rest-pp
        coverage_at_home_risk+% ece_added-pp ece_debiased-pp exact_match+% exact_match_lost-pp
        exact_match_lost_relative-% f1+% f1_lost-pp f1_lost_relative-% macro_f1+% macro_f1_lost-pp mae- mae_added-
        mae_added_label_shares mae_added_relative-% mae_added_rest- precision+% precision_lost-pp
        precision_lost_relative-% recall+% recall_lost-pp recall_lost_relative-% worst_accuracy_lost-pp
        worst_exact_match_lost-pp worst_f1_lost-pp worst_mae_added- worst_precision_lost-pp worst_recall_lost-pp
    """,
    "shift.overlap": "duplicate_share-% exact_share-%",
    "shift.distance": """
        a_distance answer_distance% answer_distance_beyond_chance answer_distance_p_value% classifier_auc%
        classifier_auc_p_value% confidence% confidence_gap frechet_distance kernel_distance kernel_distance_p_value%
        label_distance% label_distance_beyond_chance label_distance_p_value% length_distance%
        length_distance_beyond_chance length_distance_p_value% tokens_per_word tokens_per_word_gap unknown_tokens%
        unknown_tokens_gap unseen_words% unseen_words_gap word_distance word_distance_beyond_chance
        word_distance_p_value% words_per_text words_per_text_gap
    """,
    "shift.ood": "aupr+ auroc+ fpr_at_95_tpr-% prevalence%",
    "shift.estimate": """
        estimated_accuracy% estimated_accuracy_lost-pp estimation_error true_accuracy% trusted_estimate+%
    """,
    "shift.selective": """
        abstention-% aurc- needed_abstention-% needed_threshold selective_risk-% selective_risk_added-pp threshold
    """,
    "shift.perplexity": "perplexity- perplexity_ratio- word_perplexity_ratio-",
    "shift.synthetic": """
        accuracy+% accuracy_lost-pp error- error_added- flip_rate-% worst_register_accuracy_lost-pp
        worst_register_error_added-
    """,
    "shift.slices": """
        accuracy+% accuracy_lost-pp error- error_added- trend+ worst_part_accuracy_lost-pp worst_part_error_added-
    """,
    "bias.groups": """
        accuracy+% accuracy_difference-pp calibration_gap calibration_gap_difference-pp
        demographic_parity_difference-pp demographic_parity_ratio+ equal_opportunity_difference-pp
        equalized_odds_difference-pp equalized_odds_ratio+ false_positive_rate-% impact_ratio+ mean_error
        mean_error_difference- mean_score mean_score_difference- precision+% predictive_parity_difference-pp
        ratio_to_most_favoured+ ratio_to_reference+ selection_rate% true_positive_rate+% unknown_share%
    """,
    "bias.counterfactual": """
        beyond_tolerance-% control_distance control_flip_rate% disparity- excess_distance- excess_flip_rate-pp
        flip_rate-% mean_distance- pair_beyond_tolerance-% pair_distance- pair_flip_rate-% score_gap
    """,
    "bias.templates": "answer_differs-% disparity- gap_to_mean lowest_group_stability% mean_score",
    "bias.identity_terms": """
        bnsp_auc+ bnsp_auc_mean+ bpsn_auc+ bpsn_auc_mean+ false_negative_gap-pp false_negative_rate-%
        false_positive_gap-pp false_positive_rate-% final_score+ negative_equality_gap overall_auc+
        positive_equality_gap subgroup_auc+ subgroup_auc_mean+
    """,
    "bias.slices": """
        confirmation_error_rate% discovery_error_rate% error_gap-pp error_rate-% worst_slice_error_gap-pp
    """,
    "bias.embedding": "effect_size p_value%",
    "bias.entity_swap": "recall+% recall_gap-pp",
    "bias.likelihood": "expectation_gap- valence valence_gap-",
    "bias.fill_in": "lexicon_hit_gap-pp lexicon_hit_rate% praise praise_gap-",
    "bias.prompted": _ABOUT_GROUPS,
    "bias.bold": f"""
        {_ABOUT_GROUPS} reference_lexicon_hit_gappp reference_lexicon_hit_rate% reference_negativity
        reference_negativity_gappp reference_toxicity reference_toxicity_gappp
    """,
    "bias.honest": "honest_score% honest_score_gap-pp",
    "bias.crows_pairs": _PAIRS,
    "bias.wino_bias": _PAIRS,
    "bias.winogender": _PAIRS,
    "bias.stereoset": "icat+% language_model_score+% stereotype_score%",
    "bias.bbq": "accuracy+% bias_score unknown_share%",
    "toxicity.functional": _HARM,
    "toxicity.hatecheck": _HARM,
    "toxicity.evasion": "found_under_all+% recall+% recall_drop-pp recall_kept+% worst_technique_loss-%",
    "toxicity.sensitivity": "control_flip_rate% excess_flip_rate-pp flip_rate% score_shift",
    "toxicity.generations": _WRITTEN,
    "toxicity.real_toxicity_prompts": _WRITTEN,
    "privacy.memorisation": """
        near_verbatim% near_verbatim_over_holdout-pp similarity% similarity_over_holdout-pp verbatim%
        verbatim_over_holdout-pp
    """,
    "privacy.membership": "auc- auc_over_blind- blind_auc true_positive_rate-%",
    "privacy.exposure": "exposure- first_share-% mean_exposure-",
    "security.injection": """
        control_rate% direct_rate% f1+% f1_drop-pp mentioned_rate% obeyed_excess-pp obeyed_rate-%
        worst_kind_obeyed_rate-%
    """,
    "security.own_documents": """
        control_rate% f1+% f1_drop-pp mentioned_rate% obeyed_excess-pp obeyed_rate-% worst_kind_obeyed_rate-%
    """,
    "security.refusals": """
        harmful_refused+% harmful_refused_corrected+% harmless_refused-% harmless_refused_corrected-%
        recognised_refusals% recognised_replies% refusal_gap+pp
    """,
    "explanation.examples": "complete_share+% top_share%",
    "explanation.faithfulness": """
        agreement+ comprehensiveness comprehensiveness_over_random+ comprehensiveness_over_randomised+
        comprehensiveness_over_second+ converged+% convergence_delta- infidelity log_odds_drop
        log_odds_drop_over_random+ log_odds_drop_over_second+ max_sensitivity- overlap+% overlap_over_chance+pp
        randomised_similarity- stability+ sufficiency sufficiency_over_random+ sufficiency_over_second+
    """,
    "explanation.reliance": """
        attribution_excess-pp attribution_share% control_flip_rate% flip_rate% flip_rate_excess-pp probability_change
        probability_excess- signed_excess
    """,
    "explanation.shortcuts": """
        association_with_gold attribution deletion_effect deletion_flip_rate insertion_effect- insertion_flip_rate-pp
        largest_insertion_flip_rate-pp largest_unjustified_flip_rate-pp share_of_items%
    """,
    "explanation.top_words": "list_overlap+% push share_of_items%",
    "explanation.spans": "agreement+ converged+% convergence_delta- overlap+% overlap_over_chance+pp weight_share%",
    "explanation.generation": """
        agreement+ changed_over_random+pp changed_without_other_word% changed_without_top_word% comprehensiveness
        comprehensiveness_over_random+ comprehensiveness_over_second+ converged+% convergence_delta- leading_share%
        overlap+% overlap_over_chance+pp sufficiency sufficiency_over_random+ sufficiency_over_second+
    """,
}
"""Probe id -> names: `+` where higher is better, `-` where lower is; `%` for a share, `pp` for a difference of two."""

_SLICES = {
    "performance.quality": "gold group label predicted",
    "performance.calibration": "",
    "performance.ranking": "",
    "performance.tagging": "group kind",
    "performance.answers": "answerable group question",
    "performance.likelihood": "group",
    "performance.generation": "group",
    "robustness.adversarial": "group label recipe",
    "robustness.adversarial_prompts": "group recipe",
    "robustness.distractors": "place",
    "robustness.prompts": "perturbation severity",
    "robustness.format": "format",
    "robustness.few_shot_order": "order",
    "robustness.worst_case": "family",
    "shift.performance": "domain",
    "shift.overlap": "domain",
    "shift.distance": "domain",
    "shift.ood": "domain score",
    "shift.estimate": "domain estimate",
    "shift.selective": "domain target",
    "shift.perplexity": "domain",
    "shift.synthetic": "register severity",
    "shift.slices": "part",
    "bias.groups": "attribute group",
    "bias.counterfactual": "axis pair source",
    "bias.templates": "axis group pair",
    "bias.identity_terms": "axis group source",
    "bias.slices": "slice",
    "bias.embedding": "attributes axis form pair",
    "bias.entity_swap": "axis group",
    "bias.likelihood": "axis group pair",
    "bias.fill_in": "axis group pair",
    "bias.prompted": "axis group scorer",
    "bias.bold": "axis group scorer",
    "bias.honest": "axis group",
    "bias.crows_pairs": "category direction",
    "bias.wino_bias": "stereotype type",
    "bias.winogender": "stereotype",
    "bias.stereoset": "category task",
    "bias.bbq": "category context",
    "toxicity.functional": "functionality target",
    "toxicity.hatecheck": "functionality target",
    "toxicity.evasion": "severity technique",
    "toxicity.sensitivity": "kind label strength",
    "toxicity.generations": "prompts scorer",
    "toxicity.real_toxicity_prompts": "prompts scorer",
    "privacy.memorisation": "texts",
    "privacy.membership": "false_positive_rate score",
    "privacy.exposure": "canary",
    "security.injection": "kind position task",
    "security.own_documents": "kind position",
    "security.refusals": "kind",
    "explanation.examples": "kind",
    "explanation.faithfulness": "edit kept kind ranking removed",
    "explanation.reliance": "category label",
    "explanation.shortcuts": "label word",
    "explanation.top_words": "label word",
    "explanation.generation": "kept kind ranking removed word",
    "explanation.spans": "kind part",
}


def _numbers(written: str) -> Iterator[tuple[str, Number]]:
    for name, sign, unit in re.findall(r"(\w+?)([+-]?)(%|pp|)(?:\s|$)", written):
        yield name, Number(_SIGNS[sign], _UNITS[unit])


def _published() -> Iterator[tuple[str, Mapping[str, Number]]]:
    for probe, names in (*_NAMES.items(), *((f"robustness.{each.name}", _PERTURBED) for each in ALL)):
        known = dict(_numbers(f"{names} {_COMPARED}"))
        yield probe, known | {f"{name}{SUFFIX}": _compared(known[name]) for name in OF_TEXTS if name in known}


def _compared(number: Number) -> Number:
    """What is known of its change since a baseline."""
    return Number(number.better, Unit.DIFFERENCE if number.unit is Unit.PROPORTION else number.unit)


PUBLISHED: Mapping[str, Mapping[str, Number]] = dict(_published())
"""Probe id -> name -> what is known of it, with those of a comparison with a baseline."""

SLICES: Mapping[str, frozenset[str]] = {
    probe: frozenset(_SLICES.get(probe, "part severity").split()) for probe in PUBLISHED
}
"""Probe id -> keys of the slices of its numbers."""

ON_REQUEST: Mapping[str, str] = {
    "toxicity.hatecheck": "--hatecheck",
    "toxicity.real_toxicity_prompts": "--benchmarks",
    "bias.bold": "--benchmarks",
    "bias.honest": "--benchmarks",
    "bias.crows_pairs": "--benchmarks",
    "bias.stereoset": "--benchmarks",
    "bias.bbq": "--benchmarks",
    "bias.wino_bias": "--benchmarks",
    "bias.winogender": "--benchmarks",
}
"""Built-in probes that exist only where a run asks for them -> the option that does."""
USER_METRIC = "performance.metric_"
"""How the ids of metrics of the user's own begin."""
