"""Responses by their ids, odd ids, pages of items, and answers that did not end well."""
import json
import re
import socket

import openai
import pytest

import rig
from providers import TEXT
from responses_rig import ALIASES, CHAT, CLAUDE, OPENAI, billed, no_canary, script
from responses_state import BOTH, BRIDGED, UNKNOWN, config, each, events, made, post, refused, said
from test_passthrough import fixture


@pytest.fixture(scope='module')
def weir(folder, mock):
    server = rig.Weir(folder, config(folder, mock))
    yield server
    server.stop()


# -- ids

ODD_IDS = {'unknown': UNKNOWN, 'short': 'resp_1', 'foreign': 'chatcmpl-1', 'word': 'x', 'upper': UNKNOWN.upper(), 'long': 'resp_' + 'a' * 6000,
           'dots': 'resp_%2e%2e', 'slashes': 'resp_..%2f..%2fmodels', 'more': UNKNOWN + '/nothing', 'encoded': 'resp_%30%31', 'nul': 'resp_%00',
           'umlaut': 'resp_%c3%bc', 'not-utf8': 'resp_%ff%fe', 'quote': 'resp_%22%5c', 'crlf': 'resp_%0d%0aX-A:%20b', 'query': 'resp_%3fa=b',
           'half': 'resp_%4', 'sql': "resp_'%20or%201=1--", 'space': '%20', 'plus': 'resp_+'}


@pytest.mark.parametrize('method,suffix', [('GET', ''), ('DELETE', ''), ('POST', '/cancel'), ('GET', '/input_items')])
def test_odd_ids_in_paths(weir, mock, method, suffix):
    before = mock.stats()['requests']
    for name, id in ODD_IDS.items():
        answer = weir.call(method, f'/v1/responses/{id}{suffix}')
        assert answer.status in (400, 404) and answer.error['type'] == 'invalid_request_error', (name, answer)
        json.loads(answer.body.decode('utf-8'))
    raw = f'{method} /v1/responses/resp_\xfc{suffix} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {rig.MASTER}\r\nConnection: close\r\n\r\n'
    with socket.create_connection(('127.0.0.1', weir.port), timeout=rig.PATIENCE) as s:
        s.sendall(raw.encode('latin-1'))
        assert re.match(rb'HTTP/1.1 (400|404) ', rig.read_raw(s))
    assert mock.stats()['requests'] == before


@each('a', ALIASES)
def test_odd_ids_in_bodies(weir, mock, a):
    headers, mark = script()
    for id in (UNKNOWN, 'resp_', 'x', ' ', 'résumé', '😀' * 100, 'a' * 127 + 'é', 'r' * 1_000_000, 'a\x00b', '"', '../..', "' or 1=1 --", '\u2028'):
        error = refused(404, post(weir, a.name, headers=headers, previous_response_id=id), 'previous_response_id')
        assert error['code'] == 'previous_response_not_found' and len(error['message']) < 500, error
    for id in (7, True, [], {}, ['resp_1'], {'id': UNKNOWN}, 1.5, ''):
        refused(400, post(weir, a.name, headers=headers, previous_response_id=id), 'previous_response_id', text='a string')
    refused(400, post(weir, a.name, headers=headers, previous_response_id=UNKNOWN, conversation='conv_1'), 'previous_response_id')
    refused(400, post(weir, a.name, headers=headers, previous_response_id=UNKNOWN, conversation={'id': 'conv_1'}), 'previous_response_id')
    assert mock.seen(mark) == []
    for given in ({'previous_response_id': None}, {'previous_response_id': None, 'conversation': None}):
        assert post(weir, a.name, **given).status == 200


def test_strangers(weir):
    """Neither without a key nor with a wrong one is anything told, not even whether it is there."""
    first = made(weir, CLAUDE.name)
    for id in (first['id'], UNKNOWN):
        for method, suffix in (('GET', ''), ('DELETE', ''), ('POST', '/cancel'), ('GET', '/input_items')):
            for key in (None, 'sk-of-another'):
                assert weir.call(method, f'/v1/responses/{id}{suffix}', key=key).status == 401
    assert weir.call('GET', f'/v1/responses/{first["id"]}').json()['output'] == first['output']


@each('a', BRIDGED)
def test_a_deleted_middle(weir, a):
    """The turns before it are found; those after it are answers without their past."""
    chain = [made(weir, a.name, 'One')]
    for text in ('Two', 'Three'):
        chain.append(made(weir, a.name, text, previous_response_id=chain[-1]['id']))
    gone = chain[1]['id']
    answer = weir.call('DELETE', f'/v1/responses/{gone}')
    assert answer.json() == {'id': gone, 'object': 'response', 'deleted': True}
    error = refused(404, post(weir, a.name, previous_response_id=chain[2]['id']), 'previous_response_id', 'previous_response_not_found')
    assert gone in error['message'] and 'responses_ttl' in error['message']
    assert weir.call('GET', f'/v1/responses/{chain[2]["id"]}').json()['output'] == chain[2]['output']
    assert said(made(weir, a.name, 'Another way', previous_response_id=chain[0]['id'])) == TEXT
    refused(404, weir.call('DELETE', f'/v1/responses/{gone}'), 'response_id', text=gone)


# -- one that is kept

@each('a', BRIDGED)
def test_a_kept_one(weir, mock, a):
    response = made(weir, a.name)
    path, before = f'/v1/responses/{response["id"]}', mock.stats()['requests']
    for prefix in ('/v1', '', '/openai/v1', '/openai'):
        assert weir.call('GET', f'{prefix}/responses/{response["id"]}').json() == response
    assert weir.call('GET', path + '?stream=false&include[]=reasoning.encrypted_content&x=%zz').json() == response
    assert weir.call('GET', path.replace('_', '%5f')).json() == response, 'an encoded path is the same path'
    refused(400, weir.call('GET', path + '?stream=true'), 'stream', text='background')
    error = refused(400, weir.call('POST', path + '/cancel'), None, text='background')
    assert weir.call('POST', path + '/cancel', {'any': 'body'}).error == error
    head = weir.call('HEAD', path)
    assert (head.status, head.body) == (200, b'') and int(head.headers['content-length']) == len(weir.call('GET', path).body)
    assert weir.call('HEAD', f'/v1/responses/{UNKNOWN}').status == 404
    for method in ('PUT', 'PATCH', 'POST'):
        assert weir.call(method, path).status == 405
    assert mock.stats()['requests'] == before


def test_head_of_a_native_one(weir):
    path = f'/v1/responses/{made(weir, OPENAI.name)["id"]}'
    head = weir.call('HEAD', path)
    assert (head.status, head.body) == (200, b'')
    assert weir.call('GET', path).status == 200


def test_pages(weir):
    response = made(weir, CLAUDE.name, [{'role': 'user', 'content': f'Number {n}'} for n in range(25)])
    path = f'/v1/responses/{response["id"]}/input_items'

    def page(query=''):
        answer = weir.call('GET', path + query)
        assert answer.status == 200, answer
        got = answer.json()
        assert set(got) == {'object', 'data', 'first_id', 'last_id', 'has_more'} and got['object'] == 'list'
        ids = [item['id'] for item in got['data']]
        assert (got['first_id'], got['last_id']) == ((ids[0], ids[-1]) if ids else (None, None))
        return [int(item['content'][0]['text'].split()[1]) for item in got['data']], got
    assert page()[0] == list(range(24, 4, -1)) and page()[1]['has_more'] is True
    assert page('?limit=100')[0] == list(range(24, -1, -1)) and page('?limit=100')[1]['has_more'] is False
    assert page('?order=asc&limit=1')[0] == [0] and page('?limit=25')[1]['has_more'] is False
    for order, whole in (('asc', list(range(25))), ('desc', list(range(24, -1, -1)))):
        seen, after = [], ''
        while True:
            numbers, got = page(f'?order={order}&limit=10{after}')
            seen += numbers
            after = '&after=' + got['last_id'].replace('_', '%5F')
            if not got['has_more']:
                break
        assert seen == whole and page(f'?order={order}{after}')[0] == []
    for query, param in (('limit=0', 'limit'), ('limit=101', 'limit'), ('limit=-1', 'limit'), ('limit=x', 'limit'), ('limit=', 'limit'),
                         ('limit=1.5', 'limit'), ('limit=99999999999999999999', 'limit'), ('order=up', 'order'), ('order=', 'order'),
                         ('order=ASC', 'order'), ('after=msg_x', 'after'), ('after=%ff', 'after'), ('after=' + 'x' * 5000, 'after')):
        refused(400, weir.call('GET', f'{path}?{query}'), param)


def test_pages_of_a_string_and_of_nothing(weir):
    first = made(weir, CLAUDE.name, 'Just this')
    item, = weir.call('GET', f'/v1/responses/{first["id"]}/input_items').json()['data']
    assert (item['type'], item['role'], item['content']) == ('message', 'user', [{'type': 'input_text', 'text': 'Just this'}])
    second = made(weir, CLAUDE.name, [{'role': 'user', 'content': 'é"\\\n😀'}], previous_response_id=first['id'])
    item, = weir.call('GET', f'/v1/responses/{second["id"]}/input_items').json()['data']
    assert item['content'][0]['text'] == 'é"\\\n😀', 'the items of this turn, not of those before it'


# -- what is not whole

@each('a', ALIASES)
def test_a_stream_that_breaks(weir, mock, a):
    """After content: response.failed (of weir's own making) and an error event, numbered on; and it is not found later."""
    headers, mark = script('tokens=400,cut=9000')
    found = events(post(weir, a.name, headers=headers, stream=True, max_output_tokens=500))
    kinds = [e['type'] for e in found]
    assert kinds[-1] == 'error' and 'response.output_text.delta' in kinds and 'response.completed' not in kinds
    assert found[-1]['message'] and found[-1]['error']['message']
    if a.native:
        return
    assert kinds[-2] == 'response.failed' and found[-2]['response']['status'] == 'failed'
    assert found[-2]['response']['error']['message'] and found[-2]['response']['id'] == found[0]['response']['id']
    refused(404, weir.call('GET', f'/v1/responses/{found[0]["response"]["id"]}'), 'response_id')
    refused(404, post(weir, a.name, previous_response_id=found[0]['response']['id']), 'previous_response_id')


@each('a', ALIASES)
@pytest.mark.parametrize('items', ['tokens=400,cut=9000', 'tokens=400,reset=9000', 'error-event=3', 'badjson-event=3'])
def test_the_sdk_raises(weir, a, items):
    with openai.OpenAI(api_key=rig.MASTER, base_url=weir.base, max_retries=0) as client:
        with pytest.raises(openai.APIError) as raised:
            list(client.responses.create(model=a.name, input='Hello', stream=True, max_output_tokens=500, extra_headers=script(items)[0]))
    no_canary(str(raised.value))


@each('a', ALIASES)
@pytest.mark.parametrize('items', ['status=500', 'cut=1', 'error-event=1', 'badjson-event=1', 'nohead', 'empty', 'html'])
def test_nothing_came(weir, a, items):
    """Before content: an error with a status, and nothing is kept."""
    answer = post(weir, a.name, headers=script(items)[0], stream=True)
    if items == 'error-event=1':
        assert events(answer)[-1]['type'] == 'error', answer
    else:
        assert answer.status in (500, 502) and answer.error['message'], answer


@pytest.mark.parametrize('event', [
    '{"type":"error","sequence_number":0,"code":"server_error","message":"No.","param":null}',
    '{"type":"error","error":{"type":"server_error","code":"server_error","message":"No."}}'], ids=['flat', 'nested'])
def test_the_first_event_is_an_error(weir, replay, event):
    """It is the answer: a status, and no stream."""
    name = fixture(replay, '.sse', f'event: error\ndata: {event}\n\n'.encode())
    answer = post(weir, OPENAI.name, headers=script(f'fixture={name}')[0], stream=True)
    assert answer.status in (500, 502) and 'No.' in answer.error['message'], answer


def test_a_large_native_answer(weir, mock):
    """More than is held: it flows through, and its id is known all the same."""
    headers, _ = script('tokens=300000')
    answer = post(weir, OPENAI.name, headers=headers)
    assert answer.status == 200 and len(answer.body) > 1 << 20, answer
    got = weir.call('GET', f'/v1/responses/{answer.json()["id"]}')
    assert got.status == 200 and len(got.body) == len(answer.body)
    assert post(weir, OPENAI.name, previous_response_id=answer.json()['id']).status == 200
    headers, mark = billed('tokens=300000,cut=1200000')
    with pytest.raises((AssertionError, ConnectionError)):
        post(weir, OPENAI.name, headers=headers)
    assert mock.wait_invoice(mark)['outcome'] == 'cut'


@BOTH
def test_a_large_bridged_answer(weir, stream):
    """Megabytes are kept, and go back."""
    headers, _ = script('tokens=150000')
    first = made(weir, CHAT.name, headers=headers, stream=stream)
    assert len(said(first)) > 600_000
    assert weir.call('GET', f'/v1/responses/{first["id"]}').json() == first
    assert said(made(weir, CHAT.name, previous_response_id=first['id'])) == TEXT


@each('a', BRIDGED)
def test_clients_that_leave(weir, mock, a):
    """In the middle of an answer: the provider's call ends, and nothing is kept."""
    headers, mark = billed('tokens=4000,tps=500')
    body = json.dumps({'model': a.name, 'input': 'Hello', 'stream': True, 'max_output_tokens': 4096}).encode()
    head = ''.join(f'{k}: {v}\r\n' for k, v in {'Host': 'a', 'Authorization': f'Bearer {rig.MASTER}', 'Content-Length': len(body), **headers}.items())
    ids = []
    for _ in range(5):
        with socket.create_connection(('127.0.0.1', weir.port), timeout=rig.PATIENCE) as s:
            s.sendall(f'POST /v1/responses HTTP/1.1\r\n{head}\r\n'.encode() + body)
            got = rig.read_raw(s, b'output_text.delta')
            ids.append(re.search(rb'resp_[0-9a-f]{32}', got).group(0).decode())
    rig.wait_for(lambda: len(mock.invoices(mark)) == 5)
    assert {i['outcome'] for i in mock.invoices(mark)} == {'client left'}
    for id in ids:
        refused(404, weir.call('GET', f'/v1/responses/{id}'), 'response_id', text=id)
        refused(404, post(weir, a.name, previous_response_id=id), 'previous_response_id', 'previous_response_not_found')
