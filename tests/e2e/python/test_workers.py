"""Four workers at once; made for ThreadSanitizer."""
import concurrent.futures
import json
import signal
import socket
import threading
import time

import pytest

import rig

pytestmark = pytest.mark.workers
TEXT = 'The dam is low and the river runs over it; what passes is measured, not held.'


@pytest.fixture
def four(start, mock):
    rows = [rig.deployment('mock/*', 'openai/*', mock.base), rig.deployment('gpt-4.1', 'openai/gpt-4.1', mock.base),
            rig.deployment('unreachable', 'openai/x', f'http://127.0.0.1:{rig.refusing_port()}/v1')]
    return start(rig.config(rows, weir_settings={'drain_timeout': 60}), '--workers', '4')


def load(server, seconds, failures, stop=None):
    """Calls of every kind, over and over; what is not as it should be is listed."""
    calls = [('gpt-4.1', {}, 200), ('gpt-4.1', {'stream': True}, 200), ('unreachable', {}, 502), ('no-such-model', {}, 400),
             (rig.script('status=429')[0], {}, 429), (rig.script('cut=100')[0], {}, 502), (rig.script('close')[0], {}, 200)]
    end, n = time.monotonic() + seconds, 0
    while n <= 3 or time.monotonic() < end and not (stop and stop.is_set()):
        model, members, status = calls[n % len(calls)]
        answer = server.chat(model, **members)
        if answer.status != status:
            failures.append((model, members, answer))
        n += 1
    return n


def test_all_kinds_at_once(four):
    failures = []
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        counts = list(pool.map(lambda _: load(four, 3, failures), range(16)))
    assert not failures and min(counts) > 3, (failures[:3], counts)


def test_reload_under_load(four, mock):
    failures, stop = [], threading.Event()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        running = [pool.submit(load, four, 20, failures, stop) for _ in range(8)]
        with open(four.path, encoding='utf-8') as file:
            config = json.load(file)
        for n in range(25):
            config['model_list'][3:] = [rig.deployment(f'extra-{n}', 'openai/gpt-4.1', mock.base)]
            four.write(config)
            four.signal(signal.SIGHUP)
            time.sleep(0.08)
        rig.wait_for(lambda: four.chat('extra-24').status == 200)
        stop.set()
        assert all(r.result() > 0 for r in running)
    assert not failures, failures[:3]


def test_clients_that_leave(four, mock):
    body = json.dumps({'model': rig.script('tokens=400,interval_us=5000')[0], 'stream': True,
                       'messages': [{'role': 'user', 'content': 'x'}]}).encode()
    head = (f'POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {rig.MASTER}\r\n'
            f'Content-Length: {len(body)}\r\n\r\n').encode()

    def leave(n):
        with socket.create_connection(('127.0.0.1', four.port), timeout=rig.PATIENCE) as s:
            s.sendall(head + body[:len(body) - (n % 3 == 0)])
            if n % 3 == 1:
                s.recv(100)
            if n % 2:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\1\0\0\0\0\0\0\0')
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        list(pool.map(leave, range(150)))
    rig.wait_for(lambda: mock.stats()['playing'] == 0)
    assert four.chat('gpt-4.1').status == 200


def test_drain_under_load(four, mock):
    model, mark = rig.script('tokens=40,interval_us=20000')
    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        running = [pool.submit(four.chat, model, stream=True) for _ in range(24)]
        rig.wait_for(lambda: len(mock.seen(mark)) == 24)
        four.signal(signal.SIGTERM)
        answers = [r.result() for r in running]
    assert four.wait(30) == 0
    for answer in answers:
        assert answer.status == 200 and answer.body.endswith(b'data: [DONE]\n\n')
        assert ''.join(json.loads(e)['choices'][0]['delta'].get('content') or ''
                       for e in rig.events(answer.body)[:-1]).startswith(TEXT)


def test_cut_under_load(four, mock):
    """A second signal ends what is open, on every worker."""
    model, mark = rig.script('tokens=4000,interval_us=20000')
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        running = [pool.submit(four.chat, model, stream=True) for _ in range(16)]
        rig.wait_for(lambda: len(mock.seen(mark)) == 16)
        time.sleep(0.3)
        four.signal(signal.SIGTERM)
        four.wait_log('draining')
        four.signal(signal.SIGTERM)
        answers = [r.result() for r in running]
    assert four.wait(30) == 0
    assert all(b'"error"' in a.body for a in answers)
