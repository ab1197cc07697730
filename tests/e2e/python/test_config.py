"""The config and the life of the server: start, reload, drain."""
import collections
import json
import os
import re
import signal
import stat
import threading
import time

import pytest

import rig

HELLO = [{'role': 'user', 'content': 'Hello'}]


def test_missing_variable(start, mock):
    rows = [rig.deployment('broken', 'openai/gpt-4.1', mock.base, api_key='os.environ/NO_SUCH_VARIABLE_7'),
            rig.deployment('good', 'openai/gpt-4.1', mock.base)]
    server = start(rig.config(rows))
    answer = server.chat('broken')
    assert answer.status >= 500 and 'NO_SUCH_VARIABLE_7' in answer.error['message'], answer
    assert server.chat('good').status == 200
    assert 'NO_SUCH_VARIABLE_7' in server.log()


def test_variables(start, mock, folder):
    """From the environment, environment_variables, and --env-file; the environment wins over the file."""
    path = os.path.join(folder, 'variables.env')
    with open(path, 'w', encoding='utf-8') as file:
        file.write(f'# a comment\nFROM_FILE={rig.UPSTREAM}\nexport QUOTED="{rig.UPSTREAM}"\nFROM_BOTH=sk-wrong\n\n')
    names = ('FROM_ENV', 'FROM_CONFIG', 'FROM_FILE', 'QUOTED', 'FROM_BOTH')
    config = rig.config([rig.deployment(name, 'openai/gpt-4.1', 'os.environ/BASE', api_key=f'os.environ/{name}') for name in names],
                        environment_variables={'FROM_CONFIG': rig.UPSTREAM})
    server = start(config, '--env-file', path, env={'FROM_ENV': rig.UPSTREAM, 'FROM_BOTH': rig.UPSTREAM, 'BASE': mock.base})
    for name in names:
        assert server.chat(name).status == 200, name


def test_provider_key_from_the_environment(start, mock):
    row = {'model_name': 'm', 'litellm_params': {'model': 'openai/gpt-4.1', 'api_base': mock.base}}
    assert start(rig.config([row]), env={'OPENAI_API_KEY': rig.UPSTREAM}).chat('m').status == 200


def test_provider_key_missing(start):
    """Said before anything is sent (and if it were sent, it would go no further than this machine)."""
    row = {'model_name': 'm', 'litellm_params': {'model': 'openai/gpt-4.1'}}
    answer = start(rig.config([row]), env={'HTTPS_PROXY': f'http://127.0.0.1:{rig.refusing_port()}'}).chat('m')
    assert answer.status >= 500 and 'OPENAI_API_KEY' in answer.error['message'], answer


@pytest.fixture(scope='module')
def named(folder, mock):
    rows = [rig.deployment('*', 'openai/mock:text=any', mock.base),
            rig.deployment('team/*', 'openai/*', mock.base),
            rig.deployment('team/mock:text=a*', 'openai/mock:text=specific', mock.base),
            rig.deployment('team/mock:text=exact', 'openai/mock:text=by-name', mock.base),
            rig.deployment('a::*:b::*', 'openai/mock:text=*_and_*', mock.base),
            rig.deployment('real', 'openai/mock:text=real', mock.base, info={'id': 'id-of-real'}),
            rig.deployment('twice', 'openai/mock:text=first', mock.base, info={'id': 'twice-1'}),
            rig.deployment('twice', 'openai/mock:text=second', mock.base, info={'id': 'twice-2'})]
    server = rig.Weir(folder, rig.config(
        rows, router_settings={'model_group_alias': {'alias': 'real', 'secret': {'model': 'real', 'hidden': True}}},
        litellm_settings={'model_alias_map': {'mapped': 'real'}}))
    yield server
    server.stop()


@pytest.mark.parametrize('model,text', [
    ('team/mock:text=zzz', 'zzz'), ('team/mock:text=abc', 'specific'), ('team/mock:text=exact', 'by-name'),
    ('nobody-knows-this', 'any'), ('a::one:b::two', 'one and two'), ('real', 'real'), ('alias', 'real'),
    ('secret', 'real'), ('mapped', 'real'), ('id-of-real', 'real'), ('twice-1', 'first'), ('twice-2', 'second')])
def test_names(named, model, text):
    answer = named.chat(model)
    assert answer.status == 200, answer
    assert answer.json()['choices'][0]['message']['content'] == text
    assert answer.json()['model'] == model


def test_names_that_are_listed(named):
    listed = {row['id'] for row in named.call('GET', '/v1/models').json()['data']}
    assert {'real', 'alias', 'twice'} <= listed
    assert not {'secret', 'id-of-real', 'twice-1'} & listed


def test_deployments_in_turn(named):
    used = collections.Counter(named.chat('twice').headers['x-litellm-model-id'] for _ in range(40))
    assert set(used) == {'twice-1', 'twice-2'} and min(used.values()) >= 5, used


def test_blocked_deployment(start, mock):
    server = start(rig.config([rig.deployment('m', 'openai/gpt-4.1', mock.base, info={'blocked': True})]))
    answer = server.chat('m')
    assert answer.status in (400, 503), answer


def test_mock_response(weir, start, mock):
    """An answer that is made up costs no provider: of the request, or of the deployment."""
    before = mock.stats()['requests']
    for stream in (False, True):
        answer = weir.chat('gpt-4.1', mock_response='Made up', stream=stream)
        assert answer.status == 200
        text = answer.json()['choices'][0]['message']['content'] if not stream else ''.join(
            json.loads(e)['choices'][0]['delta'].get('content') or '' for e in rig.events(answer.body) if e != '[DONE]')
        assert text == 'Made up'
    server = start(rig.config([rig.deployment('m', 'openai/gpt-4.1', mock.base, mock_response='Canned')]))
    assert server.chat('m').json()['choices'][0]['message']['content'] == 'Canned'
    assert mock.stats()['requests'] == before


def test_master_key_under_litellm_settings(start, mock):
    config = {'model_list': [rig.deployment('m', 'openai/gpt-4.1', mock.base)], 'litellm_settings': {'master_key': rig.MASTER}}
    server = start(config)
    assert server.chat('m').status == 200
    assert server.call('GET', '/v1/models', key=None).status == 401


def test_master_key_from_the_environment(start, mock):
    server = start({'model_list': [rig.deployment('m', 'openai/gpt-4.1', mock.base)]}, env={'LITELLM_MASTER_KEY': rig.MASTER})
    assert server.chat('m').status == 200
    assert server.call('GET', '/v1/models', key='sk-other-than-that').status == 401


def test_unknown_keys_warn(start, mock):
    server = start(rig.config([rig.deployment('m', 'openai/gpt-4.1', mock.base)],
                              router_settings={'num_retires': 3}, nonsense={'a': 1}))
    assert server.chat('m').status == 200
    assert re.search(r'config\.yaml:\d+: .*num_retires.*num_retries', server.log())
    assert 'nonsense' in server.log()


# -- keys that nobody chose

def key_of(server):
    return server.wait_log(r'\b(sk-[A-Za-z0-9_-]{16,})').group(1)


def test_generated_key(folder, mock):
    config = {'model_list': [rig.deployment('m', 'openai/gpt-4.1', mock.base)]}
    server = rig.Weir(folder, config, host=None)
    try:
        assert server.host == '127.0.0.1'
        key = key_of(server)
        assert server.call('GET', '/v1/models', key=key).status == 200
        assert server.call('GET', '/v1/models', key=None).status == 401
        files = [os.path.join(server.data, f) for f in os.listdir(server.data)]
        held = [f for f in files if os.path.isfile(f) and key.encode() in open(f, 'rb').read()]
        assert held and all(stat.S_IMODE(os.stat(f).st_mode) == 0o600 for f in held)
        assert stat.S_IMODE(os.stat(server.data).st_mode) & 0o077 == 0
    finally:
        server.stop()
    again = rig.Weir(folder, config, '--data', server.data)
    try:
        assert again.call('GET', '/v1/models', key=key).status == 200
        assert key not in again.log(), 'a key is shown when it is made, and never again'
    finally:
        again.stop()


def write(folder, name, config):
    path = os.path.join(folder, name)
    with open(path, 'w', encoding='utf-8') as file:
        file.write(config if isinstance(config, str) else json.dumps(config))
    return path


@pytest.mark.parametrize('key', [None, 'sk-1234'])
def test_loopback_only(folder, mock, key):
    config = {'model_list': [rig.deployment('m', 'openai/gpt-4.1', mock.base)]}
    if key:
        config['general_settings'] = {'master_key': key}
    path = write(folder, 'loopback.yaml', config)
    for host in ('0.0.0.0', '::'):
        status, out, err = rig.run_weir('--config', path, '--port', '0', '--host', host, '--data', os.path.join(folder, 'loop'))
        assert status != 0 and 'loopback' in out + err and 'master_key' in out + err


def test_well_known_key(start, mock):
    server = start({'model_list': [rig.deployment('m', 'openai/gpt-4.1', mock.base)],
                    'general_settings': {'master_key': 'sk-1234'}}, host=None)
    assert server.host == '127.0.0.1' and 'loopback' in server.log()
    assert server.call('GET', '/v1/models', key='sk-1234').status == 200


# -- one server a port and a data directory

def test_second_server(start, mock):
    server = start(rig.config([rig.deployment('m', 'openai/gpt-4.1', mock.base)]))
    status, out, err = rig.run_weir('--config', server.path, '--host', '127.0.0.1', '--port', str(server.port),
                                    '--data', os.path.join(server.folder, 'other'))
    assert status != 0 and str(server.port) in out + err and 'in use' in out + err
    status, out, err = rig.run_weir('--config', server.path, '--host', '127.0.0.1', '--port', '0', '--data', server.data)
    assert status != 0 and server.data in out + err
    assert server.chat('m').status == 200


# -- reload

def models_of(server):
    return {row['id'] for row in server.call('GET', '/v1/models').json()['data']}


def test_reload(start, mock):
    one, two = (rig.deployment(n, 'openai/gpt-4.1', mock.base) for n in ('one', 'two'))
    server = start(rig.config([one]))
    assert models_of(server) == {'one'}
    server.write(rig.config([one, two]))
    server.signal(signal.SIGHUP)
    rig.wait_for(lambda: models_of(server) == {'one', 'two'})
    for bad in ('model_list: [', 'model_list:\n\t- model_name: x\n', '{"model_list": {"a": 1}}', '\x00'):
        server.write(bad)
        before = len(server.log())
        server.signal(signal.SIGHUP)
        rig.wait_for(lambda: re.search(r'config\.yaml:\d+', server.log()[before:]), 10)
        assert models_of(server) == {'one', 'two'} and server.chat('two').status == 200
    os.remove(server.path)
    before = len(server.log())
    server.signal(signal.SIGHUP)
    rig.wait_for(lambda: 'config.yaml' in server.log()[before:], 10)
    assert server.chat('one').status == 200
    server.write(rig.config([two]))
    server.signal(signal.SIGHUP)
    rig.wait_for(lambda: models_of(server) == {'two'})
    assert server.chat('one').status == 400


def test_reload_of_the_key(start, mock):
    row = rig.deployment('m', 'openai/gpt-4.1', mock.base)
    server = start(rig.config([row]))
    other = 'sk-another-master-key-0a1b2c3d'
    server.write(rig.config([row], general_settings={'master_key': other}))
    server.signal(signal.SIGHUP)
    rig.wait_for(lambda: server.call('GET', '/v1/models', key=other).status == 200)
    rig.wait_for(lambda: server.call('GET', '/v1/models').status == 401)


def test_reload_under_load(start, mock):
    """A stream that runs through reloads is served to its end by what it began with."""
    server = start(rig.config([rig.deployment('mock/*', 'openai/*', mock.base)]))
    answers, model = [], rig.script('tokens=60,interval_us=10000')[0]
    threads = [threading.Thread(target=lambda: answers.append(server.chat(model, stream=True))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for _ in range(10):
        server.signal(signal.SIGHUP)
        time.sleep(0.04)
        assert server.chat(rig.script()[0]).status == 200
    for thread in threads:
        thread.join()
    assert len(answers) == 8 and all(a.body.endswith(b'data: [DONE]\n\n') and len(rig.events(a.body)) == 63 for a in answers)


# -- stopping

def streaming(server, model):
    """Starts a stream in a thread: (thread, list that gets the answer)."""
    answers = []
    thread = threading.Thread(target=lambda: answers.append(server.chat(model, stream=True)))
    thread.start()
    return thread, answers


def test_drain(start, mock):
    server = start(rig.config([rig.deployment('mock/*', 'openai/*', mock.base)],
                              weir_settings={'drain_delay': 3, 'drain_timeout': 30}))
    model, mark = rig.script('tokens=200,interval_us=20000')
    thread, answers = streaming(server, model)
    rig.wait_for(lambda: mock.seen(mark))
    server.signal(signal.SIGTERM)
    rig.wait_for(lambda: server.call('GET', '/health/readiness', key=None).status == 503)
    late = server.chat(rig.script()[0])      # within drain_delay requests are still taken
    assert late.status == 200 and late.headers['connection'].lower() == 'close'
    assert server.call('GET', '/health/liveliness', key=None).status == 200
    thread.join()
    assert answers[0].body.endswith(b'data: [DONE]\n\n') and len(rig.events(answers[0].body)) == 203
    assert server.wait() == 0


def test_drain_that_takes_too_long(start, mock):
    server = start(rig.config([rig.deployment('mock/*', 'openai/*', mock.base)], weir_settings={'drain_timeout': 0.5}))
    model, mark = rig.script('tokens=2000,interval_us=20000')
    thread, answers = streaming(server, model)
    rig.wait_for(lambda: mock.seen(mark))
    time.sleep(0.2)
    begin = time.monotonic()
    server.signal(signal.SIGTERM)
    assert server.wait() == 0
    assert 0.3 < time.monotonic() - begin < 20      # the stream would go on for 40
    thread.join()
    assert 'error' in json.loads([e for e in rig.events(answers[0].body) if e != '[DONE]'][-1])
    assert mock.wait_invoice(mark)['outcome'] == 'client left'


def test_second_signal(start, mock):
    server = start(rig.config([rig.deployment('mock/*', 'openai/*', mock.base)], weir_settings={'drain_timeout': 60}))
    model, mark = rig.script('latency=60000')
    thread, answers = streaming(server, model)
    rig.wait_for(lambda: mock.seen(mark))
    server.signal(signal.SIGTERM)
    server.wait_log('draining')
    server.signal(signal.SIGTERM)
    assert server.wait() == 0
    thread.join()
    assert answers and answers[0].status == 503, answers


def test_stop_with_idle_connections(start, mock):
    import http.client
    server = start(rig.config([rig.deployment('m', 'openai/gpt-4.1', mock.base)]))
    idle = [http.client.HTTPConnection('127.0.0.1', server.port) for _ in range(8)]
    for connection in idle:
        connection.request('GET', '/health/liveliness')
        connection.getresponse().read()
    begin = time.monotonic()
    server.signal(signal.SIGINT)
    assert server.wait() == 0 and time.monotonic() - begin < 15     # drain_timeout is 30
    for connection in idle:
        connection.close()


# -- the command line

def test_version():
    for arguments in (('version',), ('--version',)):
        status, out, _ = rig.run_weir(*arguments)
        assert status == 0 and re.search(r'\d+\.\d+\.\d+', out)


def test_help():
    status, out, _ = rig.run_weir('--help')
    assert status == 0 and '--config' in out and 'check' in out


@pytest.mark.parametrize('arguments', [('--no-such-option',), ('nonsense',), ('--port', 'x'), ('--port', '65536'), ('--port',),
                                       ('--workers', '0', '--port', '0'), ('--config', '/no/such/file.yaml', '--port', '0')])
def test_bad_arguments(arguments, folder):
    status, out, err = rig.run_weir(*arguments, cwd=folder)
    assert status not in (0, None) and (out + err).strip()


def test_check(folder, mock):
    good = write(folder, 'good.yaml', rig.config([rig.deployment('m', 'openai/gpt-4.1', mock.base)]))
    status, out, err = rig.run_weir('check', good)
    assert status == 0, out + err
    assert rig.UPSTREAM not in out + err and rig.MASTER not in out + err
    bad = write(folder, 'bad.yaml', 'model_list:\n  - model_name: m\n    litellm_params:\n      modle: openai/x\n      rpm: many\n')
    status, out, err = rig.run_weir('check', bad)
    assert status != 0
    assert re.search(r'bad\.yaml:5: .*rpm', out + err) and re.search(r'bad\.yaml:\d+: .*modle.*model', out + err), out + err
    for name in ('no-such.yaml', '.'):
        status, out, err = rig.run_weir('check', os.path.join(folder, name))
        assert status != 0 and (out + err).strip()


def test_check_names_the_missing_variable(folder, mock):
    path = write(folder, 'variable.yaml', rig.config([rig.deployment('m', 'openai/x', mock.base, api_key='os.environ/MISSING_9')]))
    status, out, err = rig.run_weir('check', path)
    assert status != 0 and 'MISSING_9' in out + err
    status, out, err = rig.run_weir('check', path, env={'MISSING_9': rig.UPSTREAM})
    assert status == 0 and rig.UPSTREAM not in out + err


def test_access_log(start, mock):
    """One line a request: id, route, model, status; nothing that was said, no key."""
    server = start(rig.config([rig.deployment('m', 'openai/gpt-4.1', mock.base)], litellm_settings={'json_logs': True}))
    answer = server.call('POST', '/v1/chat/completions', {'model': 'm', 'messages': [{'role': 'user', 'content': 'a-secret-thought'}]})
    line = json.loads(server.wait_log(r'^\{.*' + answer.headers['x-litellm-call-id'] + r'.*$').group(0))
    assert line['status'] == 200 and line['model'] == 'm'
    assert 'a-secret-thought' not in server.log() and 'The dam is low' not in server.log()
    refused = server.chat('m\n{"forged":1}')
    assert refused.status == 400
    time.sleep(0.1)
    for text in server.log().splitlines():
        assert not text.startswith('{"forged"')
