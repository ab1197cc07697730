"""The store behind the Responses API: many at once, what is kept and what not, limits, restarts and crashes."""
import concurrent.futures
import contextlib
import json
import re
import signal
import socket
import threading
import time

import pytest

import rig
from responses_rig import ALIASES, CHAT, CLAUDE, GEMINI, OPENAI, script
from responses_state import BOTH, BRIDGED, config, each, get, in_order, made, post, refused, sent, stored


@pytest.fixture
def start_with(start, folder, mock):
    def starter(*options, **weir):
        return start(config(folder, mock, **weir), *options)
    return starter


# -- many at once

@pytest.fixture(scope='module')
def two(folder, mock):
    """Two workers."""
    server = rig.Weir(folder, config(folder, mock), '--workers', '2')
    yield server
    server.stop()


def test_many_chains(two):
    """200 conversations at once: each turn finds its own past, on whichever worker it is."""
    def chain(n):
        a, previous = BRIDGED[n % 3], None
        for turn in range(3):
            more = {'previous_response_id': previous['id']} if previous else {}
            previous = made(two, a.name, f'Chain{n}-{turn}.', stream=n % 2 == 0, **more)
        items = get(two, previous['id'], '/input_items').json()['data']
        assert get(two, previous['id']).json() == previous and f'Chain{n}-2.' in str(items), n
        return previous['id']
    with concurrent.futures.ThreadPoolExecutor(48) as pool:
        assert len(set(pool.map(chain, range(200)))) == 200


@each('a', BRIDGED)
def test_followed_at_once(two, a):
    """The moment that the last event is here, twelve others follow, on other connections."""
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        for n in range(5):
            body = json.dumps({'model': a.name, 'input': f'Round{n}', 'stream': True}).encode()
            with socket.create_connection(('127.0.0.1', two.port), timeout=rig.PATIENCE) as s:
                s.sendall(f'POST /v1/responses HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {rig.MASTER}\r\n'
                          f'Content-Length: {len(body)}\r\n\r\n'.encode() + body)
                got = rig.read_raw(s, b'event: response.completed')
                id = re.search(rb'resp_[0-9a-f]{32}', got).group(0).decode()
                calls = [pool.submit(post, two, a.name, f'F{k}', previous_response_id=id) if k % 2 else pool.submit(get, two, id)
                         for k in range(12)]
                assert {c.result().status for c in calls} == {200}


def test_deleted_by_many(two):
    """One of them deletes it; it is gone for all who ask after an answer."""
    id = made(two, CHAT.name)['id']
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        statuses = [a.status for a in pool.map(lambda _: two.call('DELETE', f'/v1/responses/{id}'), range(16))]
        assert set(statuses) <= {200, 404} and statuses.count(200) == 1
        assert {a.status for a in pool.map(lambda _: get(two, id), range(16))} == {404}


def test_many_that_leave(two, mock):
    """While the store is asked, before and after the first content; nothing is left over."""
    headers, _ = script('tokens=200,tps=400')
    first = made(two, CLAUDE.name)['id']
    body = json.dumps({'model': GEMINI.name, 'input': 'x', 'stream': True, 'previous_response_id': first}).encode()
    head = (f'POST /v1/responses HTTP/1.1\r\nHost: a\r\nx-mock: {headers["x-mock"]}\r\nAuthorization: Bearer {rig.MASTER}\r\n'
            f'Content-Length: {len(body)}\r\n\r\n').encode()

    def leave(n):
        with socket.create_connection(('127.0.0.1', two.port), timeout=rig.PATIENCE) as s:
            s.sendall(head + body)
            if n % 3:
                rig.read_raw(s, b'response.created' if n % 3 == 1 else b'text.delta')
            if n % 2:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\1\0\0\0\0\0\0\0')
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        list(pool.map(leave, range(60)))
    rig.wait_for(lambda: mock.stats()['playing'] == 0)
    assert made(two, GEMINI.name, previous_response_id=first)


# -- what is kept, and what not

@pytest.fixture(scope='module')
def plain(folder, mock):
    server = rig.Weir(folder, config(folder, mock))
    yield server
    server.stop()


@BOTH
@each('a', ALIASES)
def test_store_false(plain, mock, a, stream):
    response = made(plain, a.name, 'Not-to-be-kept', stream=stream, store=False)
    assert response['store'] is False
    refused(404, get(plain, response['id']), 'response_id')
    refused(404, get(plain, response['id'], '/input_items'), 'response_id')
    headers, mark = script()
    refused(404, post(plain, a.name, headers=headers, previous_response_id=response['id']), 'previous_response_id',
            'previous_response_not_found')
    assert mock.seen(mark) == [] and b'Not-to-be-kept' not in stored(plain)


@each('a', BRIDGED)
def test_store_false_on_a_chain(plain, mock, a):
    """It reads the conversation and adds nothing to it."""
    first = made(plain, a.name, 'One')
    headers, mark = script()
    second = made(plain, a.name, 'Two', headers, previous_response_id=first['id'], store=False)
    in_order(sent(mock, mark), 'One', 'Two')
    refused(404, get(plain, second['id']), 'response_id')
    headers, mark = script()
    made(plain, a.name, 'Three', headers, previous_response_id=first['id'])
    assert 'Two' not in sent(mock, mark)


@pytest.mark.parametrize('value', ['yes', 1, 0, [], {}, 'false'])
def test_store_is_a_boolean(plain, value):
    for a in ALIASES:
        refused(400, post(plain, a.name, store=value), 'store', text='true or false')


def test_responses_store_false(start_with, mock):
    """No content is kept: who asked for it is told, or refused; ids of native answers find their way."""
    weir = start_with(responses_store=False)
    for a in BRIDGED:
        for given, fidelity in (({}, 'exact'), ({'store': False}, 'exact'), ({'store': True}, 'dropped=store')):
            answer = post(weir, a.name, 'Not-to-be-kept', **given)
            assert answer.status == 200 and answer.headers['x-weir-fidelity'] == fidelity, (a, given, answer.headers)
            assert answer.json()['store'] is False
            refused(404, get(weir, answer.json()['id']), 'response_id')
        headers, mark = script()
        answer = post(weir, a.name, headers={**headers, 'x-weir-strict': '1'}, store=True)
        assert answer.status == 400 and answer.error['param'] == 'store' and mock.seen(mark) == [], answer
        assert post(weir, a.name, headers={'x-weir-strict': '1'}).status == 200
    native = made(weir, OPENAI.name, 'Not-to-be-kept', store=True)
    assert get(weir, native['id']).json()['output'] == native['output']
    assert made(weir, OPENAI.name, previous_response_id=native['id'])
    rig.wait_for(lambda: native['id'].encode() in stored(weir))
    assert b'Not-to-be-kept' not in stored(weir)


def test_limits(start_with):
    """Each says its key and its value; SIGHUP brings others."""
    weir = start_with(responses_max_turns=3, responses_max_turn_bytes=6000, responses_max_chain_bytes=9000)

    def follow(previous, text='x', a=CLAUDE):
        return made(weir, a.name, text, previous_response_id=previous['id'])
    chain = [made(weir, CLAUDE.name)]
    for _ in range(3):
        chain.append(follow(chain[-1]))
    error = refused(400, post(weir, CLAUDE.name, previous_response_id=chain[-1]['id']), 'previous_response_id', text='responses_max_turns')
    assert '3 turns' in error['message']
    assert get(weir, chain[-1]['id']).status == 200
    # A turn that is too large is answered, and not kept.
    answer = post(weir, CLAUDE.name, 'y' * 6000)
    assert answer.status == 200
    line = weir.wait_log(r'^.*\bid=' + answer.headers['x-litellm-call-id'] + r'\b.*$').group(0)
    assert 'responses_max_turn_bytes' in line and ' status=200 ' in line, line
    refused(404, get(weir, answer.json()['id']), 'response_id')
    # Turns that are together too large.
    one = made(weir, CLAUDE.name, 'y' * 3000)
    two, other = follow(one, 'z' * 3000), made(weir, CLAUDE.name, 'w' * 3000)
    three = follow(two, 'w' * 3000)
    error = refused(400, post(weir, GEMINI.name, previous_response_id=three['id']), 'previous_response_id', text='responses_max_chain_bytes')
    assert '9000 bytes' in error['message']
    refers = [{'type': 'item_reference', 'id': r['output'][0]['id']} for r in (one, two, other)]
    refused(400, post(weir, CLAUDE.name, refers), 'input', text='responses_max_chain_bytes')
    # Another config.
    with open(weir.path, encoding='utf-8') as file:
        changed = json.load(file)
    changed['weir_settings'].update(responses_max_turns=4, responses_max_chain_bytes=100000)
    weir.write(changed)
    weir.signal(signal.SIGHUP)
    rig.wait_for(lambda: post(weir, CLAUDE.name, previous_response_id=three['id']).status == 200)
    assert follow(chain[-1])
    changed['weir_settings'].update(responses_store=False, responses_max_turns=1)
    weir.write(changed)
    weir.signal(signal.SIGHUP)
    rig.wait_for(lambda: post(weir, CLAUDE.name, previous_response_id=chain[1]['id']).status == 400)
    last = follow(chain[0])
    assert last['store'] is False and get(weir, last['id']).status == 404 and get(weir, chain[0]['id']).status == 200


def test_life(start_with):
    weir = start_with(responses_ttl='2s')
    first, native = made(weir, CLAUDE.name), made(weir, OPENAI.name)
    second = made(weir, CLAUDE.name, previous_response_id=first['id'])
    assert get(weir, first['id']).status == get(weir, native['id']).status == 200
    rig.wait_for(lambda: get(weir, second['id']).status == 404, step=0.1)
    for a, response in ((CLAUDE, first), (CLAUDE, second), (OPENAI, native)):
        refused(404, get(weir, response['id']), 'response_id')
        refused(404, weir.call('DELETE', f'/v1/responses/{response["id"]}'), 'response_id')
        refused(404, post(weir, a.name, previous_response_id=response['id']), 'previous_response_id', 'previous_response_not_found')


# -- restarts

@contextlib.contextmanager
def killed(folder, mock, *options):
    """A server that is killed at the end, whose data another one takes over."""
    server = rig.Weir(folder, config(folder, mock), *options)
    try:
        yield server
    finally:
        server.process.kill()
        server.process.wait()
    assert not rig.REPORTS.search(server.log()), server.log()


def test_restart(start_with, mock):
    one = start_with('--workers', '2')
    chain = [made(one, CLAUDE.name, 'One')]
    for a in (GEMINI, CHAT):
        chain.append(made(one, a.name, 'Next', previous_response_id=chain[-1]['id']))
    native = made(one, OPENAI.name)
    one.stop()
    two = start_with('--data', one.data)
    for response in (*chain, native):
        assert get(two, response['id']).json()['output'] == response['output']
    headers, mark = script()
    made(two, CLAUDE.name, 'Thereafter', headers, previous_response_id=chain[-1]['id'])
    in_order(sent(mock, mark), 'One', 'Next', 'Thereafter')
    assert made(two, OPENAI.name, previous_response_id=native['id'])


def test_stopped_at_once(start_with):
    """SIGTERM right after an answer: what it left behind is on disk."""
    one = start_with()
    response = made(one, CLAUDE.name)
    one.stop()
    assert get(start_with('--data', one.data), response['id']).json() == response


def test_kill(folder, mock, start_with):
    with killed(folder, mock, '--workers', '2') as one:
        first = made(one, CLAUDE.name, 'One')
        second = made(one, CHAT.name, 'Two', previous_response_id=first['id'])
        gone = made(one, CHAT.name)
        assert one.call('DELETE', f'/v1/responses/{gone["id"]}').status == 200
        native = made(one, OPENAI.name)
        rig.wait_for(lambda: native['id'].encode() in stored(one))
        time.sleep(0.1)
    two = start_with('--data', one.data)
    assert get(two, second['id']).json() == second and get(two, gone['id']).status == 404
    assert made(two, GEMINI.name, previous_response_id=second['id']) and made(two, OPENAI.name, previous_response_id=native['id'])


def test_kill_under_load(folder, mock, start_with):
    """Whatever was found before the crash and is 200 ms old is found after it, with its past."""
    ids, stop = [], threading.Event()

    def chains(server):
        previous = {}
        with contextlib.suppress(OSError, AssertionError, ValueError, rig.http.client.HTTPException):
            while not stop.is_set():
                id = made(server, CHAT.name, **previous)['id']
                ids.append((time.monotonic(), id))
                previous = {'previous_response_id': id}
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        with killed(folder, mock, '--workers', '2') as one, rig.Stalls() as stalls:
            running = [pool.submit(chains, one) for _ in range(8)]
            rig.wait_for(lambda: len(ids) > 60 and ids[-1][0] - ids[0][0] > 0.4)
            cut, stalled = time.monotonic(), stalls.seconds()
            # 200 ms in which the machine did not stand still
            rig.wait_for(lambda: time.monotonic() - cut - (stalls.seconds() - stalled) > 0.2)
        stop.set()
        for r in running:
            r.result()
    old = [id for at, id in ids if at < cut]
    two = start_with('--data', one.data)
    assert len(old) > 5 and not [id for id in old if get(two, id).status != 200]
    assert made(two, CLAUDE.name, previous_response_id=old[-1])


def test_stopped_while_the_store_is_asked(start_with):
    """SIGTERM in a storm of look-ups: each is answered, and the process ends well."""
    weir = start_with('--workers', '2')
    first, statuses = made(weir, CHAT.name)['id'], []

    def ask(n):
        with contextlib.suppress(OSError, rig.http.client.HTTPException):
            while True:
                answer = get(weir, first) if n % 2 else post(weir, CHAT.name, previous_response_id=first)
                statuses.append(answer.status)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        running = [pool.submit(ask, n) for n in range(8)]
        rig.wait_for(lambda: len(statuses) > 40)
        weir.signal(signal.SIGTERM)
        for r in running:
            r.result()
    assert weir.wait(15) == 0 and set(statuses) <= {200, 503}, set(statuses)


def test_what_is_read_counts_as_bytes_in_flight(start_with):
    """A conversation is held like a body while it is continued: beyond the bound the request is refused, and nothing stays counted."""
    weir = start_with("--workers", "1", max_bytes_in_flight=190_000)
    one = made(weir, CLAUDE.name, 'y' * 100_000)
    two = made(weir, CLAUDE.name, 'z' * 60_000, previous_response_id=one['id'])
    for _ in range(3):
        answer = post(weir, CLAUDE.name, 'w' * 60_000, previous_response_id=two['id'])
        assert answer.status == 503 and answer.headers['retry-after'] == '1', answer
        assert made(weir, CLAUDE.name, 'w' * 60_000, previous_response_id=one['id'])


@each('a', ALIASES)
def test_a_turn_without_input(plain, mock, a):
    """The conversation alone is asked to go on; that turn is kept like any other."""
    for nothing in ({}, {'input': None}):
        one = made(plain, a.name, 'First-of-all')
        headers, mark = script()
        answer = plain.call('POST', '/v1/responses', json.dumps({'model': a.name, 'previous_response_id': one['id'], **nothing}).encode(), headers=headers)
        assert answer.status == 200, answer
        if not a.native:
            assert b'First-of-all' in mock.one(mark)['body']
        two = answer.json()
        assert get(plain, two['id']).status == 200
        assert made(plain, a.name, 'And on', previous_response_id=two['id'])
