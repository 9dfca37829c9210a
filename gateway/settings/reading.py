"""Checks a section of a file against a model, key by key, so that one bad value does not hide the others."""

from __future__ import annotations

import contextlib
import json
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Annotated, Any, Union, cast

from pydantic import BaseModel, TypeAdapter, ValidationError

from gateway.model import Text
from gateway.settings import texts
from gateway.settings.nodes import Key, Node, Scalar, Section, find, plain
from gateway.settings.problems import Problems, suggest
from gateway.settings.protocol import Wrong
from gateway.settings.values import NotText

_SECRETS = {"password": "password_file", "passwd": "password_file", "secret": "password_file", "token": "token_file"}

#: A key no model has; `invalid_key` where it is not even a word.
_UNKNOWN_KEY = ("extra_forbidden", "invalid_key")


@cache
def keys_of(model: type[BaseModel]) -> dict[str, str]:
    """Key in the file -> field name."""
    return {field.alias or name: name for name, field in model.model_fields.items()}


@cache
def _adapter(model: type[BaseModel], field: str) -> TypeAdapter[Any]:
    info = model.model_fields[field]
    annotation: Any = info.annotation
    return TypeAdapter(Annotated[annotation, *info.metadata] if info.metadata else annotation)


def _default(model: type[BaseModel], name: str) -> Any:
    """What an absent key stands for. pydantic would look at the signature of a factory each time; ours take nothing."""
    field = model.model_fields[name]
    factory = field.default_factory
    return field.get_default() if factory is None else cast("Callable[[], Any]", factory)()


def read_section(model: type[BaseModel], section: Section, problems: Problems) -> dict[str, Any]:
    """The fields of `model` that could be read; those with problems are absent, absent ones have their default."""
    known = keys_of(model)
    refuse_unknown(section, known, problems)
    values: dict[str, Any] = {}
    for key, name in known.items():
        field = model.model_fields[name]
        node = section.get(key)
        if node is None:
            if field.is_required():
                refuse_missing(section, key, problems, example_of(model, key))
            else:
                values[name] = _default(model, name)
            continue
        if refuse_empty(node, problems):
            continue
        try:
            values[name] = _adapter(model, name).validate_python(plain(node))
        except ValidationError as error:
            explain(error, node, field.annotation, problems, otherwise=instead_of(model, key))
    return values


def read_sound(model: type[BaseModel], section: Section, keys: Iterable[str]) -> dict[str, Any]:
    """Those of `keys` that stand here and are right. What is wrong is told when all of the section is read."""
    values: dict[str, Any] = {}
    for key in keys:
        node, name = section.get(key), keys_of(model)[key]
        if node is not None:
            with contextlib.suppress(ValidationError):
                values[name] = _adapter(model, name).validate_python(plain(node))
    return values


def read_options(model: type[BaseModel], section: Section, problems: Problems) -> BaseModel | None:
    """The part of a section that a protocol's model knows, checked as a whole; None with problems."""
    own = section.only(keys_of(model))
    empty = [key for key, entry in own.entries.items() if refuse_empty(entry.value, problems)]
    if empty:
        review_options(model, own.only(key for key in own.entries if key not in empty), problems)
        return None
    try:
        return model.model_validate(plain(own))
    except ValidationError as error:
        explain(error, section, model, problems)
        return None


def review_options(model: type[BaseModel], section: Section, problems: Problems) -> None:
    """Check the values of some of a protocol's keys, where the others come from elsewhere."""
    own = {key: plain(entry.value) for key, entry in section.entries.items() if key in keys_of(model)}
    try:
        model.model_validate(own)
    except ValidationError as error:
        explain(error, section, model, problems, partial=True)


def refuse_unknown(section: Section, known: Iterable[str], problems: Problems) -> None:
    """Say of every key that is not `known` what was probably meant."""
    known = list(known)
    for key, entry in section.entries.items():
        if key in known:
            continue
        instead = _SECRETS.get(str(key).lower())
        if instead is not None and instead in known:
            problems.add(
                entry.key,
                Text("密码和令牌不能写在配置文件里", "a secret never stands in a configuration file"),
                Text(f"写 {instead}: 存放它的文件", f"write {instead}: the file that holds it"),
            )
        else:
            problems.add(entry.key, Text(f"没有 {key} 这个键", f"there is no key {key} here"), suggest(key, known))


def refuse_empty(node: Node, problems: Problems) -> bool:
    """Say so where a key has nothing behind its colon; no key of ours means anything without a value."""
    empty = isinstance(node, Scalar) and node.value is None
    if empty and not problems.known_at(node.place):
        problems.add(node.place, texts.EMPTY, texts.WRITE_SOMETHING)
    return empty


def refuse_missing(section: Section, key: str, problems: Problems, hint: Text | None = None) -> None:
    """Say at the section's own key that `key` is missing."""
    problems.add(section.key.below(key), texts.MISSING, hint)


def explain(
    error: ValidationError,
    node: Node,
    annotation: Any,
    problems: Problems,
    *,
    partial: bool = False,
    otherwise: Text | None = None,
) -> None:
    """Add what pydantic found below `node` to `problems`, in words an installer knows; one problem for each place.
    With `partial`, what is missing is no problem. `otherwise` is the hint where nothing closer is known."""
    for each in error.errors(include_url=False):
        location = each["loc"]
        if partial and (not location or each["type"] == "missing"):
            continue
        if location and location[-1] == "[key]":
            location = location[:-1]
        found, place, complete = find(node, location)
        kind = each["type"]
        if kind == "missing" and not complete:
            key = str(location[-1])
            place = (found.key if isinstance(found, Section) else place).below(key)
        if kind in _UNKNOWN_KEY and complete:
            place = _key_place(node, location) or place
        if problems.known_at(place):
            continue
        text, hint = _words(cast("Mapping[str, Any]", each), found, annotation)
        missing = location[-1] if location else ""
        closest = hint or otherwise or texts.instead_of(kind, each.get("ctx") or {}, missing)
        problems.add(place, text, closest or (texts.WRITE_SOMETHING if text is texts.EMPTY else None))


def _words(each: Mapping[str, Any], found: Node, annotation: Any) -> tuple[Text | str, Text | str | None]:
    context = each.get("ctx") or {}
    cause = context.get("error")
    if each["type"] == "missing":
        models = _at(annotation, each["loc"][:-1])
        example = next((example_of(model, str(each["loc"][-1])) for model in models), None)
        return texts.MISSING, example or _instead(annotation, each["loc"])
    empty = isinstance(found, Scalar) and found.value is None
    if isinstance(cause, Wrong):
        return (texts.EMPTY if empty else cause.text), _quoted(cause, found) or cause.hint
    if each["type"] in _UNKNOWN_KEY:
        key = each["loc"][-1]
        return Text(f"没有 {key} 这个键", f"there is no key {key} here"), suggest(
            key, _known_at(annotation, each["loc"][:-1])
        )
    if cause is not None:
        return str(cause), None
    text, hint = texts.of_pydantic(each["type"], context, str(each["msg"]), empty)
    if not empty and (hint is None or each["type"] == "string_type"):
        hint = _instead(annotation, each["loc"]) or hint
    return text, hint


def _quoted(cause: Wrong, found: Node) -> str | None:
    """What was written, with the quotes that make it text."""
    if isinstance(cause, NotText) and isinstance(found, Scalar) and found.value is not None:
        return f'"{found.text}"'
    return None


def _instead(annotation: Any, location: tuple[Any, ...]) -> Text | None:
    """What may stand at `location`, or else at the nearest key above it that has an example."""
    for end in range(len(location), 0, -1):
        for model in _at(annotation, location[: end - 1]):
            found = instead_of(model, str(location[end - 1]))
            if found is not None:
                return found
    return None


@cache
def instead_of(model: type[BaseModel], key: str) -> Text | None:
    """What may stand at `key`: the range of a number, else an example or the default."""
    schema = model.model_json_schema()["properties"].get(key, {})
    choices = (schema, *schema.get("anyOf", ()))
    bounds = next((each for each in choices if "minimum" in each and "maximum" in each), None)
    if bounds is not None:
        return texts.between(bounds["minimum"], bounds["maximum"])
    return example_of(model, key) or (
        texts.such_as(f"{key}: {json.dumps(schema['default'])}") if schema.get("default") is not None else None
    )


@cache
def example_of(model: type[BaseModel], key: str) -> Text | None:
    """`such as key: value` where the model's schema has an example for the key."""
    examples = model.model_json_schema()["properties"].get(key, {}).get("examples")
    if not examples:
        return None
    shown = json.dumps(examples[0], ensure_ascii=False) if not isinstance(examples[0], str) else examples[0]
    return texts.such_as(f"{key}: {shown}")


def _key_place(node: Node, location: tuple[Any, ...]) -> Any:
    parent, _, _ = find(node, location[:-1])
    if isinstance(parent, Section):
        entry = parent.entries.get(cast("Key", location[-1]))
        return None if entry is None else entry.key
    return None


def _known_at(annotation: Any, location: Iterable[Any]) -> list[str]:
    """The keys of the model that stands at `location` below `annotation`."""
    return [key for model in _at(annotation, location) for key in keys_of(model)]


def _at(annotation: Any, location: Iterable[Any]) -> list[type[BaseModel]]:
    reached = [annotation]
    for part in location:
        reached = [below for each in reached for below in _below(each, part)]
    return [model for each in reached for model in _models(each)]


def _below(annotation: Any, part: Any) -> list[Any]:
    found: list[Any] = []
    for each in _branches(annotation):
        if isinstance(each, type) and issubclass(each, BaseModel):
            name = keys_of(each).get(str(part))
            found.extend([each.model_fields[name].annotation] if name else [])
        else:
            arguments = [argument for argument in typing.get_args(each) if argument is not Ellipsis]
            found.extend(arguments[-1:])
    return found


def _models(annotation: Any) -> list[type[BaseModel]]:
    return [each for each in _branches(annotation) if isinstance(each, type) and issubclass(each, BaseModel)]


def _branches(annotation: Any) -> list[Any]:
    origin = typing.get_origin(annotation)
    if origin is Annotated:
        return _branches(typing.get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return [branch for argument in typing.get_args(annotation) for branch in _branches(argument)]
    return [annotation]
