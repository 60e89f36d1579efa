"""The probe that attacks a model: a classifier, a tagger, or one that answers questions from a context."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

from probes.core.answers import SEQUENCE_HEADS, ProblemType
from probes.core.errors import UsageError
from probes.core.examples import Example
from probes.core.model import Classifier, Model, ModelCard, Reader, Tagger
from probes.core.probe import FOR_THE_RECORD, Context, ProbeDoc, ProbeInfo
from probes.core.records import Accounting, Outcomes, Record, Skip, SkipReason
from probes.robustness.adversarial import aims
from probes.robustness.adversarial.answering import Answering
from probes.robustness.adversarial.classified import Classified
from probes.robustness.adversarial.fight import Fight
from probes.robustness.adversarial.recipe import OF_THE_MODEL, Recipe, Resource, in_words, missing
from probes.robustness.adversarial.recipes import USUAL, find
from probes.robustness.adversarial.subject import Subject
from probes.robustness.adversarial.tagged import TaggedSubject


@dataclass(frozen=True)
class Adversarial:
    """How often does a search for small changes of a text find one that the model answers otherwise?

    Measures:
        For each recipe of attack: the share of answers, right before, that it breaks; the accuracy under attack and its
        loss; the texts that the model had to be asked about; the share of words changed; the similarity to the first
        text where the recipe looks at it, and the success without changes it has doubts about. Success by queries
        allowed and by words changed, by label and by group; and what all recipes break together.

    Why it matters:
        Typing mistakes at random ask what happens by accident. A search asks what somebody finds who wants the model to
        err: the author of a text that is to pass a filter, or to be rated otherwise. What a search breaks with two
        words, an honest writer may break by chance.

    Method:
        A recipe is a published search: it ranks the words of a text by how much the answer hangs on them, and tries
        changes of one after the other, the best of which is kept, until the goal is reached, the words are used up, or
        the model has been asked about `budget` texts for the item. By default the goal is any answer but the right one,
        where that is not known but the model's own; for several labels at once another set of them; for a regression a
        score that moves by half a standard deviation of the scores on the texts themselves. `goal` may instead be a
        higher or a lower score of the positive class ("raise", "lower", by `by`), or a label ("label:NAME"). Of a pair
        the second text is attacked. Of a tagger the goal is another label for a word that had the right one; of a model
        that answers questions it is another answer, and the question is attacked. Items answered wrongly as they stand
        are counted apart, and so are texts in which a recipe finds nothing to change, and items whose score has no room
        to move by as much as the goal asks. An answer within numerical noise of another one is not broken. A word that
        became several is one changed word; words put in beside one that stays count each. What is drawn for an item
        depends on the seed, the recipe and the item alone. Shares have Wilson intervals, also where nothing was broken,
        and exact one-sided bounds; the cluster is that of the item.

    Limits:
        A search finds some changes, not all: a success rate is a lower bound of what can be broken, and depends on the
        recipe and its budget; compare only what was attacked with the same ones. Whether a changed text still means the
        same is for people to judge: read the cases, and the rate without doubtful changes where it is given.
        Changes that a spelling checker undoes count like others. English word lists.

    References:
        Gao et al. 2018, Black-box Generation of Adversarial Text Sequences (DeepWordBug), IEEE SPW. Li et al. 2019,
        TextBugger, NDSS. Ren et al. 2019, ACL (PWWS). Jin et al. 2020, AAAI (TextFooler). Morris et al. 2020,
        TextAttack, EMNLP; and Reevaluating Adversarial Examples in Natural Language, Findings of EMNLP (constraints).
        Wilson 1927, JASA 22:209. Clopper and Pearson 1934, Biometrika 26:404.
    """

    recipes: tuple[str, ...] = USUAL
    budget: int = 500
    goal: str = aims.OTHER
    by: float = 0.3
    screen: bool = False
    """Search in bfloat16; every start and every success is confirmed in the audit's own type."""
    resources: tuple[str, ...] = field(default=(), metadata=FOR_THE_RECORD)
    """What candidates come from."""
    given: Mapping[Resource, Any] = field(default_factory=dict, metadata={"parameter": False}, compare=False)

    def __post_init__(self) -> None:
        """Refuse parameters that cannot be meant.

        Raises:
            UsageError: for an unknown recipe or goal, none, or numbers that are not positive.
        """
        if not self.recipes or self.budget < 2 or not self.by > 0:
            raise UsageError(
                f"robustness.adversarial: {len(self.recipes)} recipes, a budget of {self.budget}, by {self.by}",
                hint="name a recipe, a budget of at least 2 queries, and a shift above 0",
            )
        object.__setattr__(self, "recipes", tuple(dict.fromkeys(self.recipes)))
        for name in self.recipes:
            find(name)
        aims.check(self.goal)

    @cached_property
    def info(self) -> ProbeInfo:
        recipes = [find(name) for name in self.recipes]
        return ProbeInfo(
            id="robustness.adversarial",
            version=1,
            risk="robustness",
            title="Adversarial attacks",
            doc=described(ProbeDoc.parse(type(self).__doc__), recipes),
            needs=frozenset(),  # each kind of head is asked its own way
            problems=SEQUENCE_HEADS | {ProblemType.TOKEN, ProblemType.SPAN},
            calls=1 + sum(min(recipe.queries, self.budget) for recipe in recipes if not self._lacking(recipe)),
            searches=True,
        )

    def left_out(self) -> list[str]:
        """The recipes that lack something which is not the model's own."""
        found = {name: lacking for name in self.recipes if (lacking := self._lacking(find(name)))}
        told = ((name, *in_words(lacking)) for name, lacking in found.items())
        return [f"The recipe {name} is left out: it needs {what}. To have it run: {how}." for name, what, how in told]

    def _lacking(self, recipe: Recipe) -> list[Resource]:
        return missing(recipe, {*self.given, *OF_THE_MODEL})

    def require(self, card: ModelCard) -> None:
        """Refuse a goal that this model cannot be attacked with.

        Raises:
            UsageError: as `aims.require`.
        """
        aims.require(self.goal, card, by=self.by)

    def run(self, model: Model, data: Sequence[Example], ctx: Context) -> Iterator[Record | Outcomes]:
        """Yields measurements of each recipe, then of all together, then cases and outcomes."""
        examples = sorted(data, key=lambda example: example.id)
        if not examples:
            yield Accounting(eligible=0, scored=0)
            yield Skip(reason=SkipReason.TOO_FEW, detail="There is no item to attack.")
            return
        subject = self._subject(model, examples)
        if isinstance(subject, Classified) and subject.flat:
            yield Accounting(eligible=len(examples), scored=0)
            yield Skip(
                reason=SkipReason.UNDEFINED,
                detail="All texts get the same score, so there is no scale on which to say that an answer changed.",
            )
            return
        recipes = [find(name) for name in self.recipes]
        yield from Fight(subject=subject, recipes=recipes, budget=self.budget, given=self.given, ctx=ctx).records()

    def _subject(self, model: Model, examples: Sequence[Example]) -> Subject:
        if model.card.problem is ProblemType.TOKEN:
            return TaggedSubject(cast(Tagger, model), examples)
        if model.card.problem is ProblemType.SPAN:
            return Answering(cast(Reader, model), examples)
        return Classified(cast(Classifier, model), examples, self.goal, self.by, self.screen)


def described(doc: ProbeDoc, recipes: Sequence[Recipe]) -> ProbeDoc:
    """With what each recipe is, and in what it differs from its paper."""
    parts = {recipe.name: f"{recipe.paper}. {recipe.deviations}".strip() for recipe in recipes}
    told = "Each recipe is named below, with its paper and what is otherwise here."
    return dataclasses.replace(doc, method=f"{doc.method} {told}", parts=parts)
