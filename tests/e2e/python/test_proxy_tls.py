"""TLS to providers and to clients, and outgoing proxies."""
import base64
import os
import ssl

import pytest

import rig
import tls


@pytest.fixture(scope='module')
def authority(folder):
    return tls.Authority(folder, 'Test-CA')


@pytest.fixture(scope='module')
def stranger(folder):
    return tls.Authority(folder, 'Other-CA')


@pytest.fixture(scope='module')
def secure(folder, authority, replay):
    """The simulator behind TLS."""
    cert, key = authority.leaf('provider', 'DNS:localhost,DNS:provider.test,IP:127.0.0.1')
    server = rig.Mock(folder, '--tls-cert', cert, '--tls-key', key, '--replay', replay, tls=True)
    yield server
    server.stop()


def chat_both(server, model):
    for stream in (False, True):
        answer = server.chat(model, stream=stream)
        assert answer.status == 200, answer
        assert not stream or answer.body.endswith(b'data: [DONE]\n\n')


@pytest.mark.parametrize('where', ['weir_settings.ca_file', 'litellm_settings.ssl_verify', 'litellm_params.ssl_verify',
                                   'SSL_CERT_FILE'])
def test_authority(start, secure, authority, where):
    section, _, key = where.partition('.')
    params = {key: authority.cert} if section == 'litellm_params' else {}
    sections = {section: {key: authority.cert}} if section.endswith('settings') else {}
    env = {'SSL_CERT_FILE': authority.cert} if section == 'SSL_CERT_FILE' else {}
    server = start(rig.config([rig.deployment('m', 'openai/gpt-4.1', secure.base, **params),
                               rig.deployment('by-name', 'openai/gpt-4.1', f'https://localhost:{secure.port}/v1', **params)],
                              **sections), env=env)
    chat_both(server, 'm')
    chat_both(server, 'by-name')


def test_authority_that_is_unknown(start, secure, stranger, mock):
    server = start(rig.config([rig.deployment('system', 'openai/gpt-4.1', secure.base),
                               rig.deployment('other', 'openai/gpt-4.1', secure.base, ssl_verify=stranger.cert),
                               rig.deployment('missing', 'openai/gpt-4.1', secure.base, ssl_verify='/no/such/file.pem'),
                               rig.deployment('plain', 'openai/gpt-4.1', f'https://127.0.0.1:{mock.port}/v1')]))
    before = secure.stats()['requests']
    for model in ('system', 'other', 'missing', 'plain'):
        for stream in (False, True):
            answer = server.chat(model, stream=stream)
            assert answer.status in (500, 502), answer
            if model in ('system', 'other', 'plain'):
                assert answer.status == 502 and answer.error['code'] == 'upstream_unreachable', answer
    assert secure.stats()['requests'] == before
    server.wait_log('certificate')


def test_name_that_does_not_match(start, folder, authority, replay):
    cert, key = authority.leaf('elsewhere', 'DNS:elsewhere.test')
    other = start('--tls-cert', cert, '--tls-key', key, kind=rig.Mock, tls=True)
    server = start(rig.config([rig.deployment('m', 'openai/gpt-4.1', other.base, ssl_verify=authority.cert)]))
    answer = server.chat('m')
    assert answer.status == 502 and answer.error['code'] == 'upstream_unreachable', answer


def test_verify_off(start, secure):
    server = start(rig.config([rig.deployment('m', 'openai/gpt-4.1', secure.base, ssl_verify=False)]))
    chat_both(server, 'm')
    assert 'ssl_verify' in server.log() and 'NOT' in server.log()
    server = start(rig.config([rig.deployment('m', 'openai/gpt-4.1', secure.base)], litellm_settings={'ssl_verify': False}))
    chat_both(server, 'm')
    assert 'ssl_verify' in server.log()


def test_pools_are_kept_apart(start, secure, authority):
    """A connection that was made without checking is never used by a deployment that checks."""
    server = start(rig.config([rig.deployment('lax', 'openai/gpt-4.1', secure.base, ssl_verify=False),
                               rig.deployment('strict', 'openai/gpt-4.1', secure.base)]), '--workers', '1')
    for _ in range(3):
        assert server.chat('lax').status == 200
        assert server.chat('strict').status == 502


@pytest.mark.parametrize('script', ['cut=1500', 'reset=1500', 'end=1500', 'dribble=1', 'stall=900,stall_ms=50'])
def test_faults_over_tls(start, secure, authority, script):
    server = start(rig.config([rig.deployment('mock/*', 'openai/*', secure.base, ssl_verify=authority.cert)]))
    answer = server.chat(rig.script(script)[0], stream=True)
    assert answer.status == 200
    if '1500' in script:
        assert b'"error"' in answer.body
    else:
        assert answer.body.endswith(b'data: [DONE]\n\n') and b'"error"' not in answer.body


# -- weir itself behind TLS

@pytest.mark.parametrize('how', ['config', 'options'])
def test_https_for_clients(start, mock, authority, how):
    cert, key = authority.leaf(f'weir-{how}', 'DNS:localhost,IP:127.0.0.1')
    context = ssl.create_default_context(cafile=authority.cert)
    options = () if how == 'config' else ('--ssl_certfile_path', cert, '--ssl_keyfile_path', key)
    sections = {'weir_settings': {'tls_certificate': cert, 'tls_key': key}} if how == 'config' else {}
    server = start(rig.config([rig.deployment('gpt-4.1', 'openai/gpt-4.1', mock.base)], **sections), *options, tls=context)
    chat_both(server, 'gpt-4.1')
    assert server.call('GET', '/health/liveliness', key=None).status == 200
    assert rig.raw(server.port, b'GET / HTTP/1.1\r\nHost: a\r\n\r\n', seconds=5).startswith((b'', b'HTTP/1.1 400'))


def test_https_with_bad_files(folder, mock, authority):
    cert, key = authority.leaf('weir-bad', 'IP:127.0.0.1')
    other = authority.leaf('weir-other', 'IP:127.0.0.1')[1]
    path = os.path.join(folder, 'https.yaml')
    import json
    with open(path, 'w', encoding='utf-8') as file:
        json.dump(rig.config([rig.deployment('m', 'openai/gpt-4.1', mock.base)]), file)
    for files in ((cert, other), (cert, '/no/such.key'), (path, key)):
        status, out, err = rig.run_weir('--config', path, '--host', '127.0.0.1', '--port', '0', '--data',
                                        os.path.join(folder, 'https'), '--ssl_certfile_path', files[0], '--ssl_keyfile_path', files[1])
        assert status not in (0, None) and any(f in out + err for f in files), out + err


# -- outgoing proxies

@pytest.fixture
def proxy():
    made = tls.Proxy()
    yield made
    made.close()


def test_proxy_for_https(start, secure, authority, proxy):
    """The proxy resolves the name; TLS goes end to end through it."""
    server = start(rig.config([rig.deployment('m', 'openai/gpt-4.1', f'https://provider.test:{secure.port}/v1',
                                              ssl_verify=authority.cert)]),
                   env={'HTTPS_PROXY': f'http://127.0.0.1:{proxy.port}'})
    chat_both(server, 'm')
    assert set(proxy.asked) == {('CONNECT', f'provider.test:{secure.port}')}


@pytest.mark.parametrize('name', ['http_proxy', 'ALL_PROXY', 'all_proxy'])
def test_proxy_for_http(start, mock, proxy, name):
    server = start(rig.config([rig.deployment('m', 'openai/gpt-4.1', f'http://provider.test:{mock.port}/v1')]),
                   env={name: f'http://127.0.0.1:{proxy.port}'})
    chat_both(server, 'm')
    assert proxy.asked and all(target.startswith('provider.test') for _, target in proxy.asked)


@pytest.mark.parametrize('value', ['*', '127.0.0.1', 'other.test,127.0.0.1', '127.0.0.0/8'])
def test_no_proxy(start, mock, proxy, value):
    server = start(rig.config([rig.deployment('m', 'openai/gpt-4.1', mock.base)]),
                   env={'ALL_PROXY': f'http://127.0.0.1:{proxy.port}', 'NO_PROXY': value})
    chat_both(server, 'm')
    assert proxy.asked == []


def test_proxy_with_credentials(start, secure, authority):
    secret = base64.b64encode(b'user:p@ss').decode()
    proxy = tls.Proxy(credentials=secret)
    base = f'https://provider.test:{secure.port}/v1'
    server = start(rig.config([rig.deployment('m', 'openai/gpt-4.1', base, ssl_verify=authority.cert)]),
                   env={'HTTPS_PROXY': f'http://user:p%40ss@127.0.0.1:{proxy.port}'})
    chat_both(server, 'm')
    server = start(rig.config([rig.deployment('m', 'openai/gpt-4.1', base, ssl_verify=authority.cert)]),
                   env={'HTTPS_PROXY': f'http://user:wrong@127.0.0.1:{proxy.port}'})
    answer = server.chat('m')
    assert answer.status == 502 and answer.error['code'] == 'upstream_unreachable', answer
    assert 'wrong' not in server.log() and 'wrong' not in answer.body.decode()
    proxy.close()


def test_proxy_that_refuses(start, secure, authority):
    proxy = tls.Proxy(refuse=403)
    server = start(rig.config([rig.deployment('m', 'openai/gpt-4.1', f'https://provider.test:{secure.port}/v1',
                                              ssl_verify=authority.cert)]),
                   env={'HTTPS_PROXY': f'http://127.0.0.1:{proxy.port}'})
    answer = server.chat('m')
    assert answer.status == 502 and answer.error['code'] == 'upstream_unreachable', answer
    server.wait_log('403')
    proxy.close()


def test_proxy_that_is_away(start, secure, authority):
    server = start(rig.config([rig.deployment('m', 'openai/gpt-4.1', secure.base, ssl_verify=authority.cert)]),
                   env={'HTTPS_PROXY': f'http://127.0.0.1:{rig.refusing_port()}'})
    assert server.chat('m').status == 502
