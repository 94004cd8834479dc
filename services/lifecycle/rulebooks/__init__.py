"""The lifecycle rulebook: how a text becomes a process, what is wrong with one that does not hold together, and which
version decides.

`default.yaml` is what a new store starts with.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from chassis.context import Context
from contracts.events.lifecycle import RulebookActivated
from people_kernel.rulebook_registry import RulebookRegistry
from rulebook.compile import compile_rulebook
from rulebook.document import Document, Example, survey_document
from rulebook.evaluate import Evaluation, Rule, Rulebook
from rulebook.examples import assert_examples_pass
from rulebook.problems import RulebookError, TextProblem, did_you_mean
from rulebook.source import Path as TextPath
from rulebook.vocabulary import UnknownPolicy
from services.lifecycle.domain.process import (
    NAME,
    SCORED,
    TRIGGERS,
    ClocksSection,
    LifecycleProcess,
    MoveTo,
    StagesSection,
    choice_of,
    listens,
    vocabulary_of,
)
from services.lifecycle.store.tables import RULEBOOK


def compile_lifecycle(text: str, version: int | None = None) -> Rulebook[MoveTo]:
    """Compile a lifecycle rulebook. Raises RulebookError with every problem, each with its line and column."""
    document = survey_document(text)
    vocabulary = vocabulary_of(_stage_names(document))
    rulebook = compile_rulebook(
        document, vocabulary, MoveTo, {"stages": StagesSection, "clocks": ClocksSection}, version
    )
    process = LifecycleProcess(rulebook)
    problems = [
        *_of_name(document),
        *_of_stages(document, process),
        *_of_rules(document, process),
        *_of_clocks(document, process),
    ]
    if not problems:  # the way is only looked at when all its stages exist
        problems = [*_of_the_way(document, process), *_of_circles(document, process)]
    if problems:
        raise RulebookError(problems)
    return rulebook


def judge_example(rulebook: Rulebook[MoveTo], example: Example, evaluation: Evaluation[MoveTo]) -> Mapping[str, Any]:
    """What an example may expect beside its rules: `to`, the stage that is entered next (nothing: the person stays)."""
    choice = choice_of(evaluation, example.named or SCORED, example.given.get("verdict.to"))
    return {"to": None if choice is None else choice.to}


def _stage_names(document: Document) -> list[str]:
    """The names that `stages:` holds as far as they can be read, so that a mistake elsewhere does not hide behind one
    here.
    """
    listed = document.body.sections.get("stages")
    entries = listed if isinstance(listed, Sequence) and not isinstance(listed, str) else ()
    names = [entry["name"] for entry in entries if isinstance(entry, Mapping) and isinstance(entry.get("name"), str)]
    return list(dict.fromkeys(names)) or list(dict.fromkeys(stage for rule in document.body.rules for stage in rule.on))


def _of_name(document: Document) -> Iterator[TextProblem]:
    if document.body.name != NAME:
        yield document.source.problem(
            ("name",), f"this is the {NAME} rulebook, and it is called {document.body.name}", f"Write {NAME}."
        )


def _of_stages(document: Document, process: LifecycleProcess) -> Iterator[TextProblem]:
    section = process.rulebook.sections["stages"]
    assert isinstance(section, StagesSection)
    names: set[str] = set()
    orders: set[int] = set()
    for index, stage in enumerate(section.root):
        path: TextPath = ("stages", index)
        if stage.name in names:
            yield document.source.problem(
                (*path, "name"), f"{stage.name} is the name of two", "Give each stage a name of its own."
            )
        if stage.order in orders:
            yield document.source.problem(
                (*path, "order"), f"two stages have the order {stage.order}", "Say which of them is further."
            )
        names.add(stage.name)
        orders.add(stage.order)


def _of_rules(document: Document, process: LifecycleProcess) -> Iterator[TextProblem]:
    known = list(process.stages)
    for index, rule in enumerate(process.rulebook.rules):
        path, problem = ("rules", index), document.source.problem
        for trigger in rule.named:
            if trigger not in TRIGGERS:
                yield problem((*path, "named"), f"{trigger} is not a trigger", did_you_mean(trigger, TRIGGERS))
        for target in rule.effect.leads_to():
            if target not in process.stages:
                yield problem((*path, "effect"), f"there is no stage {target}", did_you_mean(target, known))
        if rule.effect.to in rule.on:
            yield problem(
                (*path, "effect"), f"{rule.effect.to} leads back to itself", "Take it out of on:, or lead elsewhere."
            )
        if rule.unknown is UnknownPolicy.FAIL:
            yield problem(
                (*path, "unknown"), "a person cannot be refused for what is not known", "Use skip, false or true."
            )


def _of_clocks(document: Document, process: LifecycleProcess) -> Iterator[TextProblem]:
    known, names = list(process.stages), set()
    for index, clock in enumerate(process.clocks):
        path: TextPath = ("clocks", index)
        if clock.name in names:
            yield document.source.problem(
                (*path, "name"), f"{clock.name} is the name of two", "Give each clock a name of its own."
            )
        names.add(clock.name)
        for key, stage in [("starts", clock.starts), *(("stops", stop) for stop in clock.stops)]:
            if stage not in process.stages:
                yield document.source.problem((*path, key), f"there is no stage {stage}", did_you_mean(stage, known))
        if clock.starts in clock.stops:
            yield document.source.problem(
                (*path, "stops"), f"{clock.starts} would start and stop it", "Take it out of stops."
            )


def _of_the_way(document: Document, process: LifecycleProcess) -> Iterator[TextProblem]:
    """Stages that nobody can come to, and stages that nobody can leave although their journey is not over."""
    leads: dict[str, set[str]] = {stage: set() for stage in process.stages}
    for rule in process.rulebook.rules:
        for stage in rule.on:
            leads[stage] |= set(rule.effect.leads_to())
    reached, waiting = {process.first}, [process.first]
    while waiting:
        for stage in leads[waiting.pop()] - reached:
            reached.add(stage)
            waiting.append(stage)
    for index, (name, found) in enumerate(process.stages.items()):
        path: TextPath = ("stages", index)
        if name not in reached:
            yield document.source.problem(
                path, f"nothing leads to {name}", "Write a rule that does, or take the stage out."
            )
        if not leads[name] - {name} and found.kind in ("open", "parked"):
            remedy = "Write a rule that lets people leave it, or let its kind be won or lost."
            yield document.source.problem(path, f"nobody can leave {name}", remedy)


def _of_circles(document: Document, process: LifecycleProcess) -> Iterator[TextProblem]:
    """Rules that hold whatever is known and lead round in a circle. (Others are stopped when they would.)"""
    always = [
        (index, rule)
        for index, rule in enumerate(process.rulebook.rules)
        if listens(rule, SCORED) and rule.when.strip() == "true"
    ]
    onward: dict[str, tuple[int, str]] = {}
    for index, rule in always:
        for stage in rule.on:
            onward.setdefault(stage, (index, rule.effect.to))
    for start in onward:
        stage, seen = start, [start]
        while stage in onward and (stage := onward[stage][1]) not in seen:
            seen.append(stage)
        if stage == start and stage in onward:
            way = " -> ".join([*seen, start])
            yield document.source.problem(
                ("rules", onward[start][0]), f"this leads round in a circle: {way}", "Say in when: who is meant."
            )
            return


def rule_in_words(rule: Rule[MoveTo]) -> str:
    """A rule as one sentence for people: from where, by what, to where."""
    by = f" when somebody says {' or '.join(rule.named)}" if rule.named else ""
    condition = "" if rule.when.strip() == "true" else f" if {' '.join(rule.when.split())}"
    return f"From {' or '.join(rule.on)}{by}{condition}: to {rule.effect.to}."


REGISTRY = RulebookRegistry(
    name=NAME,
    table=RULEBOOK,
    default=Path(__file__).parent / "default.yaml",
    compile=compile_lifecycle,
    check=lambda compiled: assert_examples_pass(compiled, judge_example),
    judge=LifecycleProcess,
    activated=RulebookActivated,
)


async def process_of(context: Context) -> LifecycleProcess:
    """The process that is in force in this transaction."""
    return (await REGISTRY.versions(context)).active
