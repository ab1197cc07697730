"""Checks every upstream.json of tests/golden/*-responses against the types of OpenAI's SDK: each member must be one that
ResponseCreateParams knows, in all depths, and have its type. Run with a Python that has tests/golden/requirements.txt and
tests/e2e/python/requirements.txt. One TAP line a case; with arguments, checks these files instead."""

import json
import sys

from openai.types.responses import response_create_params as params

import tap
from check_anthropic import check


def problems_of(path):
    body = json.loads(path.read_text())
    problems = []
    if body.get("store") is None:
        problems.append("body.store: missing; its default is not that of Chat Completions")
    for i, item in enumerate(body.get("input") or []):
        if item.get("type") != "reasoning":
            continue
        # The types want the id that OpenAI gave; encrypted content is taken without one, and refused with another.
        if "id" in item or not item.get("encrypted_content"):
            problems.append(f"body.input[{i}]: encrypted_content without an id is expected")
        item["id"] = "rs_1"
    tp = params.ResponseCreateParamsStreaming if body.get("stream") else params.ResponseCreateParamsNonStreaming
    return problems + check(body, tp, "body")


if __name__ == "__main__":
    sys.exit(tap.run("*-responses/*/upstream.json", problems_of))
