"""The long ones: every offset of larger answers, and many connections over time."""
import http.client
import json
import os
import random

import pytest

import rig
from test_faults import content, ending

pytestmark = pytest.mark.long
TEXT = 'The dam is low and the river runs over it; what passes is measured, not held.'


class Line:
    """One kept-alive connection."""

    def __init__(self, server):
        self.connection = http.client.HTTPConnection('127.0.0.1', server.port, timeout=rig.PATIENCE)

    def chat(self, model, stream):
        body = json.dumps({'model': model, 'stream': stream, 'messages': [{'role': 'user', 'content': 'x'}]})
        self.connection.request('POST', '/v1/chat/completions', body, {'Authorization': f'Bearer {rig.MASTER}'})
        answer = self.connection.getresponse()
        return rig.Answer(answer.status, answer.headers, answer.read())


@pytest.mark.parametrize('how', ['cut', 'end', 'reset', 'garbage', 'badchunk'])
def test_stream_at_each_offset(weir, mock, how):
    line, n = Line(weir), 0
    model, mark = rig.script('stall=999999')
    line.chat(model, True)
    size = mock.wait_invoice(mark)['of_bytes'] + 1000
    while True:
        answer = line.chat(rig.script(f'{how}={n}')[0], True)
        if answer.status == 200:
            assert TEXT.startswith(content(answer.body)) and ending(answer.body) in ('done', 'error'), (n, answer)
            if ending(answer.body) == 'done':
                assert content(answer.body) == TEXT, (n, answer)
        else:
            assert answer.status == 502, (n, answer)
        if n > size:
            assert ending(answer.body) == 'done', (n, answer)
            return
        n += 3


@pytest.mark.parametrize('framing', ['length', 'chunked', 'close'])
@pytest.mark.parametrize('how', ['cut', 'end', 'reset', 'garbage'])
def test_whole_answer_at_each_offset(weir, how, framing):
    line = Line(weir)
    for n in range(1000):
        answer = line.chat(rig.script(f'framing={framing},{how}={n}')[0], False)
        if answer.status == 200:
            assert answer.json()['choices'][0]['message']['content'] == TEXT and n > 700, (n, answer)
        else:
            assert answer.status == 502 and answer.error['code'] == 'upstream_invalid_response', (n, answer)


def test_heads_cut_at_each_offset(weir):
    line = Line(weir)
    for n in range(1, 300):
        answer = line.chat(rig.script(f'headcut={n}')[0], n % 2 == 0)
        assert answer.status == 502, (n, answer)


def test_chaos_and_nothing_is_lost(start):
    """Faults by chance (the seed is fixed); then no connection and no descriptor is left behind."""
    mock = start(kind=rig.Mock)
    server = start(rig.config([rig.deployment('mock/*', 'openai/*', mock.base)], weir_settings={
        'first_byte_timeout': 0.3, 'event_timeout': 0.3, 'upstream_idle': 1}), '--workers', '2')

    def descriptors():
        return len(os.listdir(f'/proc/{server.process.pid}/fd'))
    server.chat(rig.script()[0])
    rig.wait_for(lambda: mock.stats()['connections'] == 1, 10)   # that of the question itself
    before = descriptors()
    chance = random.Random(7)
    kinds = ['cut={}', 'reset={}', 'end={}', 'stall={}', 'garbage={}', 'badchunk={}', 'dribble=7', 'nohead', 'nohead=reset',
             'headcut=20', 'status=500', 'status=429', 'html', 'empty', 'badjson', 'close', 'die-next', 'idle-close=5', '']
    for _ in range(1500):
        script = chance.choice(kinds).format(chance.randrange(5000))
        answer = server.chat(rig.script(script)[0], stream=chance.random() < 0.5)
        assert answer.status in (200, 408, 429, 500, 502), (script, answer)
    rig.wait_for(lambda: mock.stats()['connections'] == 1, 10)
    rig.wait_for(lambda: descriptors() <= before + 4, 10)   # what workers make at their first use
