"""Recorded answers of the Responses API, where there are some (conftest.recorded_answers), through the whole gateway: what arrives is what
was sent, but for the edits that are stated (docs/architecture.md): `model`, the tag of the account before a state, and what follows
the terminal event."""
import json
import re

import pytest

import rig
from conftest import recorded_answers
from test_passthrough import fixture, quoted, restamped, same

KIND = re.compile(rb'\{"type":"([a-z_.]+)"')
TERMINAL = ('response.completed', 'response.incomplete', 'response.failed', 'error')


@pytest.fixture(scope='module')
def answers():
    found = recorded_answers('openai-responses')
    if not found:
        pytest.skip('there are no recorded answers: WEIR_RECORDINGS names no folder with openai-responses/, and none is beside the checkout')
    return found


def is_json(text):
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


STATE = re.compile(rb'("encrypted_content"\s*:\s*")(?:weirn\.[0-9a-f]{8}\.)([^"])')


def undone(text, recorded):
    """Without the tag that stands before each state, which is as many as the recording has."""
    bare, tags = STATE.subn(rb'\1\2', text)
    assert tags == len(re.findall(rb'"encrypted_content"\s*:\s*"[^"]', recorded))
    return bare


def ask(weir, script, **members):
    model, _ = rig.script(script)
    return weir.call('POST', '/v1/responses', {'model': model, 'input': 'Hello', **members}), model


def on_the_wire(lines, model):
    """Each line is an event, named by its type, up to the terminal one."""
    wire = b''
    for line in lines:
        event = json.loads(line)
        if 'model' in event.get('response', {}):
            line = re.sub(rb'("model"\s*:\s*)' + re.escape(quoted(event['response']['model'])),
                          lambda m: m.group(1) + quoted(model), line, count=1)
        wire += b'event: ' + event['type'].encode() + b'\ndata: ' + line + b'\n\n'
        if event['type'] in TERMINAL:
            return wire
    raise AssertionError('the recording has no terminal event')


def test_whole(weir, replay, answers):
    seen = 0
    for name, content in answers.items():
        if not name.endswith('.json'):
            continue
        seen += 1
        status = 429 if 'error' in json.loads(content) and 'output' not in json.loads(content) else 200
        got, model = ask(weir, f'status={status},fixture=' + fixture(replay, '.json', content))
        assert got.status == status, (name, got)
        if status == 200:
            same(undone(got.body, content), restamped(content, model))
        else:
            want = json.loads(content)['error']
            assert {k: got.error[k] for k in want} == want, name
    assert seen


@pytest.mark.parametrize('dribble', ['', 'dribble=1,'], ids=['whole', 'bytes'])
def test_stream(weir, replay, answers, dribble):
    seen = 0
    for name, content in answers.items():
        if not name.endswith('.chunks.txt'):
            continue
        seen += 1
        lines = [line for line in content.split(b'\n') if line]
        kinds = [KIND.match(line).group(1) for line in lines]
        wire = b''.join(b'event: ' + kind + b'\ndata: ' + line + b'\n\n' for kind, line in zip(kinds, lines))
        got, model = ask(weir, dribble + 'fixture=' + fixture(replay, '.sse', wire), stream=True)
        if not is_json(lines[0]):   # nothing was given out yet
            assert got.status == 502 and got.error['type'], (name, got)
        elif b'error' in kinds and not any(kind.endswith(b'.delta') for kind in kinds):
            want = json.loads(lines[kinds.index(b'error')])['error']
            assert got.status == 429 and {k: got.error[k] for k in want} == want, (name, got)
        else:
            want = on_the_wire(lines, model)
            same(undone(got.body, want), want)
    assert seen
