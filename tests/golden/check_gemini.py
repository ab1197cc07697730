"""Checks every upstream.json of tests/golden/*-gemini against the types of the official SDK: each member must be one that
google.genai.types knows, in all depths, and have its type; of a count (target.txt says so), one that countTokens takes. Run with a
Python that has tests/golden/requirements.txt. One TAP line a case; with arguments, checks these files instead."""

import json
import sys
import typing

import pydantic
from google.genai import types

import tap

# The SDK puts these members at the top of the body; in its types they are parts of GenerateContentConfig.
CONFIG = {
    "systemInstruction": types.Content,
    "tools": list[types.Tool],
    "toolConfig": types.ToolConfig,
    "safetySettings": list[types.SafetySetting],
    "cachedContent": str,
    "labels": dict[str, str],
    "serviceTier": types.ServiceTier,
}
# The SDK sends JSON Schemas as they are, under these names.
FREE = {"parametersJsonSchema", "responseJsonSchema", "args", "response"}


def models(tp):
    if isinstance(tp, type) and issubclass(tp, pydantic.BaseModel):
        return [tp]
    return [m for a in typing.get_args(tp) for m in models(a)]


def unknown(value, tp, path):
    """Members that no type has: the SDK's own models may ignore them."""
    if isinstance(value, list):
        return [p for i, v in enumerate(value) for p in unknown(v, tp, f"{path}[{i}]")]
    found = models(tp)
    if not isinstance(value, dict) or not found:
        return []
    fields = {f.alias or n: f.annotation for m in found for n, f in m.model_fields.items()}
    problems = [f"{path}.{k}: unknown" for k in value if k not in fields and k != "responseJsonSchema"]
    if found == [types.Schema] and not value.get("type") and not value.get("anyOf"):
        problems.append(f"{path}: a Schema without a type")
    if found == [types.Schema] and not isinstance(value.get("properties", {}), dict):
        problems.append(f"{path}.properties: no object")
    for k, v in value.items():
        if k == "properties" and found == [types.Schema]:
            for name, s in v.items():
                problems += unknown(s, types.Schema, f"{path}.properties.{name}")
        elif k in fields and k not in FREE:
            problems += unknown(v, fields[k], f"{path}.{k}")
    return problems


def valid(value, tp, path):
    try:
        pydantic.TypeAdapter(tp).validate_python(value)
        return unknown(value, tp, path)
    except pydantic.ValidationError as e:
        return [f"{path}.{'.'.join(map(str, d['loc']))}: {d['msg']}" for d in e.errors()]


def check(body):
    problems = []
    for k, v in body.items():
        if k == "contents":
            problems += valid(v, list[types.Content], k)
        elif k == "generationConfig":
            problems += valid(v, types.GenerationConfig, k)
        elif k in CONFIG:
            problems += valid(v, CONFIG[k], k)
        else:
            problems.append(f"{k}: unknown")
    if not body.get("contents"):
        problems.append("contents: empty")
    return problems + pairs(body.get("contents", []))


def check_count(body, vertex):
    """Vertex AI takes the members of CountTokensConfig at the top; the Developer API a whole request, with its model."""
    if vertex:
        known = {"contents"} | {f.alias or n for n, f in types.CountTokensConfig.model_fields.items()} - {"httpOptions"}
        return [f"{k}: not taken by a count" for k in body if k not in known] + check(body)
    inner = dict(body.get("generateContentRequest", {}))
    problems = [f"{k}: unknown" for k in body if k != "generateContentRequest"]
    if not inner.pop("model", "").startswith(("models/", "tunedModels/")):
        problems.append("generateContentRequest.model: no name of a resource")
    return problems + check(inner)


def problems_of(path):
    body = json.loads(path.read_text())
    return check_count(body, tap.has_flag(path, "vertex")) if tap.has_flag(path, "count") else check(body)


def pairs(contents):
    """A turn of calls is followed by a content of as many responses, by the same names, and nothing else."""
    problems = []
    for i, c in enumerate(contents):
        calls = [p["functionCall"]["name"] for p in c["parts"] if "functionCall" in p]
        after = contents[i + 1]["parts"] if i + 1 < len(contents) else []
        if calls and calls != [p.get("functionResponse", {}).get("name") for p in after]:
            problems.append(f"contents[{i}]: the responses do not fit the calls")
        if any(len(set(p) - {"thought", "thoughtSignature"}) != 1 for p in c["parts"]):
            problems.append(f"contents[{i}]: a part has not just one member of data")
    if contents and contents[0]["role"] != "user":
        problems.append("contents[0]: not the user's")
    return problems


if __name__ == "__main__":
    sys.exit(tap.run("*-gemini/*/upstream.json", problems_of))
