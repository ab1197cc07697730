"""Checks every upstream.json of tests/golden/*-anthropic against the types of the official SDK: each member must be
one that MessageCreateParams knows, in all depths, and have its type; of a count (target.txt says so), MessageCountTokensParams.
Run with a Python that has tests/golden/requirements.txt. One TAP line a case; with arguments, checks these files instead."""

import collections.abc
import json
import sys
import types
import typing

import typing_extensions as te
from anthropic.types import message_count_tokens_params as count_params
from anthropic.types import message_create_params as params
from anthropic.types.beta import message_create_params as beta_params

import tap

# Claude on Vertex AI: the model is in the URL, the version in the body. Members of the beta API are not in the types.
APART = {"anthropic_version", "context_management", "mcp_servers", "speed"}
# They left the types with version 2026-10-21; version 2023-06-01 takes them.
SAMPLING = {"temperature": 1, "top_p": 1, "top_k": 10**9}
WRAPPERS = (te.Required, te.NotRequired, te.ReadOnly, typing.Required, typing.NotRequired)


def typed_dict(value, tp, path):
    if not isinstance(value, dict):
        return [f"{path}: not an object"]
    hints = te.get_type_hints(tp, include_extras=True)
    problems = [f"{path}.{k}: unknown" for k in value if k not in hints]
    problems += [f"{path}.{k}: missing" for k in tp.__required_keys__ if k not in value]
    for k in value:
        if k in hints:
            problems += check(value[k], hints[k], f"{path}.{k}")
    return problems


def union(value, branches, path):
    found = [check(value, b, path) for b in branches]
    if not all(found):
        return []
    return min(found, key=len)


def scalar(value, tp, path):
    if tp is float:
        good = isinstance(value, (int, float)) and not isinstance(value, bool)
    elif tp is int:
        good = isinstance(value, int) and not isinstance(value, bool)
    elif tp in (str, bool):
        good = isinstance(value, tp)
    elif tp in (None, type(None)):
        good = value is None
    else:
        good = tp in (object, typing.Any)  # else: a file, or a type of answers
    return [] if good else [f"{path}: {json.dumps(value)[:60]} is no {getattr(tp, '__name__', tp)}"]


def check(value, tp, path):
    """What is wrong with `value`: a list of texts, empty when nothing is."""
    if te.is_typeddict(tp):
        return typed_dict(value, tp, path)
    origin, args = te.get_origin(tp), te.get_args(tp)
    if origin in WRAPPERS or origin in (te.Annotated, typing.Annotated):
        return check(value, args[0], path)
    if isinstance(tp, te.TypeAliasType):
        return check(value, tp.__value__, path)
    if origin in (typing.Union, types.UnionType):
        return union(value, args, path)
    if origin in (te.Literal, typing.Literal):
        return [] if value in args else [f"{path}: {value!r} is none of {args}"]
    if origin is dict or (isinstance(origin, type) and issubclass(origin, collections.abc.Mapping)):
        if not isinstance(value, dict):
            return [f"{path}: not an object"]
        return [p for k, v in value.items() for p in check(v, args[1], f"{path}.{k}")]
    if isinstance(origin, type) and issubclass(origin, collections.abc.Iterable):
        if not isinstance(value, list):
            return [f"{path}: not an array"]
        return [p for i, v in enumerate(value) for p in check(v, args[0], f"{path}[{i}]")]
    return scalar(value, tp, path)


def problems_of_count(body):
    """On Vertex AI the SDK adds the version and keeps the model (lib/vertex/_client.py)."""
    apart = APART - {"speed"} - (set() if "anthropic_version" in body else {"anthropic_version"})
    return check({k: v for k, v in body.items() if k not in apart}, count_params.MessageCountTokensParams, "body")


def names_beta(path):
    """The case's call goes with a header that names a beta: its members are those of the beta API."""
    headers = path.parent / "headers.txt"
    return headers.exists() and "anthropic-beta: " in headers.read_text()


def problems_of(path):
    body = json.loads(path.read_text())
    problems = []
    if tap.has_flag(path, "count"):
        return problems_of_count(body)
    if "anthropic_version" in body:
        body["model"] = "in-the-url"
    body = {k: v for k, v in body.items() if k not in APART}
    for name, high in SAMPLING.items():
        value = body.pop(name, 0)
        if not isinstance(value, (int, float)) or not 0 <= value <= high:
            problems.append(f"{name}: {value} is not from 0 to {high}")
    known = beta_params if names_beta(path) else params
    tp = known.MessageCreateParamsStreaming if body.get("stream") else known.MessageCreateParamsNonStreaming
    return problems + check(body, tp, "body")


if __name__ == "__main__":
    sys.exit(tap.run("*-anthropic/*/upstream.json", problems_of))
