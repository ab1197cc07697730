"""The simulator itself, without weir: what the other suites rely on."""
import json
import time
import uuid

import pytest

import rig

TEXT = 'The dam is low and the river runs over it; what passes is measured, not held.'
HELLO = [{'role': 'user', 'content': 'Hello there'}]


def ask(mock, script='', path='/v1/chat/completions', headers=None, key=rig.UPSTREAM, **members):
    body = {'model': f'mock:{script}' if script else 'gpt-4.1', 'messages': HELLO, **members}
    return rig.request(mock.port, 'POST', path, body, {'Authorization': f'Bearer {key}', **(headers or {})})


def raw_answer(mock, script, **members):
    """All bytes of the answer, up to the end of the connection."""
    body = json.dumps({'model': f'mock:{script}', 'messages': HELLO, **members}).encode()
    return rig.raw(mock.port, (f'POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {rig.UPSTREAM}\r\n'
                               f'Connection: close\r\nContent-Length: {len(body)}\r\n\r\n').encode() + body, seconds=5)


def payload(answer):
    """The payload of a raw answer; chunks as far as they are whole."""
    head, _, rest = answer.partition(b'\r\n\r\n')
    if b'chunked' not in head:
        return rest
    joined = b''
    while rest:
        size, _, rest = rest.partition(b'\r\n')
        n = int(size, 16)
        joined += rest[:n]
        rest = rest[n + 2:]
    return joined


def test_answers(mock):
    answer = ask(mock).json()
    assert answer['choices'][0]['message']['content'] == TEXT and answer['model'] == 'gpt-4.1-2026-08-01'
    assert (answer['usage']['prompt_tokens'], answer['usage']['completion_tokens']) == (5, 16)
    assert ask(mock, max_tokens=2).json()['choices'][0]['finish_reason'] == 'length'
    assert ask(mock, 'text=a_b').json()['choices'][0]['message']['content'] == 'a b'
    assert ask(mock, headers={'x-mock': 'tokens=1'}).json()['usage']['completion_tokens'] == 1
    assert ask(mock, path='/openai/deployments/gpt-4.1/chat/completions?api-version=1').status == 200


def test_credential(mock):
    assert ask(mock, key='sk-wrong').status == 401
    assert ask(mock, key='').status == 401


@pytest.mark.parametrize('members', [
    {'messages': []}, {'messages': None}, {'messages': [{'role': 'robot', 'content': 'x'}]}, {'messages': [{'role': 'user'}]},
    {'messages': [{'role': 'tool', 'tool_call_id': 'x', 'content': 'y'}]},
    {'messages': [{'role': 'assistant', 'tool_calls': [{'id': 'x', 'type': 'function', 'function': {}}]}, *HELLO]},
    {'messages': [{'role': 'user', 'content': [{'type': 'image_url', 'image_url': {}}]}]},
    {'stream_options': {}}, {'temperature': 3}, {'n': 0}, {'top_p': 'x'}, {'parallel_tool_calls': True}, {'tool_choice': 'auto'},
    {'tools': [{'type': 'function', 'function': {'name': 'a b'}}]}, {'tools': [{'type': 'x'}]},
    {'response_format': {'type': 'json_object'}}, {'response_format': {'type': 'json_schema', 'json_schema': {}}}],
    ids=lambda m: json.dumps(m)[:50])
def test_refusals(mock, members):
    answer = ask(mock, **members)
    assert answer.status == 400 and answer.error['type'] == 'invalid_request_error', answer


@pytest.mark.parametrize('script', ['nonsense', 'status=x', 'status', 'header=x', 'usage=sometimes', 'html=1', 'cut=-1',
                                    ','.join(['header=a:b'] * 9)])
def test_scripts_that_are_not_understood(mock, script):
    assert ask(mock, script).error['type'] == 'mock_bad_script'


@pytest.mark.parametrize('n', [0, 1, 100, 700])
def test_bytes_before_a_fault(mock, n):
    for script in (f'cut={n}', f'end={n}', f'framing=chunked,end={n}', f'framing=close,cut={n}'):
        assert len(payload(raw_answer(mock, script))) == n, script
    assert len(payload(raw_answer(mock, f'garbage={n}'))) == n + 64
    assert len(payload(raw_answer(mock, f'stall={n},stall_ms=20'))) > 700


def test_faults_of_the_head(mock):
    assert raw_answer(mock, 'nohead') == b'' and raw_answer(mock, 'nohead=reset') == b''
    assert not raw_answer(mock, 'nohead=garbage').startswith(b'HTTP')
    assert raw_answer(mock, 'headcut=12') == b'HTTP/1.1 200'


def test_events_of_a_size(mock):
    answer = ask(mock, 'events=7,size=330', stream=True)
    sizes = [len(e) for e in answer.body.split(b'\n\n')]
    assert sizes[1:8] == [328] * 7 and answer.body.endswith(b'data: [DONE]\n\n')
    assert all(json.loads(e) for e in rig.events(answer.body)[:-1])


def test_rhythm(mock):
    begin = time.monotonic()
    ask(mock, 'events=40,size=330,interval_us=5000', stream=True)
    assert 0.19 < time.monotonic() - begin < 15     # microseconds
    begin = time.monotonic()
    ask(mock, 'latency=100')
    assert 0.09 < time.monotonic() - begin < 15     # milliseconds


def test_usage(mock):
    def chunks(script, **members):
        return [json.loads(e) for e in rig.events(ask(mock, script, stream=True, **members).body) if e != '[DONE]']
    asked = {'stream_options': {'include_usage': True}}
    assert all('usage' not in c for c in chunks('tokens=2'))
    assert [c['usage'] is None for c in chunks('tokens=2', **asked)] == [True] * 4 + [False]
    assert chunks('tokens=2', **asked)[-1]['choices'] == []
    assert all('usage' not in c for c in chunks('tokens=2,usage=none', **asked))
    assert chunks('usage=finish')[-1]['choices'][0]['finish_reason'] == 'stop' and chunks('usage=finish')[-1]['usage']
    assert chunks('usage=always')[-1]['usage']


def test_fixtures(mock, replay):
    with open(f'{replay}/fixture-of-mock.sse', 'wb') as file:
        file.write(b'data: 1\n\ndata: 2\r\n\r\nrest')
    assert payload(raw_answer(mock, 'fixture=fixture-of-mock.sse')) == b'data: 1\n\ndata: 2\r\n\r\nrest'
    for name in ('none.json', '../conftest.py', 'a/b', '..'):
        assert ask(mock, f'fixture={name}').status == 404


def test_invoices_count_attempts(mock):
    mark = uuid.uuid4().hex
    for _ in range(3):
        ask(mock, f'key={mark}', headers={'x-litellm-call-id': f'call-{mark}'})
    raw_answer(mock, f'cut=10,key={mark}')
    rows = mock.invoices(mark)
    assert [r['attempt'] for r in rows] == [1, 2, 3, 1]
    assert [r['outcome'] for r in rows] == ['complete'] * 3 + ['cut'] and rows[-1]['bytes'] == 10


def test_times(mock):
    script = f'status=500,times=2,key={uuid.uuid4().hex}'
    assert [ask(mock, script).status for _ in range(4)] == [500, 500, 200, 200]


@pytest.mark.parametrize('data', [
    b'GET /v1/models HTTP/1.1\r\n\r\n', b'GET /v1/models HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
    b'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    b'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n', b'GET / HTTP/1.1\r\nHost : a\r\n\r\n',
    b'GET / HTTP/1.1\nHost: a\n\n\r\n\r\n', b'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n', b'\x16\x03\x01'])
def test_bad_http(mock, data):
    """It is strict, so that a slip of weir's client would show."""
    assert b'mock_bad_http' in rig.raw(mock.port, data, seconds=5)
