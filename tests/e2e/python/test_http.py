"""weir as an HTTP server: keys, refusals, and the routes that call no provider."""
import hashlib
import http.client
import json
import re
import socket

import pytest

import rig

CHAT = {'model': 'gpt-4.1', 'messages': [{'role': 'user', 'content': 'Hello'}]}
WRONG = 'sk-wrong-key-of-somebody-3f7a'


def body(model='gpt-4.1'):
    return json.dumps({**CHAT, 'model': model}).encode()


def assert_error(answer, status, kind, code=None, param=None):
    assert answer.status == status, answer
    assert answer.headers['content-type'].startswith('application/json')
    error = answer.error
    assert set(error) >= {'message', 'type', 'param', 'code'}
    assert set(answer.json()) == {'error'}
    assert error['type'] == kind, answer
    assert error['code'] == (code or str(status)), answer
    assert error['param'] == param, answer
    return error['message']


# -- where the key may stand

@pytest.mark.parametrize('headers', [
    {'Authorization': 'Bearer {}'}, {'authorization': 'bearer {}'}, {'Authorization': 'Basic {}'},
    {'x-litellm-api-key': '{}'}, {'x-litellm-api-key': 'Bearer {}'}, {'API-Key': '{}'}, {'api-key': '{}'},
    {'x-api-key': '{}'}, {'x-goog-api-key': '{}'}, {'Ocp-Apim-Subscription-Key': '{}'},
], ids=lambda h: '-'.join([*h, *h.values()]).replace('{}', '').strip('- '))
def test_key_places(weir, headers):
    def call(key):
        made = {name: value.format(key) for name, value in headers.items()}
        return weir.call('POST', '/v1/chat/completions', CHAT, made, key=None)
    assert call(rig.MASTER).status == 200
    assert_error(call(WRONG), 401, 'token_not_found_in_db')
    assert call(rig.MASTER + 'x').status == 401
    assert call(rig.MASTER[:-1]).status == 401
    assert call(rig.MASTER.upper()).status == 401


PLACES = ('x-litellm-api-key', 'Authorization', 'API-Key', 'x-api-key', 'x-goog-api-key', 'Ocp-Apim-Subscription-Key')


@pytest.mark.parametrize('first,second', list(zip(PLACES, PLACES[1:])))
def test_key_first_place_wins(weir, first, second):
    def call(one, other):
        def text(name, key):
            return f'Bearer {key}' if name == 'Authorization' else key
        return weir.call('POST', '/v1/chat/completions', CHAT,
                         {second: text(second, other), first: text(first, one)}, key=None).status
    assert call(rig.MASTER, WRONG) == 200
    assert call(WRONG, rig.MASTER) == 401


def test_key_header_of_ones_own(start, mock):
    server = start(rig.config([rig.deployment('gpt-4.1', 'openai/gpt-4.1', mock.base)],
                              general_settings={'litellm_key_header_name': 'X-Our-Key'}))
    for value in (rig.MASTER, f'Bearer {rig.MASTER}'):
        assert server.call('POST', '/v1/chat/completions', CHAT, {'X-Our-Key': value}, key=WRONG).status == 200
    assert server.call('POST', '/v1/chat/completions', CHAT, {'X-Our-Key': WRONG}).status == 401
    assert server.call('POST', '/v1/chat/completions', CHAT).status == 200


# -- refusals of keys

@pytest.mark.parametrize('path', ['/v1/chat/completions', '/chat/completions', '/v1/embeddings', '/v1/completions'])
def test_no_key(weir, path):
    answer = weir.call('POST', path, CHAT, key=None)
    assert assert_error(answer, 401, 'auth_error') == 'Authentication Error, No api key passed in.'
    answer = weir.call('POST', path, CHAT, {'Authorization': ''}, key=None)
    assert_error(answer, 401, 'auth_error')


@pytest.mark.parametrize('value', [rig.MASTER, f'Token {rig.MASTER}', f'Bearer{rig.MASTER}', f'Digest {rig.MASTER}'])
def test_key_without_bearer(weir, value):
    answer = weir.call('POST', '/v1/chat/completions', CHAT, {'Authorization': value}, key=None)
    message = assert_error(answer, 401, 'auth_error')
    assert 'Malformed API Key passed in. Ensure Key has `Bearer ` prefix.' in message
    assert rig.MASTER not in message


@pytest.mark.parametrize('key', ['my-key', hashlib.sha256(rig.MASTER.encode()).hexdigest(), 'SK-1234', '\u00e9'])
def test_key_that_is_no_virtual_key(weir, key):
    answer = weir.call('POST', '/v1/chat/completions', CHAT, {'Authorization': f'Bearer {key}'.encode()}, key=None)
    message = assert_error(answer, 401, 'auth_error')
    assert 'LiteLLM Virtual Key expected' in message and "expected to start with 'sk-'" in message
    assert len(key) < 8 or key not in message


def test_unknown_key(weir):
    message = assert_error(weir.call('POST', '/v1/chat/completions', CHAT, key=WRONG), 401, 'token_not_found_in_db')
    assert 'Invalid proxy server token passed' in message
    assert 'sk-...' + WRONG[-4:] in message and hashlib.sha256(WRONG.encode()).hexdigest() in message
    assert WRONG not in message


def test_key_comes_before_the_body(weir):
    """A stranger's body is not read: bad JSON, an unknown model and a huge length are all answered with 401."""
    for content in (b'{', body('no-such-model')):
        assert weir.call('POST', '/v1/chat/completions', content, key=WRONG).status == 401
    head = (f'POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {WRONG}\r\n'
            'Content-Length: 50000000\r\n\r\n').encode()
    assert rig.raw(weir.port, head, until=b'token_not_found_in_db').startswith(b'HTTP/1.1 401')


# -- refusals of requests

def test_unknown_route(weir):
    for method, path in (('POST', '/v1/nothing'), ('GET', '/nothing/at/all'), ('POST', '/v1/chat/completions/x/y/z'),
                         ('GET', '/v1//chat'), ('GET', '/%2e%2e/etc/passwd')):
        answer = weir.call(method, path)
        assert answer.status == 404 and isinstance(answer.error['code'], str), (path, answer)
        assert set(answer.error) >= {'message', 'type', 'param', 'code'}


@pytest.mark.parametrize('path', ['/v1/chat/completions', '/v1/completions', '/v1/embeddings'])
def test_unknown_model(weir, path):
    request = {'model': 'no-such-model', 'messages': CHAT['messages'], 'prompt': 'x', 'input': 'x'}
    message = assert_error(weir.call('POST', path, request), 400, 'invalid_request_error', param='model')
    assert 'Invalid model name passed in' in message and 'model=no-such-model' in message


def test_unknown_model_is_shown_safely(weir):
    name = 'x' * 5000 + '\n"<script>\u0001'
    answer = weir.call('POST', '/v1/chat/completions', {**CHAT, 'model': name})
    assert_error(answer, 400, 'invalid_request_error', param='model')
    assert len(answer.body) < 8000


@pytest.mark.parametrize('text', [
    b'', b'{', b'[]', b'"x"', b'null', b'{"model":"gpt-4.1",}', b'{"model":"gpt-4.1"} x', b"{'model':'x'}",
    b'{"model":"gpt-4.1","messages":[1,]}', b'{"model":"gpt-4.1","x":01}', b'{"model":"gpt-4.1","x":"\xff"}',
    b'{"model":"gpt-4.1","x":"\\ud800"}', b'{"model":"gpt-4.1","x":"a\nb"}', b'\xef\xbb\xbf{"model":"gpt-4.1"}',
    b'{"model":"gpt-4.1","x":nan}', b'{"model":"gpt-4.1","x":' + b'[' * 200 + b']' * 200 + b'}',
    b'{"model":"gpt-4.1"}\x00', b'model=gpt-4.1&messages=x'], ids=repr)
def test_bad_json(weir, mock, text):
    before = mock.stats()['requests']
    answer = weir.call('POST', '/v1/chat/completions', text)
    assert_error(answer, 400, 'invalid_request_error')
    assert mock.stats()['requests'] == before


def test_bad_json_says_where(weir):
    text = b'{"model": "gpt-4.1", "messages": [}'
    message = assert_error(weir.call('POST', '/v1/chat/completions', text), 400, 'invalid_request_error')
    assert re.search(rf'\b{text.index(b"}")}\b', message), message


@pytest.mark.parametrize('text', [
    b'{"model":"gpt-4.1","model":"gpt-4.1","messages":[]}', b'{"model":"gpt-4.1","messages":[],"mod\\u0065l":"x"}',
    b'{"stream":true,"model":"gpt-4.1","messages":[],"stream":false}'])
def test_repeated_members(weir, mock, text):
    before = mock.stats()['requests']
    answer = weir.call('POST', '/v1/chat/completions', text)
    assert answer.status == 400 and answer.error['type'] == 'invalid_request_error', answer
    assert 'repeated' in answer.error['message'] or 'twice' in answer.error['message'], answer
    assert mock.stats()['requests'] == before


@pytest.mark.parametrize('value', [None, 1, True, [], {}, ''], ids=repr)
def test_model_of_a_wrong_type(weir, value):
    answer = weir.call('POST', '/v1/chat/completions', {**CHAT, 'model': value})
    assert_error(answer, 400, 'invalid_request_error', param='model')


def test_model_missing(weir):
    answer = weir.call('POST', '/v1/chat/completions', {'messages': CHAT['messages']})
    assert_error(answer, 400, 'invalid_request_error', param='model')


def test_stream_of_a_wrong_type(weir):
    answer = weir.call('POST', '/v1/chat/completions', {**CHAT, 'stream': 'yes'})
    assert_error(answer, 400, 'invalid_request_error', param='stream')


def test_null_means_absent(weir):
    answer = weir.call('POST', '/v1/chat/completions', {**CHAT, 'stream': None, 'stream_options': None, 'timeout': None})
    assert answer.status == 200 and answer.json()['object'] == 'chat.completion'


@pytest.fixture(scope='module')
def small(folder, mock):
    server = rig.Weir(folder, rig.config([rig.deployment('gpt-4.1', 'openai/gpt-4.1', mock.base)],
                                         general_settings={'max_request_size_mb': 1}))
    yield server
    server.stop()


def padded(size):
    text = json.dumps({**CHAT, 'user': ''})
    return text.replace('"user": ""', '"user": "' + 'x' * (size - len(text)) + '"').encode()


def test_too_large(small):
    assert small.call('POST', '/v1/chat/completions', padded(1024 * 1024)).status == 200
    answer = small.call('POST', '/v1/chat/completions', padded(1024 * 1024 + 1))
    message = assert_error(answer, 413, 'invalid_request_error', code='request_too_large')
    assert re.search(r'1048576|1 ?Mi?B', message), message


def test_too_large_by_its_header_alone(small):
    head = (f'POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {rig.MASTER}\r\n'
            'Content-Length: 99999999999\r\n\r\n').encode()
    assert rig.raw(small.port, head, until=b'request_too_large').startswith(b'HTTP/1.1 413')


def test_too_large_in_chunks(small):
    head = (f'POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {rig.MASTER}\r\n'
            'Transfer-Encoding: chunked\r\n\r\n').encode()
    chunk = b'10000\r\n' + b' ' * 65536 + b'\r\n'
    with socket.create_connection(('127.0.0.1', small.port), timeout=rig.PATIENCE) as s:
        s.sendall(head)
        try:
            for _ in range(17):
                s.sendall(chunk)
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert rig.read_raw(s, until=b'request_too_large').startswith(b'HTTP/1.1 413')


@pytest.mark.parametrize('coding', ['gzip', 'deflate', 'br', 'zstd', 'x-thing'])
def test_content_encoding(weir, coding):
    answer = weir.call('POST', '/v1/chat/completions', body(), {'Content-Encoding': coding})
    assert_error(answer, 415, 'invalid_request_error', code='unsupported_encoding')


def test_content_encoding_identity(weir):
    assert weir.call('POST', '/v1/chat/completions', body(), {'Content-Encoding': 'identity'}).status == 200


@pytest.mark.parametrize('method,path', [('GET', '/v1/chat/completions'), ('DELETE', '/v1/embeddings'),
                                         ('PUT', '/v1/models'), ('POST', '/health/liveliness')])
def test_method_not_allowed(weir, method, path):
    answer = weir.call(method, path)
    assert_error(answer, 405, 'invalid_request_error', code='method_not_allowed')


def test_call_id(weir):
    own = weir.chat('gpt-4.1', {'x-litellm-call-id': 'call-of-mine-7'})
    assert own.headers['x-litellm-call-id'] == 'call-of-mine-7'
    first, second = (weir.chat('gpt-4.1').headers['x-litellm-call-id'] for _ in range(2))
    assert first != second and len(first) == 36
    odd = weir.chat('gpt-4.1', {'x-litellm-call-id': 'x' * 4000})
    assert odd.status == 200 and len(odd.headers['x-litellm-call-id']) <= 256
    assert weir.chat('no-such-model').headers['x-litellm-call-id']


# -- CORS

ORIGIN = {'Origin': 'https://app.example', 'Access-Control-Request-Method': 'POST',
          'Access-Control-Request-Headers': 'authorization,content-type'}


def test_cors_off(weir):
    answer = weir.call('OPTIONS', '/v1/chat/completions', headers=ORIGIN, key=None)
    assert 'access-control-allow-origin' not in answer.headers and answer.status >= 400
    answer = weir.call('POST', '/v1/chat/completions', CHAT, {'Origin': 'https://app.example'})
    assert answer.status == 200 and 'access-control-allow-origin' not in answer.headers


def test_cors_on(start, mock):
    server = start(rig.config([rig.deployment('gpt-4.1', 'openai/gpt-4.1', mock.base)],
                              weir_settings={'cors_allow_origins': ['https://app.example']}))
    answer = server.call('OPTIONS', '/v1/chat/completions', headers=ORIGIN, key=None)
    assert answer.status in (200, 204) and answer.headers['access-control-allow-origin'] == 'https://app.example'
    assert 'POST' in answer.headers['access-control-allow-methods']
    assert 'authorization' in answer.headers['access-control-allow-headers'].lower()
    for call in ({'stream': False}, {'stream': True}, {'model': 'no-such-model'}):
        answer = server.call('POST', '/v1/chat/completions', {**CHAT, **call}, {'Origin': 'https://app.example'})
        assert answer.headers['access-control-allow-origin'] == 'https://app.example'
        assert 'origin' in answer.headers.get('vary', '').lower()
    for origin in ('https://other.example', 'https://app.example.evil.example', 'http://app.example', 'null'):
        answer = server.call('OPTIONS', '/v1/chat/completions', headers={**ORIGIN, 'Origin': origin}, key=None)
        assert 'access-control-allow-origin' not in answer.headers


def test_cors_for_all(start, mock):
    server = start(rig.config([rig.deployment('gpt-4.1', 'openai/gpt-4.1', mock.base)],
                              weir_settings={'cors_allow_origins': ['*']}))
    answer = server.call('OPTIONS', '/v1/chat/completions', headers=ORIGIN, key=None)
    assert answer.headers['access-control-allow-origin'] in ('*', 'https://app.example')
    assert answer.headers.get('access-control-allow-credentials') != 'true'


# -- health, models, self-description

def test_health(weir):
    for path in ('/health/liveliness', '/health/liveness'):
        answer = weir.call('GET', path, key=None)
        assert answer.status == 200 and answer.json() == "I'm alive!"
    answer = weir.call('GET', '/health/readiness', key=None)
    assert answer.status == 200 and answer.json()['status'] in ('healthy', 'connected')


@pytest.mark.parametrize('path', ['/models', '/v1/models'])
def test_models(weir, path):
    answer = weir.call('GET', path).json()
    assert answer['object'] == 'list'
    rows = {row['id']: row for row in answer['data']}
    assert set(rows['gpt-4.1']) >= {'id', 'object', 'created', 'owned_by'}
    assert weir.call('GET', path, key=None).status == 401


def test_model_info(weir):
    for path in ('/model/info', '/v1/model/info'):
        answer = weir.call('GET', path)
        rows = {row['model_name']: row for row in answer.json()['data']}
        assert rows['gpt-4.1']['model_info']['id'] == 'deployment-one'
        assert rows['gpt-4.1']['litellm_params']['model'] == 'openai/gpt-4.1'
        assert rig.UPSTREAM not in answer.body.decode()
        assert weir.call('GET', path, key=None).status == 401
    one = weir.call('GET', '/model/info?litellm_model_id=deployment-one').json()['data']
    assert [row['model_name'] for row in one] == ['gpt-4.1']


def test_routes_and_openapi(weir):
    routes = weir.call('GET', '/routes', key=None)
    assert routes.status == 200
    rows = routes.json()['routes']
    paths = {row['path'] for row in rows}
    assert {'/v1/chat/completions', '/chat/completions', '/v1/models', '/health/liveliness'} <= paths
    api = weir.call('GET', '/openapi.json').json()
    assert api['openapi'].startswith('3.') and api['info']['title'] and api['info']['version']
    for row in rows:
        listed = api['paths'].get(row['path']) or {}
        for method in row['methods']:
            assert method.lower() in listed, (method, row['path'])


# -- HTTP/1.1

def simple(path='/health/liveliness', headers=''):
    return f'GET {path} HTTP/1.1\r\nHost: a\r\n{headers}\r\n'.encode()


def test_keep_alive_and_pipelining(weir):
    chat = body()
    post = (f'POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {rig.MASTER}\r\n'
            f'Content-Length: {len(chat)}\r\n\r\n').encode() + chat
    got = rig.raw(weir.port, simple() + post + simple('/nothing') + simple(headers='Connection: close\r\n'))
    statuses = re.findall(rb'HTTP/1\.1 (\d+)', got)
    assert statuses == [b'200', b'200', b'404', b'200']
    assert got.index(b"I'm alive!") < got.index(b'chat.completion') < got.rindex(b"I'm alive!")


def test_keep_alive_over_many(weir):
    connection = http.client.HTTPConnection('127.0.0.1', weir.port, timeout=rig.PATIENCE)
    local = None
    for n in range(20):
        stream = n % 2 == 0
        connection.request('POST', '/v1/chat/completions', json.dumps({**CHAT, 'stream': stream}),
                           {'Authorization': f'Bearer {rig.MASTER}'})
        answer = connection.getresponse()
        content = answer.read()
        assert answer.status == 200 and (b'[DONE]' in content) == stream
        assert local in (None, connection.sock.getsockname())
        local = connection.sock.getsockname()
    connection.close()


def test_head(weir):
    got = rig.raw(weir.port, simple(headers='Connection: close\r\n').replace(b'GET', b'HEAD'))
    head, _, rest = got.partition(b'\r\n\r\n')
    assert head.startswith(b'HTTP/1.1 200') and rest == b''
    assert re.search(rb'content-length: 1[0-9]', head, re.I)


def test_http_10(weir):
    got = rig.raw(weir.port, b'GET /health/liveliness HTTP/1.0\r\n\r\n')
    assert got.split(b' ')[1] == b'200' and got.endswith(b'"I\'m alive!"')


def test_http_10_stream(weir):
    chat = json.dumps({**CHAT, 'stream': True}).encode()
    got = rig.raw(weir.port, (f'POST /v1/chat/completions HTTP/1.0\r\nAuthorization: Bearer {rig.MASTER}\r\n'
                              f'Content-Length: {len(chat)}\r\n\r\n').encode() + chat)
    head, _, rest = got.partition(b'\r\n\r\n')
    assert b'chunked' not in head.lower() and rest.endswith(b'data: [DONE]\n\n')


def test_chunked_request(weir):
    chat = body()
    chunks = b''.join(b'%x\r\n%s\r\n' % (len(chat[i:i + 7]), chat[i:i + 7]) for i in range(0, len(chat), 7))
    got = rig.raw(weir.port, (f'POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {rig.MASTER}\r\n'
                              'Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n').encode() + chunks + b'0\r\n\r\n')
    assert got.startswith(b'HTTP/1.1 200')


def test_request_byte_by_byte(weir):
    chat = body()
    request = (f'POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {rig.MASTER}\r\n'
               f'Connection: close\r\nContent-Length: {len(chat)}\r\n\r\n').encode() + chat
    with socket.create_connection(('127.0.0.1', weir.port), timeout=rig.PATIENCE) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for i in range(len(request)):
            s.sendall(request[i:i + 1])
        assert rig.read_raw(s).startswith(b'HTTP/1.1 200')


def test_expect_continue(weir):
    chat = body()
    with socket.create_connection(('127.0.0.1', weir.port), timeout=rig.PATIENCE) as s:
        s.sendall((f'POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {rig.MASTER}\r\n'
                   f'Connection: close\r\nExpect: 100-continue\r\nContent-Length: {len(chat)}\r\n\r\n').encode())
        assert rig.read_raw(s, b'\r\n\r\n').startswith(b'HTTP/1.1 100')
        s.sendall(chat)
        assert rig.read_raw(s).startswith(b'HTTP/1.1 200')


def test_expect_continue_refused(weir):
    """A key that is no good is refused before the body is asked for."""
    got = rig.raw(weir.port, (f'POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {WRONG}\r\n'
                              'Expect: 100-continue\r\nContent-Length: 9\r\n\r\n').encode(), until=b'}}')
    assert got.startswith(b'HTTP/1.1 401')


KEYED = f'Host: a\r\nAuthorization: Bearer {rig.MASTER}\r\n'.encode()


@pytest.mark.parametrize('data', [
    b'POST /v1/models HTTP/1.1\r\n' + KEYED + b'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    b'POST /v1/models HTTP/1.1\r\n' + KEYED + b'Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef',
    b'POST /v1/models HTTP/1.1\r\n' + KEYED + b'Content-Length: +5\r\n\r\nabcde',
    b'POST /v1/models HTTP/1.1\r\n' + KEYED + b'Content-Length: 5 5\r\n\r\nabcde',
    b'POST /v1/models HTTP/1.1\r\n' + KEYED + b'Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
    b'POST /v1/models HTTP/1.1\r\n' + KEYED + b'Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n',
    b'GET /v1/models HTTP/1.1\r\n' + KEYED + b'Host: b\r\n\r\n',
    b'GET /v1/models HTTP/1.1\r\nAuthorization: Bearer x\r\n\r\n',
    b'GET /v1/models HTTP/1.1\r\n' + KEYED + b'X-A: b\x00c\r\n\r\n',
    b'GET /v1/models HTTP/1.1\r\n' + KEYED + b'X-A: b\r\n folded\r\n\r\n',
    b'GET /v1/models HTTP/1.1\r\n' + KEYED + b' X-A: b\r\n\r\n',
    b'GET /v1/models HTTP/2.0\r\n' + KEYED + b'\r\n',
    b'GET  /v1/models HTTP/1.1\r\n' + KEYED + b'\r\n',
    b'NONSENSE\r\n\r\n',
    b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
], ids=lambda d: repr(d.replace(KEYED, b'')[:60]))
def test_bad_http(weir, data):
    """What two parsers could read in two ways is refused, and the connection closes: nothing of it becomes a request."""
    got = rig.raw(weir.port, data + simple(headers='X-Second: 1\r\n'), seconds=5)
    assert got.startswith(b'HTTP/1.1 400') or got == b'', got
    assert b'alive' not in got
    if got:
        assert b'invalid_request_error' in got and re.search(rb'connection: close', got, re.I)
    assert weir.call('GET', '/health/liveliness').status == 200


@pytest.mark.parametrize('data,status', [
    (b'GET /' + b'a' * 9000 + b' HTTP/1.1\r\nHost: a\r\n\r\n', b'414'),
    (b'GET / HTTP/1.1\r\nHost: a\r\nX-Big: ' + b'a' * 40000 + b'\r\n\r\n', b'431'),
    (b'GET / HTTP/1.1\r\nHost: a\r\n' + b''.join(b'X-%d: 1\r\n' % i for i in range(150)) + b'\r\n', b'431'),
], ids=['line', 'header', 'count'])
def test_head_too_large(weir, data, status):
    got = rig.raw(weir.port, data, seconds=5)
    assert got.split(b' ')[1] == status and b'"error"' in got


def test_chunks_that_are_broken(weir, mock):
    before = mock.stats()['requests']
    for chunks in (b'zz\r\n', b'5\r\nabcdefg\r\n', b'fffffffffffffffff\r\n', b'-1\r\n'):
        got = rig.raw(weir.port, b'POST /v1/chat/completions HTTP/1.1\r\n' + KEYED + b'Transfer-Encoding: chunked\r\n\r\n'
                      + chunks, seconds=5)
        assert got.startswith(b'HTTP/1.1 400'), got
    assert mock.stats()['requests'] == before


def test_slow_clients(start, mock):
    server = start(rig.config([rig.deployment('gpt-4.1', 'openai/gpt-4.1', mock.base)], weir_settings={
        'header_timeout': 0.3, 'body_grace': 0.3, 'body_min_rate': 1000, 'keepalive_timeout': 0.3}))
    got = rig.raw(server.port, b'GET /health/liveliness HTTP/1.1\r\nHost:')
    assert got == b'' or got.startswith(b'HTTP/1.1 408')
    got = rig.raw(server.port, b'POST /v1/chat/completions HTTP/1.1\r\n' + KEYED + b'Content-Length: 100\r\n\r\n{')
    assert got.startswith(b'HTTP/1.1 408') and b'timeout' in got

    def once():     # an idle connection is closed after keepalive_timeout
        assert rig.raw(server.port, simple()).endswith(b'"I\'m alive!"')
    rig.unless_stalled(once, 0.1)
