"""Checks every answer of tests/golden/responses-* against the official SDK: an object and each event must be what its types say, and
its accumulator must take them. What the pieces of a stream come to is the object that its last event holds.
Run with a Python that has tests/golden/requirements.txt and tests/e2e/python/requirements.txt. One TAP line a case; with arguments,
checks these files instead."""

import json
import sys

from openai._types import omit
from openai.lib.streaming.responses._responses import ResponseStreamState
from openai.types.responses import Response, ResponseStreamEvent
from openai.types.responses.input_token_count_response import InputTokenCountResponse
from pydantic import TypeAdapter

import tap

EVENTS = TypeAdapter(ResponseStreamEvent)
ENDS = ("response.completed", "response.incomplete", "response.failed")


def events_of(text):
    """-> the data of each event; ValueError where a frame is not one "event" and one "data" line."""
    for block in text.split("\n\n"):
        lines = [line for line in block.split("\n") if line and not line.startswith(":")]
        if not lines:
            continue
        if len(lines) != 2 or not lines[0].startswith("event: ") or not lines[1].startswith("data: "):
            raise ValueError(f"no event: {block[:80]!r}")
        data = json.loads(lines[1][6:])
        if lines[0] != f"event: {data['type']}":
            raise ValueError(f"{lines[0]} holds {data['type']}")
        yield data


class Pieces:
    """What a client that joins pieces by hand comes to."""

    def __init__(self):
        self.deltas, self.items, self.problems = {}, {}, []

    def take(self, data):
        kind = data["type"].removeprefix("response.")
        place = tuple(data.get(k) for k in ("item_id", "output_index", "content_index", "summary_index"))
        name, _, what = kind.rpartition(".")
        if kind == "output_item.added" and data["output_index"] != len(self.items):
            self.problems.append(f"item {data['output_index']} follows item {len(self.items) - 1}")
        if name == "output_item":
            self.items[data["output_index"]] = data["item"] if what == "done" else None
        elif what == "delta":
            self.deltas[name, place] = self.deltas.get((name, place), "") + data["delta"]
        elif what == "done" and "part" not in data:
            whole = next(data[k] for k in ("text", "refusal", "arguments", "input") if k in data)
            if self.deltas.get((name, place), "") != whole:
                self.problems.append(f"{kind} holds {whole!r}, its deltas {self.deltas.get((name, place))!r}")

    def finish(self, response):
        items = [self.items[i] for i in sorted(self.items)]
        if items != response["output"]:
            self.problems.append(f"the items are {items}, the last event holds {response['output']}")


def check_stream(text):
    pieces, state, last = Pieces(), ResponseStreamState(input_tools=omit, text_format=omit), None
    for number, data in enumerate(events_of(text)):
        if data["sequence_number"] != number:
            pieces.problems.append(f"event {number} has the number {data['sequence_number']}")
        event = EVENTS.validate_python(data)
        if last in ENDS and data["type"] != "error":
            pieces.problems.append(f"{data['type']} follows {last}")
        last = data["type"]
        pieces.take(data)
        if last in ENDS[:2]:
            pieces.finish(data["response"])
        if last != "error":
            state.handle_event(event)
    return pieces.problems


def problems_of(path):
    text = path.read_text()
    try:
        if path.suffix == ".sse":
            return check_stream(text)
        body = json.loads(text)
        if body.get("object") == "response":
            Response.model_validate(body)
        elif body.get("object") == "response.input_tokens":
            InputTokenCountResponse.model_validate(body)
        elif set(body) != {"error"}:
            return ["neither a response, nor a count, nor an error"]
    except ValueError as error:
        return str(error).splitlines()
    return []


if __name__ == "__main__":
    sys.exit(tap.run("responses-*/*/answer.*", problems_of, lambda path: f"{path.parent.parent.name}/{path.parent.name}"))
