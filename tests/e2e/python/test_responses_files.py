"""The file of the store: its mode, files that cannot be used, full disks; secrets; and bodies of any kind."""
import concurrent.futures
import contextlib
import glob
import json
import os
import random
import re
import shutil
import sqlite3
import stat
import subprocess
import time

import pytest

import rig
from providers import TEXT
from responses_rig import ALIASES, CHAT, CLAUDE, no_canary, script
from responses_state import UNKNOWN, WEATHER, config, each, events, get, made, post, refused, said, stored


@pytest.fixture(scope='module')
def plain(folder, mock):
    server = rig.Weir(folder, config(folder, mock))
    yield server
    server.stop()


@pytest.fixture
def start_with(start, folder, mock):
    def starter(*options, **weir):
        return start(config(folder, mock, **weir), *options)
    return starter


# -- files

def test_only_the_owner_reads_it(plain):
    made(plain, CLAUDE.name)
    rig.wait_for(lambda: glob.glob(plain.data + '/sessions.db*'))
    time.sleep(0.1)
    paths = glob.glob(plain.data + '/sessions.db*')
    assert paths and all(stat.S_IMODE(os.stat(p).st_mode) == 0o600 for p in paths), paths
    assert stat.S_IMODE(os.stat(plain.data).st_mode) & 0o022 == 0


def test_open_files_are_closed(start_with, tmp_path):
    """A file that others could read becomes private."""
    one = start_with()
    made(one, CLAUDE.name)
    one.stop()
    os.chmod(one.data + '/sessions.db', 0o644)
    start_with('--data', one.data)
    assert stat.S_IMODE(os.stat(one.data + '/sessions.db').st_mode) == 0o600


def spoil_corrupt(path):
    with open(path, 'wb') as file:
        file.write(b'This is no database, and was never one. ' * 400)


def spoil_inside(path):
    """A sessions file of which all but the first page is noise."""
    with open(path, 'r+b') as file:
        size = file.seek(0, 2)
        file.seek(4096)
        file.write(random.Random(7).randbytes(size - 4096))


def spoil_newer(path):
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute('PRAGMA user_version = 9999')


def spoil_foreign(path):
    os.unlink(path)
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute('CREATE TABLE notes(text)')


def spoil_directory(path):
    os.unlink(path)
    os.mkdir(path)


def spoil_link(path):
    os.unlink(path)
    os.symlink('/nonexistent/sessions.db', path)


def spoil_fifo(path):
    os.unlink(path)
    os.mkfifo(path)


SPOILT = {'corrupt': (spoil_corrupt, 'damaged'), 'newer': (spoil_newer, 'newer weir'), 'foreign': (spoil_foreign, 'not of weir'),
          'directory': (spoil_directory, 'directory'), 'link': (spoil_link, 'No such file'), 'fifo': (spoil_fifo, 'not a regular file')}


@pytest.fixture(scope='module')
def used(folder, mock):
    """A data directory with a store in it."""
    server = rig.Weir(folder, config(folder, mock))
    first = made(server, CLAUDE.name)
    server.stop()
    return server.data, first['id']


def without_store(weir, mock):
    """What a gateway does that has no store: everything but what needs one."""
    assert weir.chat(CHAT.name).status == 200
    assert weir.call('GET', '/health/readiness').status == 200
    for a in ALIASES:
        response = made(weir, a.name, store=False)
        assert said(response) == TEXT
        response = made(weir, a.name, 'about an item_reference', stream=True)
        assert said(response) == TEXT and (a.native or response['store'] is False)
        for answer in (get(weir, response['id']), get(weir, UNKNOWN), get(weir, UNKNOWN, '/input_items'),
                       weir.call('DELETE', f'/v1/responses/{UNKNOWN}'), weir.call('POST', f'/v1/responses/{UNKNOWN}/cancel')):
            assert answer.status == 503 and 'sessions.db' in answer.error['message'], answer
        headers, mark = script()
        answer = post(weir, a.name, headers=headers, previous_response_id=response['id'])
        assert answer.status == 503 and 'sessions.db' in answer.error['message'] and mock.seen(mark) == [], answer
        answer = post(weir, a.name, [{'type': 'item_reference', 'id': 'msg_' + '0' * 36}], headers)
        assert answer.status == 503 and mock.seen(mark) == [], answer
    refused(400, post(weir, CLAUDE.name, headers={'x-weir-strict': '1'}, store=True), 'store')
    assert get(weir, 'not/plain').status == 404
    text = json.dumps({'message': get(weir, UNKNOWN).error['message']})
    assert weir.data not in text, 'paths are for the operator'


@pytest.mark.parametrize('how', SPOILT)
def test_a_file_that_cannot_be_used(start_with, mock, used, tmp_path, how):
    """The gateway starts, says which file, why, and what to do; the file stays as it is."""
    data = str(tmp_path / 'data')
    shutil.copytree(used[0], data)
    path = data + '/sessions.db'
    spoil, why = SPOILT[how]
    spoil(path)
    before = open(path, 'rb').read() if how in ('corrupt', 'newer', 'foreign') else None
    weir = start_with('--data', data)
    weir.data = data
    line = weir.wait_log(r'^.*sessions file .*sessions\.db.*$').group(0)
    assert why in line and ';' in line and 'previous_response_id' in line, line
    without_store(weir, mock)
    weir.stop()
    assert before is None or open(path, 'rb').read() == before


def test_a_file_that_is_damaged_inside(start_with, mock, used, tmp_path):
    """Whether it is seen at start or at a look-up: an error or an answer, and all else goes on."""
    data = str(tmp_path / 'data')
    shutil.copytree(used[0], data)
    spoil_inside(data + '/sessions.db')
    weir = start_with('--data', data)
    assert get(weir, used[1]).status in (404, 503) and get(weir, UNKNOWN).status in (404, 503)
    assert post(weir, CLAUDE.name, previous_response_id=used[1]).status in (400, 503)
    for a in ALIASES:
        assert post(weir, a.name, store=False).status == 200 and post(weir, a.name).status in (200, 503)
    assert weir.chat(CHAT.name).status == 200


@contextlib.contextmanager
def disk(path, size):
    """A file system of its own; skipped where none can be mounted."""
    os.makedirs(path, exist_ok=True)
    mounted = subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={size}', 'tmpfs', path], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip('no file system can be mounted here')
    try:
        yield
    finally:
        subprocess.run(['umount', '-l', path], check=True)


@pytest.mark.parametrize('what', ['empty', 'used'])
def test_a_data_directory_that_cannot_be_written(folder, mock, used, tmp_path, what):
    data = str(tmp_path / 'data')
    with disk(data, '4m'):
        if what == 'used':
            shutil.copytree(used[0], data, dirs_exist_ok=True)
        subprocess.run(['mount', '-o', 'remount,ro', data], check=True)
        weir = rig.Weir(folder, config(folder, mock), '--data', data)
        try:
            assert 'Read-only' in weir.wait_log(r'^.*sessions file .*sessions\.db.*$').group(0)
            weir.data = data
            without_store(weir, mock)
        finally:
            weir.stop()


def test_a_full_disk(folder, mock, tmp_path):
    """What cannot be written is refused before money is spent, with a way around; when there is room, all is well again."""
    data = str(tmp_path / 'data')
    with disk(data, '2m'):
        weir = rig.Weir(folder, config(folder, mock), '--data', data)
        try:
            kept = made(weir, CLAUDE.name)
            filler, weir.data = os.path.join(data, 'filler'), data
            rig.wait_for(lambda: kept['id'].encode() in stored(weir))
            time.sleep(0.1)
            with contextlib.suppress(OSError), open(filler, 'wb', buffering=0) as file:
                while True:
                    file.write(bytes(4096))
            full = rig.wait_for(lambda: next((a for a in [post(weir, CLAUDE.name, 'z' * 20000)] if a.status == 503), None))
            assert 'store' in full.error['message'] and full.headers['retry-after'], full
            headers, mark = script()
            assert post(weir, CLAUDE.name, headers=headers).status == 503 and mock.seen(mark) == []
            for a in ALIASES:
                assert said(made(weir, a.name, store=False)) == TEXT
            assert get(weir, kept['id']).json() == kept and said(made(weir, CHAT.name, previous_response_id=kept['id'], store=False))
            assert weir.chat(CLAUDE.name).status == 200
            deleted = weir.call('DELETE', f'/v1/responses/{kept["id"]}')
            assert (deleted.status, get(weir, kept['id']).status) in ((200, 404), (503, 200)), deleted
            weir.wait_log(r'sessions\.db: \d+ responses could not be written: .*full')
            os.unlink(filler)
            answer = rig.wait_for(lambda: next((a for a in [post(weir, CLAUDE.name)] if a.status == 200), None))
            assert get(weir, answer.json()['id']).json() == answer.json()
        finally:
            weir.stop()


# -- secrets

def test_secrets(start_with):
    """Neither the client's key nor the provider's is in an answer, a log, or the file; nor is what a provider said of it."""
    weir = start_with()
    for a in ALIASES:
        for items in ('', 'tools=1', 'refusal', 'echo-auth,status=401', 'echo-auth,status=500'):
            for stream in (False, True):
                answer = post(weir, a.name, f'My key is not {a.name}', script(items)[0], stream=stream, tools=[WEATHER])
                id = re.search(rb'resp_[0-9a-z]+', answer.body)
                for suffix in ('', '/input_items') if id else ():
                    no_canary(get(weir, id.group(0).decode(), suffix).body.decode())
        # The simulator puts its credential into the text as well, which is the model's word; what weir says of the failure has none.
        answer = weir.call('POST', '/v1/responses', {'model': a.name, 'input': 'x', 'stream': True}, script('echo-auth,error-event=2')[0])
        failure = [e for e in events(answer) if e['type'] in ('error', 'response.failed')]
        no_canary(str([(e.get('message'), e.get('error'), e.get('response', {}).get('error')) for e in failure]))
        assert failure
    weir.stop()
    found = stored(weir)
    assert b'My key is not' in found
    no_canary(found.decode('latin-1'))


# -- anything

WORDS = ['', 'x', 'é😀', 'user', 'assistant', 'message', 'function_call', 'function_call_output', 'reasoning', 'item_reference', 'auto',
         'input_text', 'output_text', 'input_image', 'data:image/png;base64,AAAA', 'http://a/b', UNKNOWN, 'msg_' + '0' * 36, 'call_1', '{}',
         'weir1.eyJvIjoiYW50aHJvcGljIn0', 'none', 'required', 'function', 'custom', 'json_schema', 'a' * 3000, '\x00', '\ud83d']
NAMES = ['input', 'instructions', 'previous_response_id', 'tools', 'tool_choice', 'text', 'reasoning', 'include', 'store', 'metadata',
         'temperature', 'top_p', 'max_output_tokens', 'parallel_tool_calls', 'truncation', 'stream', 'background', 'conversation', 'prompt',
         'user', 'service_tier', 'max_tool_calls', 'top_logprobs', 'context_management', 'no_such_member']
PARTS = ['type', 'role', 'content', 'id', 'call_id', 'name', 'arguments', 'output', 'status', 'summary', 'encrypted_content', 'text', 'image_url',
         'file_data', 'filename', 'detail', 'input', 'format', 'schema', 'parameters', 'strict', 'effort', 'annotations', 'action']


def anything(rng, depth=0):
    kind = rng.randrange(10 if depth < 4 else 6)
    if kind < 3:
        return rng.choice(WORDS)
    if kind < 6:
        return rng.choice([None, True, False, 0, -1, 7, 1.5, 1e300, 10**30])
    if kind == 6:
        return [anything(rng, depth + 1) for _ in range(rng.randrange(4))]
    return {rng.choice(PARTS): anything(rng, depth + 1) for _ in range(rng.randrange(6))}


def item(rng):
    """Something that nearly is an input item."""
    made_of = rng.choice([
        {'role': rng.choice(WORDS[3:5]), 'content': rng.choice(WORDS)},
        {'type': 'message', 'role': 'user', 'content': [{'type': 'input_text', 'text': rng.choice(WORDS)}]},
        {'type': 'message', 'role': 'assistant', 'content': [{'type': 'output_text', 'text': 'x', 'annotations': []}]},
        {'type': 'function_call', 'call_id': 'call_1', 'name': 'f', 'arguments': rng.choice(['{}', '{"a":1}', 'x', ''])},
        {'type': 'function_call_output', 'call_id': 'call_1', 'output': rng.choice(WORDS)},
        {'type': 'reasoning', 'summary': [], 'encrypted_content': rng.choice(WORDS)},
        {'type': 'item_reference', 'id': rng.choice(WORDS)}])
    for _ in range(rng.choice([0, 0, 1, 2])):
        made_of[rng.choice(PARTS)] = anything(rng, 2)
    return made_of


def body(rng, model, known):
    made_of = {'model': model, 'input': rng.choice(['Hello', [item(rng) for _ in range(rng.randrange(1, 5))], anything(rng)])}
    for _ in range(rng.choice([0, 1, 1, 2, 3])):
        made_of[rng.choice(NAMES)] = anything(rng)
    if rng.random() < 0.3:
        made_of['previous_response_id'] = known
    text = json.dumps(made_of).encode()
    if rng.random() < 0.15:
        at = rng.randrange(len(text))
        text = text[:at] + rng.choice([b'', b'"', b'\xff', b'}', b'\x00', b'\\u', b',,']) + text[at + rng.randrange(3):]
    return text


@each('a', ALIASES)
def test_any_body(plain, a):
    """Random bodies: a well-formed answer each, never a 500, and the process lives."""
    rng = random.Random('responses ' + a.name)
    known = made(plain, CHAT.name)['id']
    seen = {}

    def one(text):
        return text, plain.call('POST', '/v1/responses', text)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for text, answer in pool.map(one, [body(rng, a.name, known) for _ in range(1000)]):
            seen[answer.status] = seen.get(answer.status, 0) + 1
            no_canary(answer.body.decode())
            if answer.headers['content-type'].startswith('text/event-stream'):
                assert events(answer)[-1]['type'] in ('response.completed', 'response.incomplete', 'response.failed', 'error'), text
            elif answer.status == 200:
                assert answer.json()['object'] == 'response' and get(plain, answer.json()['id']).status in (200, 404), text
            else:
                assert answer.status in (400, 404, 413, 422, 502) and answer.error['message'], (text, answer)
                assert answer.status != 502, (text, answer)
    assert seen.get(200, 0) > 20 and seen.get(400, 0) > 100, seen
    assert said(made(plain, CHAT.name, previous_response_id=known)) == TEXT
