"""A rulebook's text compiled: every expression type-checked against the vocabulary, every rule indexed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from rulebook.compilation import Compilation, checked_examples, citations, counted_by
from rulebook.document import Document, RuleText, problems_of, survey_document
from rulebook.evaluate import CompiledCondition, Effect, EvaluationPlan, Rejection, Rule, Rulebook
from rulebook.expressions import Language, Program
from rulebook.inputs import CacheKey, inputs_of, numeric, read_whole
from rulebook.problems import RulebookError, TextProblem, did_you_mean
from rulebook.syntax import Read
from rulebook.vocabulary import KNOWN, FactType, Vocabulary

_MOST_NAMED = 20  # parts that are not known: looking for what was meant takes a while each


def compile_rulebook(
    text: str | Document,
    vocabulary: Vocabulary,
    effect_model: type[Effect],
    section_models: Mapping[str, type[BaseModel]] | None = None,
    version: int | None = None,
) -> Rulebook[Effect]:
    """Compile `text`. `version` is what the store gives (default: the document's own, else 1).

    Raises RulebookError with every problem.
    """
    document = survey_document(text) if isinstance(text, str) else text
    compilation = Compilation(document, vocabulary)
    number = _version(compilation, version)
    sections = _sections(compilation, section_models or {})
    rules = _rules(compilation, effect_model)
    examples = checked_examples(compilation)
    if compilation.problems:
        raise RulebookError(compilation.problems)
    return Rulebook(
        name=document.body.name,
        version=number,
        title=document.body.title,
        digest=document.digest,
        rules=tuple(condition.rule for condition in rules),
        sections=MappingProxyType(sections),
        examples=examples,
        vocabulary=vocabulary,
        _plans=MappingProxyType(_index(rules, compilation.language)),
    )


def _version(compilation: Compilation, given: int | None) -> int:
    stated = compilation.body.version
    if stated is not None and given is not None and stated != given:
        compilation.complain(
            ("version",),
            f"version {stated} is not free, the next one is {given}",
            f"Write {given}, or leave the version out.",
        )
    return given or stated or 1


def _sections(compilation: Compilation, models: Mapping[str, type[BaseModel]]) -> dict[str, BaseModel]:
    for name in [name for name in compilation.body.sections if name not in models][:_MOST_NAMED]:
        known = [*(key for key in type(compilation.body).model_fields), *models]
        line, column = compilation.source.key_spot((name,))
        compilation.problems.append(
            TextProblem(line, column, name, f"{name} is not a part of this rulebook", did_you_mean(name, known))
        )
    sections = {}
    for name, model in models.items():
        path = (name,) if name in compilation.body.sections else ()
        try:
            sections[name] = model.model_validate(compilation.body.sections.get(name, {}))
        except ValidationError as error:
            if path:
                compilation.problems.extend(problems_of(error, compilation.source, path, model))
            else:
                compilation.complain((), f"the section {name} is missing", f"Add {name}: at the end.")
    return sections


def _rules(compilation: Compilation, effect_model: type[Effect]) -> list[CompiledCondition[Effect]]:
    effects: TypeAdapter[Effect] = TypeAdapter(effect_model)
    definitions = compilation.define()
    conditions: list[CompiledCondition[Effect]] = []
    for index, rule in enumerate(compilation.body.rules):
        path = ("rules", index)
        compilation.check_unique("rules", index, rule.name)
        for position, kind in enumerate(rule.on):
            compilation.check_kind((*path, "on", position), kind)
        effect = _effect(compilation, effects, effect_model, index)
        program = compilation.compile_condition((*path, "when"), rule.when, definitions)
        cited = (
            *citations(compilation, (*path, "reason"), rule.reason, effect),
            *counted_by(compilation, (*path, "effect", "cap", "per"), effect),
        )
        if program is not None and effect is not None:
            conditions.append(_condition(rule, effect, program, cited))
    return conditions


def _effect(compilation: Compilation, effects: TypeAdapter[Effect], model: type[Effect], index: int) -> Effect | None:
    path = ("rules", index, "effect")
    try:
        return effects.validate_python(compilation.body.rules[index].effect)
    except ValidationError as error:
        if path in compilation.repaired or path[:2] in compilation.repaired:
            return None
        of_fields = model if isinstance(model, type) and issubclass(model, BaseModel) else BaseModel
        compilation.problems.extend(problems_of(error, compilation.source, path, of_fields))
        return None


def _condition(text: RuleText, effect: Effect, program: Program, cited: tuple[Read, ...]) -> CompiledCondition[Effect]:
    names = tuple(".".join(read) for read in program.reads)
    rule = Rule(text.name, text.on, text.named, text.when, effect, text.unknown, text.reason, names)
    own = (read for read in dict.fromkeys((*program.reads, *cited)) if not read[0].startswith(f"{KNOWN}."))
    cites = tuple((".".join(read), read) for read in own)
    no = Rejection(rule, "its condition does not hold")
    return CompiledCondition(rule, program.expression, program.reads, cites, no, program.numbers)


def _index(
    conditions: Iterable[CompiledCondition[Effect]], language: Language
) -> dict[tuple[str, str | None], EvaluationPlan[Effect]]:
    conditions = tuple(conditions)
    keys: set[tuple[str, str | None]] = {(kind, None) for kind in language.vocabulary.kinds}
    keys |= {(kind, name) for condition in conditions for kind in condition.rule.on for name in condition.rule.named}
    return {
        (kind, name): _plan([each for each in conditions if _listens(each.rule, kind, name)], language)
        for kind, name in keys
    }


def _listens(rule: Rule[Any], kind: str, name: str | None) -> bool:
    return kind in rule.on and (not rule.named or name in rule.named)


def _plan(conditions: list[CompiledCondition[Effect]], language: Language) -> EvaluationPlan[Effect]:
    types = language.vocabulary.variables
    groups: dict[frozenset[str], list[CompiledCondition[Effect]]] = {}
    for condition in conditions:
        groups.setdefault(_whole(condition, types), []).append(condition)
    inputs = tuple(
        inputs_of((read for condition in group for read in _needs(condition)), types) for group in groups.values()
    )
    numbers = {whole: number for number, whole in enumerate(groups)}
    numbered = tuple((condition, numbers[_whole(condition, types)]) for condition in conditions)
    fed = (feed.variable for one in inputs for feed in one.feeds)
    return EvaluationPlan(numbered, inputs, language.activate, types, CacheKey(inputs), numeric(fed, types))


def _whole(condition: CompiledCondition[Effect], types: Mapping[str, FactType]) -> frozenset[str]:
    return read_whole(_needs(condition), types)


def _needs(condition: CompiledCondition[Effect]) -> tuple[Read, ...]:
    return (*condition.reads, *(read for _, read in condition.cites))
