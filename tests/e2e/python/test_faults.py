"""Providers that fail: what the client is told, and that no half answer ever looks whole."""
import http.client
import json
import os
import socket
import time
import uuid

import pytest

import rig

TEXT = 'The dam is low and the river runs over it; what passes is measured, not held.'
STREAM = {'stream': True}
BOTH = pytest.mark.parametrize('stream', [False, True], ids=['whole', 'stream'])


def ending(body):
    """How a stream ends: 'done', 'error' (with or without a [DONE] behind it), or 'cut'."""
    data = rig.events(body)
    if not body.endswith(b'\n\n') or not data:
        return 'cut'
    if any(e.startswith('{') and 'error' in json.loads(e) for e in data):
        return 'error'
    return 'done' if data[-1] == '[DONE]' else 'cut'


def content(body):
    """The text of a stream; every event before the end must be a whole one."""
    text = ''
    for event in rig.events(body):
        if event != '[DONE]':
            for choice in json.loads(event).get('choices', []):
                text += choice['delta'].get('content') or ''
    return text


def stream_error(body):
    return [json.loads(e)['error'] for e in rig.events(body) if e.startswith('{') and 'error' in json.loads(e)][0]


# -- statuses

@BOTH
@pytest.mark.parametrize('upstream,status,kind,code', [
    (400, 400, 'invalid_request_error', '400'),
    (401, 502, 'server_error', 'upstream_auth'),
    (403, 403, 'permission_error', '403'),
    (404, 404, 'invalid_request_error', 'model_not_found'),
    (409, 409, 'conflict_error', '409'),
    (413, 413, 'invalid_request_error', 'request_too_large'),
    (422, 422, 'invalid_request_error', '422'),
    (429, 429, 'requests', 'rate_limit_exceeded'),
    (500, 500, 'server_error', '500'),
    (502, 502, 'server_error', '502'),
    (503, 503, 'service_unavailable_error', 'server_is_overloaded'),
    (504, 504, 'timeout_error', 'timeout'),
    (520, 502, 'server_error', '502'),
    (529, 503, 'service_unavailable_error', 'server_is_overloaded'),
])
def test_statuses(weir, upstream, status, kind, code, stream):
    model, _ = rig.script(f'status={upstream}')
    answer = weir.chat(model, stream=stream)
    assert answer.status == status, answer
    error = answer.error
    assert error['type'] in (kind, 'rate_limit_error') if upstream == 429 else error['type'] == kind, answer
    assert error['code'] == code and error['message'], answer
    assert answer.headers['content-type'].startswith('application/json')


@pytest.mark.parametrize('upstream', [300, 301, 302, 307, 204, 206])
def test_statuses_that_are_no_answer(weir, mock, upstream):
    """A redirect is not followed; it is no answer."""
    model, mark = rig.script(f'status={upstream},header=location:http%3a//127.0.0.1/x'.replace('%3a', ':')
                             if upstream > 300 else f'status={upstream},empty')
    answer = weir.chat(model)
    assert answer.status == 502 and answer.error['code'] == 'upstream_invalid_response', answer
    assert len(mock.seen(mark)) == 1


@BOTH
@pytest.mark.parametrize('header,want', [('retry-after:7', '7'), ('retry-after:0', '0'), ('retry-after-ms:1500', '2'),
                                         ('retry-after:nonsense', None), ('x-other:1', None)])
def test_retry_after(weir, header, want, stream):
    for status in (429, 503):
        model, _ = rig.script(f'status={status},header={header}')
        answer = weir.chat(model, stream=stream)
        assert answer.status == status and answer.headers.get('retry-after') == want, dict(answer.headers)
        # what is finer than seconds keeps its precision: SDKs read this header first
        precise = '1500' if header == 'retry-after-ms:1500' else None
        assert answer.headers.get('retry-after-ms') == precise, dict(answer.headers)


def test_error_of_the_provider_in_full(weir, replay):
    error = {'message': 'This model\'s maximum context length is 8 tokens.', 'type': 'invalid_request_error',
             'param': 'messages', 'code': 'context_length_exceeded'}
    name = f'{uuid.uuid4().hex}.json'
    with open(os.path.join(replay, name), 'w', encoding='utf-8') as file:
        json.dump({'error': error}, file)
    model, _ = rig.script(f'status=400,fixture={name}')
    assert weir.chat(model).error == error
    model, _ = rig.script(f'status=200,fixture={name}')       # an error in disguise
    answer = weir.chat(model)
    assert answer.status == 400 and answer.error == error


@pytest.mark.parametrize('text', [
    '{"error":"plain text"}', '{"detail":"Not Found"}', '{"message":"no"}', '[{"error":{"code":400,"message":"no","status":"INVALID"}}]',
    '{"error":{"message":null,"code":17}}', '{"error":{}}', '{"error":[]}', '[]', 'null', '"x"', '\u0000', '{"error":{"message":"' + 'x' * 300000 + '"}}'],
    ids=lambda t: repr(t[:40]))
def test_errors_of_odd_shapes(weir, replay, text):
    name = f'{uuid.uuid4().hex}.json'
    with open(os.path.join(replay, name), 'w', encoding='utf-8') as file:
        file.write(text)
    model, _ = rig.script(f'status=400,fixture={name}')
    answer = weir.chat(model)
    assert answer.status == 400 and answer.error['message'] and isinstance(answer.error['code'], str), answer
    assert len(answer.body) < 70000


# -- answers that are none

@BOTH
@pytest.mark.parametrize('script,status', [
    ('html', 502), ('html,status=200', 502), ('html,status=503', 503), ('empty', 502), ('empty,status=500', 500),
    ('badjson', 502), ('nohead', 502), ('nohead=reset', 502), ('nohead=garbage', 502), ('headcut=12', 502),
    ('headcut=60', 502), ('cut=0', 502), ('reset=0', 502), ('end=0', 502), ('garbage=0', 502),
])
def test_no_answer(weir, mock, script, status, stream):
    model, mark = rig.script(script)
    answer = weir.chat(model, stream=stream)
    assert answer.status == status, answer
    assert answer.error['type'] in ('server_error', 'service_unavailable_error'), answer
    assert b'<html' not in answer.body.lower() and b'chatcmpl-mock' not in answer.body
    assert mock.seen(mark)


@pytest.mark.parametrize('script', ['cut=100', 'cut=1', 'reset=100', 'end=100', 'garbage=100', 'framing=chunked,cut=100',
                                    'framing=chunked,badchunk=100', 'framing=chunked,reset=300', 'choices-null',
                                    'framing=close,cut=100'])
def test_whole_answer_cut(weir, script):
    model, _ = rig.script(script)
    answer = weir.chat(model)
    assert answer.status == 502 and answer.error['code'] == 'upstream_invalid_response', answer


@pytest.mark.parametrize('script', ['cut={}', 'reset={}', 'end={}', 'framing=chunked,badchunk={}'])
def test_large_answer_cut(weir, script):
    """Beyond what is held back, the head is out already: the answer must not end as if it were whole."""
    model, _ = rig.script('tokens=600000,' + script.format(2500000))
    body = json.dumps({'model': model, 'messages': [{'role': 'user', 'content': 'x'}]})
    connection = http.client.HTTPConnection('127.0.0.1', weir.port, timeout=rig.PATIENCE)
    connection.request('POST', '/v1/chat/completions', body, {'Authorization': f'Bearer {rig.MASTER}'})
    answer = connection.getresponse()
    assert answer.status == 200
    with pytest.raises((http.client.IncompleteRead, ConnectionResetError, ValueError)):
        json.loads(answer.read())
        raise AssertionError('half an answer was well framed')
    connection.close()


def test_large_answer(weir):
    model, _ = rig.script('tokens=600000')
    answer = weir.chat(model)
    assert answer.status == 200 and len(answer.body) > 2500000 and answer.json()['model'] == model


def test_stream_where_none_was_asked(weir, replay):
    name = f'{uuid.uuid4().hex}.sse'
    with open(os.path.join(replay, name), 'w', encoding='utf-8') as file:
        file.write('data: {"choices":[]}\n\ndata: [DONE]\n\n')
    model, _ = rig.script(f'fixture={name}')
    assert weir.chat(model).status == 502


def test_whole_answer_where_a_stream_was_asked(weir, replay):
    name = f'{uuid.uuid4().hex}.json'
    with open(os.path.join(replay, name), 'w', encoding='utf-8') as file:
        file.write('{"choices":[{"index":0,"message":{"role":"assistant","content":"x"},"finish_reason":"stop"}]}')
    model, _ = rig.script(f'fixture={name}')
    assert weir.chat(model, stream=True).status == 502


@pytest.mark.parametrize('upstream,body,status,code', [
    ('gemini/*', [{'error': {'code': 503, 'message': 'The model is overloaded.', 'status': 'UNAVAILABLE'}}], 503, None),
    ('gemini/*', {'error': {'code': 429, 'message': 'Slow down.', 'status': 'RESOURCE_EXHAUSTED'}}, 429, 'rate_limit_exceeded'),
    ('anthropic/*', {'type': 'error', 'error': {'type': 'overloaded_error', 'message': 'Overloaded'}}, 503, None),
    ('anthropic/*', {'type': 'message', 'error': None}, 502, 'upstream_invalid_response'),
    ('gemini/*', [], 502, 'upstream_invalid_response'),
    ('openai/*', {'error': {'message': 'Slow down.', 'type': 'requests', 'code': 'rate_limit_exceeded'}}, 429, 'rate_limit_exceeded')])
def test_whole_error_where_a_stream_was_asked(start, mock, replay, upstream, body, status, code):
    """With status 200, and no event around it."""
    name = f'{uuid.uuid4().hex}.json'
    with open(os.path.join(replay, name), 'w', encoding='utf-8') as file:
        json.dump(body, file)
    base = mock.base if upstream == 'openai/*' else f'http://127.0.0.1:{mock.port}'
    weir = start(rig.config([rig.deployment('m/*', upstream, base)]))
    model = {'openai/*': 'gpt-4.1', 'gemini/*': 'gemini-2.5-flash', 'anthropic/*': 'claude-sonnet-4-5'}[upstream]
    script, _ = rig.script(f'fixture={name}')
    answer = weir.chat(f'm/{model}-{script.removeprefix("mock/")}', stream=True)
    assert answer.status == status and answer.error['code'] == (code or answer.error['code']), answer
    assert answer.headers['content-type'] == 'application/json'


# -- streams that fail

SMALL = (b'data: {"id":"c","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}\n\n',
         b'data: {"id":"c","model":"m","choices":[{"index":0,"delta":{"content":"ab"},"finish_reason":null}]}\n\n',
         b'data: {"id":"c","model":"m","choices":[{"index":0,"delta":{"content":"cd"},"finish_reason":null}]}\n\n',
         b'data: {"id":"c","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n',
         b'data: [DONE]\n\n')


@pytest.fixture(scope='module')
def small(replay):
    with open(os.path.join(replay, 'small.sse'), 'wb') as file:
        file.write(b''.join(SMALL))
    return 'fixture=small.sse'


@pytest.mark.parametrize('how', ['cut', 'end', 'reset', 'garbage'])
def test_stream_cut_at_each_offset(weir, small, how):
    """At every byte: before the first content an error with its status; behind it, whole events and an error event."""
    ends = [sum(map(len, SMALL[:i + 1])) for i in range(len(SMALL))]
    whole = sum(map(len, SMALL))
    connection = http.client.HTTPConnection('127.0.0.1', weir.port, timeout=rig.PATIENCE)
    for n in range(0, whole + 1):
        model, _ = rig.script(f'{small},{how}={n}')
        connection.request('POST', '/v1/chat/completions', json.dumps(
            {'model': model, 'stream': True, 'messages': [{'role': 'user', 'content': 'x'}]}),
            {'Authorization': f'Bearer {rig.MASTER}'})
        answer = connection.getresponse()
        body = answer.read()
        if n < ends[1]:
            assert answer.status == 502, (n, answer.status, body)
            assert json.loads(body)['error']['code'] == 'upstream_invalid_response', (n, body)
            continue
        assert answer.status == 200, (n, body)
        text = ''.join(t for t, e in (('ab', ends[1]), ('cd', ends[2])) if n >= e)
        assert content(body) == text, (n, body)
        if n < ends[3]:
            assert ending(body) == 'error', (n, body)
        elif n < whole:
            assert ending(body) in ('error', 'done'), (n, body)
        else:
            assert ending(body) == 'done', (n, body)
    connection.close()


def test_stream_byte_by_byte(weir, small):
    whole, dribbled = (weir.chat(rig.script(s)[0], **STREAM) for s in (small, small + ',dribble=1'))
    assert ending(whole.body) == 'done'
    def events(answer):
        return [json.loads(e) | {'model': ''} if e[0] == '{' else e for e in rig.events(answer.body)]
    assert events(whole) == events(dribbled) and len(events(whole)) == len(SMALL)


def test_stream_of_events_over_several_lines(weir, small, replay):
    """The client gets each on one line, whatever the provider's JSON looks like."""
    name = f'{uuid.uuid4().hex}.sse'
    with open(os.path.join(replay, name), 'w', encoding='utf-8') as file:
        for event in SMALL[:-1]:
            lines = json.dumps(json.loads(event[len('data: '):]), indent=1).splitlines()
            file.write(''.join(f'data: {line}\n' for line in lines) + '\n')
        file.write('data: [DONE]\n\n')
    lined, plain = (weir.chat(rig.script(s)[0], **STREAM) for s in (f'fixture={name}', small))
    assert ending(lined.body) == 'done' and content(lined.body) == 'abcd', lined
    def parsed(answer):
        return [json.loads(e) | {'model': ''} for e in rig.events(answer.body)[:-1]]
    assert parsed(lined) == parsed(plain) and len(rig.events(lined.body)) == len(SMALL), lined
    assert all(line.startswith(b'data: ') or not line for line in lined.body.split(b'\n')), lined


@pytest.mark.parametrize('script,text', [
    ('error-event=3', 'The dam is'), ('badjson-event=4', 'The dam is'), ('done=none,end=1500', None),
    ('badchunk=1500', None), ('cut=1500', None), ('garbage=1500', None)])
def test_stream_fails_behind_content(weir, script, text):
    model, _ = rig.script(script)
    answer = weir.chat(model, **STREAM)
    assert answer.status == 200 and ending(answer.body) == 'error', answer.body[-600:]
    got = content(answer.body)
    assert TEXT.startswith(got) and got and (text is None or got == text)
    error = stream_error(answer.body)
    assert set(error) >= {'message', 'type', 'param', 'code'} and isinstance(error['code'], str)
    assert error['type'] == 'server_error'


def test_stream_broken_before_content(weir):
    """Nothing was sent yet: the client gets a status, not a stream."""
    answer = weir.chat(rig.script('badjson-event=1')[0], **STREAM)
    assert answer.status == 502 and answer.headers['content-type'].startswith('application/json'), answer


def test_error_event_first(weir, replay):
    name = f'{uuid.uuid4().hex}.sse'
    with open(os.path.join(replay, name), 'wb') as file:
        file.write(SMALL[0] + b'data: {"error":{"message":"Rate limit reached","type":"requests","param":null,"code":"rate_limit_exceeded"}}\n\n')
    model, _ = rig.script(f'fixture={name}')
    answer = weir.chat(model, **STREAM)
    assert answer.status == 429 and answer.error['code'] == 'rate_limit_exceeded', answer


# -- time

@pytest.fixture(scope='module')
def hasty(folder, mock):
    server = rig.Weir(folder, rig.config([rig.deployment('mock/*', 'openai/*', mock.base)], weir_settings={
        'first_byte_timeout': 0.4, 'event_timeout': 0.4}))
    yield server
    server.stop()


@BOTH
@pytest.mark.parametrize('script', ['latency=10000', 'stall=0', 'stall=1'])
def test_stall_before_content(hasty, mock, script, stream):
    model, mark = rig.script(script)
    start = time.monotonic()
    answer = hasty.chat(model, stream=stream)
    assert answer.status == 408 and answer.error['type'] == 'timeout_error' and answer.error['code'] == 'timeout', answer
    assert 0.3 < time.monotonic() - start < 9       # the simulator takes 10, or never ends
    assert mock.wait_invoice(mark)['outcome'] == 'client left'


def test_stall_in_a_whole_answer(hasty):
    model, _ = rig.script('stall=300')
    assert hasty.chat(model).status == 408


def test_stall_in_a_stream(hasty, mock):
    model, mark = rig.script('stall=2000')
    answer = hasty.chat(model, **STREAM)
    assert answer.status == 200 and ending(answer.body) == 'error' and content(answer.body), answer
    assert stream_error(answer.body)['type'] == 'timeout_error'
    assert mock.wait_invoice(mark)['outcome'] == 'client left'


def test_slow_is_not_stalled(hasty):
    """Events 100 ms apart: the whole takes longer than the time between two of them may."""
    def once():
        answer = hasty.chat(rig.script('tokens=8,interval_us=100000')[0], **STREAM)
        assert answer.status == 200 and ending(answer.body) == 'done'
    rig.unless_stalled(once, 0.2)


def test_comments_keep_a_stream_alive(hasty):
    """A provider that pings is not silent, though it says nothing for a while."""
    def once():
        answer = hasty.chat(rig.script('comments,tokens=4,interval_us=150000')[0], **STREAM)
        assert answer.status == 200 and ending(answer.body) == 'done'
    rig.unless_stalled(once, 0.15)


def test_timeouts_of_a_deployment(start, mock):
    server = start(rig.config([rig.deployment('short/*', 'openai/*', mock.base, timeout=0.3),
                               rig.deployment('first/*', 'openai/*', mock.base, stream_timeout=0.3)]))
    for name in ('short', 'first'):
        begin = time.monotonic()
        answer = server.chat(f'{name}/mock:latency=10000', **STREAM)
        assert answer.status == 408 and answer.error['type'] == 'timeout_error', answer
        assert time.monotonic() - begin < 9


def test_early_head_and_pings(start, mock):
    """Without content for stream_commit the head goes out, then pings; an error is an event from then on."""
    server = start(rig.config([rig.deployment('mock/*', 'openai/*', mock.base)], weir_settings={
        'stream_commit': 0.2, 'ping_interval': 0.2}))

    def once():
        answer = server.chat(rig.script('latency=900')[0], **STREAM)
        assert answer.status == 200 and answer.body.startswith(b': ping\n\n') and answer.body.count(b': ping\n\n') >= 2
        assert content(answer.body) == TEXT and ending(answer.body) == 'done'
        answer = server.chat(rig.script('latency=500,status=429')[0], **STREAM)
        assert answer.status == 200 and ending(answer.body) == 'error'
        assert stream_error(answer.body)['code'] == 'rate_limit_exceeded'
    rig.unless_stalled(once, 0.2)


# -- credentials

@BOTH
@pytest.mark.parametrize('status', [400, 401, 403, 429, 500])
def test_echo_of_the_credential(weir, status, stream):
    model, _ = rig.script(f'status={status},echo-auth')
    answer = weir.chat(model, stream=stream)
    assert rig.UPSTREAM not in answer.body.decode() and rig.UPSTREAM not in str(answer.headers), answer
    assert answer.status == (502 if status == 401 else status)


def test_echo_of_the_credential_in_headers(weir):
    for stream in (False, True):
        model, _ = rig.script('echo-auth,text=x')
        answer = weir.chat(model, stream=stream)
        assert answer.status == 200 and rig.UPSTREAM not in str(answer.headers)


def test_headers_of_the_provider_that_are_dangerous(weir):
    model, _ = rig.script('header=set-cookie:a=b,header=location:x,header=connection:x-drop,header=x-drop:1,'
                          'header=access-control-allow-origin:*,header=server:them,header=x-litellm-model-id:forged')
    answer = weir.chat(model)
    assert answer.status == 200
    for name in ('set-cookie', 'location', 'x-drop', 'access-control-allow-origin', 'server', 'llm_provider-set-cookie'):
        assert name not in answer.headers, dict(answer.headers)
    assert answer.headers.get_all('x-litellm-model-id') != ['forged']
    assert len(answer.headers.get_all('x-litellm-model-id')) == 1


# -- connections

@BOTH
def test_unreachable(weir, stream):
    answer = weir.chat('unreachable', stream=stream)
    assert answer.status == 502 and answer.error['code'] == 'upstream_unreachable', answer
    assert answer.error['type'] == 'server_error'


def test_name_that_does_not_resolve(start):
    server = start(rig.config([rig.deployment('m', 'openai/gpt-4.1', 'http://no-such-host.invalid/v1')]))
    answer = server.chat('m')
    assert answer.status == 502 and answer.error['code'] == 'upstream_unreachable', answer


def test_connect_that_hangs(start):
    """A listener that accepts nobody: its queue is full, so the handshake is not answered."""
    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        listener.listen(0)
        fill = [socket.socket() for _ in range(3)]
        for s in fill:
            s.setblocking(False)
            s.connect_ex(listener.getsockname())
        server = start(rig.config([rig.deployment('m', 'openai/gpt-4.1', f'http://127.0.0.1:{listener.getsockname()[1]}/v1')],
                                  weir_settings={'connect_timeout': 0.3}))
        begin = time.monotonic()
        answer = server.chat('m')
        assert answer.status in (408, 502) and time.monotonic() - begin < 4.5, answer    # the default is 5
        for s in fill:
            s.close()


@pytest.fixture(scope='module')
def single(folder, mock):
    """One worker: one pool."""
    server = rig.Weir(folder, rig.config([rig.deployment('mock/*', 'openai/*', mock.base)]), '--workers', '1')
    yield server
    server.stop()


def test_connections_are_used_again(single, mock):
    single.chat(rig.script()[0])
    before = mock.stats()['accepted']
    for n in range(20):
        assert single.chat(rig.script()[0], stream=n % 2 == 0).status == 200
    assert mock.stats()['accepted'] - before == 1   # that of the question itself


@pytest.mark.parametrize('script', ['die-next', 'idle-close=1', 'close', 'framing=close'])
def test_pooled_connection_that_is_dead(single, mock, script):
    """A connection that dies between two requests is replaced; the client sees nothing of it."""
    for n in range(12):
        model, mark = rig.script(script)
        assert single.chat(model, stream=n % 2 == 0).status == 200
        assert len(mock.seen(mark)) == 1
        if script == 'idle-close=1' and n % 3:
            time.sleep(0.005 * n)


def test_request_is_not_repeated_after_an_answer_began(single, mock):
    single.chat(rig.script()[0])
    for script in ('headcut=12', 'cut=10', 'reset=10'):
        model, mark = rig.script(script)
        assert single.chat(model).status == 502
        assert len(mock.seen(mark)) == 1, script


@pytest.mark.parametrize('script', ['hints', 'dribble=1', 'dribble=3,framing=chunked', 'framing=close', 'framing=chunked', 'close'])
@BOTH
def test_framings(single, script, stream):
    model, _ = rig.script(script)
    answer = single.chat(model, stream=stream)
    assert answer.status == 200, answer
    assert (content(answer.body) if stream else answer.json()['choices'][0]['message']['content']) == TEXT


# -- clients that fail

def open_stream(weir, model):
    body = json.dumps({'model': model, 'stream': True, 'messages': [{'role': 'user', 'content': 'x'}]}).encode()
    s = socket.create_connection(('127.0.0.1', weir.port), timeout=rig.PATIENCE)
    s.sendall(f'POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {rig.MASTER}\r\n'
              f'Content-Length: {len(body)}\r\n\r\n'.encode() + body)
    return s


@pytest.mark.parametrize('how', ['close', 'reset', 'half'])
@pytest.mark.parametrize('script', ['latency=10000', 'tokens=2000,interval_us=10000'], ids=['before', 'within'])
def test_client_leaves(weir, mock, how, script):
    model, mark = rig.script(script)
    s = open_stream(weir, model)
    if 'tokens' in script:
        s.recv(1000)
    else:
        rig.wait_for(lambda: mock.seen(mark))
    if how == 'reset':
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\1\0\0\0\0\0\0\0')
    if how == 'half':
        s.shutdown(socket.SHUT_WR)
    else:
        s.close()
    begin = time.monotonic()
    assert mock.wait_invoice(mark)['outcome'] == 'client left'
    assert time.monotonic() - begin < 9     # not when the answer comes, or ends
    s.close()


def test_client_that_reads_slowly(weir, mock):
    """The provider is held back: what one client does not take is not read on its behalf without bound."""
    model, mark = rig.script('events=25000,size=1000')
    s = open_stream(weir, model)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    time.sleep(1.0)
    assert not mock.invoices(mark), '25 MB were taken from the provider for a client that reads nothing'
    s.close()
    assert mock.wait_invoice(mark)['outcome'] == 'client left'


def test_many_at_once(weir):
    """64 streams side by side, each with its own text."""
    texts = [f'one_{n}_two_{n * n}' for n in range(64)]
    sockets = [open_stream(weir, rig.script(f'interval_us=3000,text={t}')[0]) for t in texts]
    for s, text in zip(sockets, texts):
        got = rig.read_raw(s, b'[DONE]')
        body = b''.join(line + b'\n\n' for line in got.split(b'\r\n') if line.startswith(b'data: '))
        joined = ''.join(json.loads(e)['choices'][0]['delta'].get('content') or ''
                         for e in rig.events(got.replace(b'\r\n', b'\n')) if e.startswith('{') and json.loads(e)['choices'])
        assert joined == text.replace('_', ' '), body[:300]
        s.close()


# -- the simulator's own record

def test_invoices(weir, mock, invoice_file):
    """What the provider would bill is what the client is told was used; the call id ties them together."""
    model, mark = rig.script('tokens=7')
    answer = weir.chat(model)
    usage = answer.json()['usage']
    invoice = mock.wait_invoice(mark)
    assert (invoice['prompt_tokens'], invoice['completion_tokens']) == (usage['prompt_tokens'], usage['completion_tokens'])
    assert invoice['completion_tokens'] == 7 and invoice['outcome'] == 'complete' and invoice['attempt'] == 1
    with open(invoice_file, encoding='utf-8') as file:
        assert [row for row in map(json.loads, file) if mark in row['model']] == [invoice]
