"""Google credentials: what Vertex AI is asked with, where tokens come from, and what happens when there is none."""
import concurrent.futures
import json
import os
import signal
import socket
import time
import uuid

import pytest

import rig
from google_accounts import CLIENT_SECRET, REFRESH_TOKEN, TOKEN_MARK, key_pair, person, service_account
from providers import TEXT

MODEL = 'gemini-2.5-flash'


@pytest.fixture
def site(start):
    """A simulator whose token endpoint nobody else uses."""
    return start(kind=rig.Mock)


def vertex(mock, credential=None, name='m', model=MODEL, **params):
    """A deployment on Vertex AI. `credential`: a dict, a path, or None for what the environment says."""
    more = {'vertex_project': 'mock-project', 'vertex_location': 'us-central1', **params}
    if credential is not None:
        more['vertex_credentials'] = json.dumps(credential) if isinstance(credential, dict) else credential
    return rig.deployment(name, f'vertex_ai/{model}', f'http://127.0.0.1:{mock.port}', **{'api_key': None, **more})


def gateway(start, *rows, **more):
    """One worker: each has tokens of its own."""
    return start(rig.config(list(rows)), '--workers', '1', **more)


def token_calls(mock):
    """Requests to the token endpoint, and to the metadata server."""
    return [r for r in mock.seen() if r['target'].startswith(('/google/token', '/computeMetadata'))]


def calls(mock):
    return [r for r in mock.seen() if '/publishers/' in r['target'] or '/endpoints/' in r['target']]


def no_secret(weir, *answers):
    """Neither in answers nor in the log: tokens, keys, secrets."""
    for answer in answers:
        text = answer.body.decode() + str(dict(answer.headers))
        assert not any(canary in text for canary in rig.CANARIES), text
    weir_log = weir.log()
    assert not any(canary in weir_log for canary in rig.CANARIES), weir_log


def answered(answer):
    assert answer.status == 200, answer
    assert answer.json()['choices'][0]['message']['content'] == TEXT


# -- the three kinds

@pytest.mark.parametrize('how', ['text', 'mapping', 'path'])
def test_service_account(start, site, folder, how):
    """The simulator checks the assertion: signature, key id, issuer, scope, audience, instants."""
    account = service_account(site)
    if how == 'path':
        path = os.path.join(folder, f'{uuid.uuid4().hex}.json')
        with open(path, 'w', encoding='utf-8') as file:
            json.dump(account, file)
        row = vertex(site, path)
    else:
        row = vertex(site, account)
        if how == 'mapping':
            row['litellm_params']['vertex_credentials'] = account
    weir = gateway(start, row)
    answered(weir.chat('m'))
    answered(weir.chat('m'))
    assert len(token_calls(site)) == 1, 'one token serves both'
    first, second = calls(site)
    assert first['target'] == f'/v1/projects/mock-project/locations/us-central1/publishers/google/models/{MODEL}:generateContent'
    assert first['header']['authorization'].startswith(f'Bearer {TOKEN_MARK}')
    assert first['header']['authorization'] == second['header']['authorization']
    assert 'x-goog-api-key' not in first['header']
    no_secret(weir)


def test_project_of_the_account(start, site):
    weir = gateway(start, vertex(site, service_account(site, project_id='its-own'), vertex_project=None))
    answered(weir.chat('m'))
    assert '/projects/its-own/' in calls(site)[0]['target']


def test_authorized_user(start, site):
    weir = gateway(start, vertex(site, person(site)))
    answered(weir.chat('m'))
    call, = token_calls(site)
    assert b'grant_type=refresh_token' in call['body']
    assert calls(site)[0]['header']['x-goog-user-project'] == 'quota-project'
    no_secret(weir)


def test_gcloud_file(start, site, folder):
    """application_default_credentials.json, where gcloud writes it."""
    config = os.path.join(folder, uuid.uuid4().hex)
    os.makedirs(config)
    with open(os.path.join(config, 'application_default_credentials.json'), 'w', encoding='utf-8') as file:
        json.dump(person(site), file)
    weir = gateway(start, vertex(site), env={'CLOUDSDK_CONFIG': config, 'GOOGLE_APPLICATION_CREDENTIALS': None})
    answered(weir.chat('m'))


def test_named_by_the_environment(start, site, folder):
    path = os.path.join(folder, f'{uuid.uuid4().hex}.json')
    with open(path, 'w', encoding='utf-8') as file:
        json.dump(service_account(site), file)
    weir = gateway(start, vertex(site), env={'GOOGLE_APPLICATION_CREDENTIALS': path})
    answered(weir.chat('m'))


def metadata(start, site, folder, **env):
    nowhere = os.path.join(folder, uuid.uuid4().hex)
    return gateway(start, vertex(site), env={
        'GCE_METADATA_HOST': f'127.0.0.1:{site.port}', 'CLOUDSDK_CONFIG': nowhere, 'HOME': nowhere,
        'GOOGLE_APPLICATION_CREDENTIALS': None, **env})


def test_metadata_server(start, site, folder):
    weir = metadata(start, site, folder)
    answered(weir.chat('m'))
    call, = token_calls(site)
    assert call['header']['metadata-flavor'] == 'Google' and call['method'] == 'GET'
    no_secret(weir)


def test_metadata_server_fails(start, site, folder):
    rig.request(site.port, 'PUT', '/__mock/google/metadata', b'status=404')
    weir = metadata(start, site, folder)
    answer = weir.chat('m')
    assert answer.status == 502 and 'metadata server' in answer.error['message'], answer
    assert 'vertex_credentials' in answer.error['message'], 'says what to do'
    assert not calls(site)


def test_express_mode(start, site):
    """An API key, no project: the short path."""
    weir = gateway(start, vertex(site, api_key=rig.UPSTREAM))
    answered(weir.chat('m'))
    call, = calls(site)
    assert call['target'] == f'/v1/publishers/google/models/{MODEL}:generateContent'
    assert call['header']['x-goog-api-key'] == rig.UPSTREAM and 'authorization' not in call['header']
    assert not token_calls(site)


def test_claude(start, site):
    weir = gateway(start, vertex(site, service_account(site), model='claude-sonnet-4-5@20250929', vertex_location='global'))
    answered(weir.chat('m'))
    call, = calls(site)
    assert call['target'].split('?')[0] == ('/v1/projects/mock-project/locations/global/publishers/anthropic/models/'
                                            'claude-sonnet-4-5@20250929:rawPredict')
    body = json.loads(call['body'])
    assert body['anthropic_version'] == 'vertex-2023-10-16' and 'model' not in body
    assert 'anthropic-version' not in call['header'] and 'x-api-key' not in call['header']


def test_tuned_model(start, site):
    weir = gateway(start, vertex(site, service_account(site), model='1234567890'))
    answered(weir.chat('m'))
    assert calls(site)[0]['target'] == '/v1/projects/mock-project/locations/us-central1/endpoints/1234567890:generateContent'


# -- the token's life

def test_one_fetch_for_many(start, site):
    """Requests that come while the token is fetched wait for it; nobody asks again."""
    weir = gateway(start, vertex(site, service_account(site, 'latency=400')))
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        for answer in pool.map(lambda _: weir.chat('m'), range(12)):
            answered(answer)
    assert len(token_calls(site)) == 1 and len(calls(site)) == 12


def test_expired(start, site):
    """A token of a second is not used after it."""
    weir = gateway(start, vertex(site, service_account(site, 'life=2')))
    answered(weir.chat('m'))
    time.sleep(1.2)
    answered(weir.chat('m'))
    assert len(token_calls(site)) == 2
    assert len(calls(site)) == 2, 'nothing was sent with an old token'


@pytest.mark.parametrize('stream', [False, True], ids=['whole', 'stream'])
def test_revoked(start, site, stream):
    """A token that is no longer taken: one more, once; the client sees nothing of it."""
    weir = gateway(start, vertex(site, service_account(site)))
    answered(weir.chat('m'))
    rig.request(site.port, 'POST', '/__mock/google/revoke')
    answer = weir.chat('m', stream=stream)
    assert answer.status == 200 and (b'[DONE]' in answer.body) == stream, answer
    assert len(token_calls(site)) == 2 and len(calls(site)) == 3
    no_secret(weir, answer)


def test_refused_for_good(start, site):
    """The token is good, and the provider says no all the same: one more try, then an error that tells who must act."""
    weir = gateway(start, vertex(site, service_account(site), model=f'{MODEL}-mock:status=401'))
    answer = weir.chat('m')
    assert answer.status == 502 and answer.error['code'] == 'upstream_auth', answer
    assert len(calls(site)) == 2 and len(token_calls(site)) == 2
    weir.chat('m')
    assert len(token_calls(site)) == 2, 'a client cannot make the gateway fetch tokens without end'
    no_secret(weir, answer)


def test_accounts_apart(start, site):
    """Two deployments, two accounts: no token serves the other's."""
    weir = gateway(start, vertex(site, service_account(site), name='a'), vertex(site, service_account(site), name='b'))
    answered(weir.chat('a'))
    answered(weir.chat('b'))
    first, second = calls(site)
    assert first['header']['authorization'] != second['header']['authorization'] and len(token_calls(site)) == 2


def test_shared_account(start, site):
    account = service_account(site)
    weir = gateway(start, vertex(site, account, name='a'), vertex(site, account, name='b', vertex_location='global'))
    answered(weir.chat('a'))
    answered(weir.chat('b'))
    assert len(token_calls(site)) == 1


def test_reload_keeps_the_token(start, site):
    row = vertex(site, service_account(site))
    weir = gateway(start, row)
    answered(weir.chat('m'))
    weir.write(rig.config([row, vertex(site, service_account(site), name='other')]))
    weir.signal(signal.SIGHUP)
    rig.wait_for(lambda: weir.chat('other').status == 200)
    answered(weir.chat('m'))
    assert len(token_calls(site)) == 2, 'one is of the new account'


# -- when there is none

@pytest.mark.parametrize('items,says', [
    ('status=400', 'invalid_grant'), ('status=503', '503'), ('html', 'not a JSON object'),
    ('badjson', 'not a JSON object'), ('life=1', 'expired already'),
    ('status=400,echo-auth', 'invalid_grant')], ids=['refused', 'down', 'html', 'broken', 'stillborn', 'echo'])
def test_no_token(start, site, items, says):
    weir = gateway(start, vertex(site, service_account(site, items)))
    answer = weir.chat('m')
    assert answer.status == 502 and answer.error['type'] == 'server_error', answer
    assert answer.error['code'] == 'upstream_auth' and says in answer.error['message']
    assert not calls(site), 'nothing is sent without a credential'
    no_secret(weir, answer)
    stream = weir.chat('m', stream=True)
    assert stream.status == 502
    assert len(token_calls(site)) == 1, 'the next request does not ask at once again'


def test_stranger(start, site):
    """An account that Google does not know; a key that is not the account's."""
    weir = gateway(start, vertex(site, service_account(site, known=False)))
    answer = weir.chat('m')
    assert answer.status == 502 and 'invalid_grant' in answer.error['message']
    assert 'clock' in answer.error['message'], 'names the usual causes'


def test_wrong_refresh_token(start, site):
    weir = gateway(start, vertex(site, person(site, refresh_token='1//another')))
    answer = weir.chat('m')
    assert answer.status == 502 and 'gcloud auth application-default login' in answer.error['message']
    no_secret(weir, answer)


def test_token_endpoint_unreachable(start, site):
    account = service_account(site, token_uri=f'http://127.0.0.1:{rig.refusing_port()}/token')
    weir = gateway(start, vertex(site, account))
    answer = weir.chat('m')
    assert answer.status == 502 and 'could not be reached' in answer.error['message']


def test_recovers(start, site):
    """A token endpoint that fails once: asked again after its pause, and all is well."""
    weir = gateway(start, vertex(site, service_account(site, 'status=503,times=1')))
    assert weir.chat('m').status == 502
    answered(rig.wait_for(lambda: (lambda a: a if a.status == 200 else None)(weir.chat('m')), 5, 0.2))
    assert len(token_calls(site)) == 2


@pytest.mark.parametrize('change,says', [
    ({'private_key': None}, 'private_key'), ({'private_key': 'x'}, 'private_key'), ({'client_email': ''}, 'client_email'),
    ({'type': 'external_account'}, 'external_account'), ({'token_uri': 'http://198.51.100.7/token'}, 'https://')],
    ids=['no-key', 'broken-key', 'no-email', 'type', 'plain-http'])
def test_bad_file(start, site, change, says):
    """The other deployments are served; this one says what is wrong with its file."""
    account = {k: v for k, v in {**service_account(site), **change}.items() if v is not None}
    weir = gateway(start, vertex(site, account, name='bad'), vertex(site, service_account(site), name='good'))
    answered(weir.chat('good'))
    answer = weir.chat('bad')
    assert answer.status >= 400 and says in answer.error['message'], answer
    no_secret(weir, answer)
    assert len(token_calls(site)) == 1


def test_missing_file(start, site, folder):
    weir = gateway(start, vertex(site, os.path.join(folder, 'nowhere.json')))
    answer = weir.chat('m')
    assert answer.status >= 400 and 'no such file' in answer.error['message']


def test_weak_key(start, site):
    private, _ = key_pair(1024)
    weir = gateway(start, vertex(site, service_account(site, private_key=private)))
    answer = weir.chat('m')
    assert answer.status >= 400 and '2048' in answer.error['message'].replace(',', '')


# -- what the client may not

@pytest.mark.parametrize('member', ['vertex_credentials', 'vertex_project', 'vertex_location', 'api_base', 'api_key'])
def test_client_names_none(start, site, member):
    """No request chooses a credential, a project or a destination."""
    weir = gateway(start, vertex(site, service_account(site)))
    elsewhere = f'http://127.0.0.1:{rig.refusing_port()}'
    weir.chat('m', **{member: json.dumps(service_account(site)) if 'cred' in member else elsewhere})
    for call in calls(site):
        assert '/projects/mock-project/locations/us-central1/' in call['target'] and elsewhere not in str(call)
        assert member.encode() not in call['body']
    assert len(token_calls(site)) <= 1


def test_leaving_while_waiting(start, site):
    """A client that leaves while its token is fetched: nothing is sent for it, and the next one is served."""
    weir = gateway(start, vertex(site, service_account(site, 'latency=1200,times=1')))
    body = json.dumps({'model': 'm', 'messages': [{'role': 'user', 'content': 'Hello'}]})
    with socket.create_connection(('127.0.0.1', weir.port)) as s:
        s.sendall((f'POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {rig.MASTER}\r\n'
                   f'Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}').encode())
        rig.wait_for(lambda: token_calls(site))
    answered(weir.chat('m'))
    assert len(calls(site)) == 1


def test_stopping_while_waiting(start, site):
    weir = gateway(start, vertex(site, service_account(site, 'latency=60000')))
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(weir.chat, 'm', headers={'x-litellm-timeout': '1'})
        assert waiting.result().status == 408


def test_secrets_are_looked_for():
    """What the rig looks for in every log, and these tests in every answer."""
    assert {CLIENT_SECRET, REFRESH_TOKEN, TOKEN_MARK} <= set(rig.CANARIES)
    assert any(canary in key_pair()[0] for canary in rig.CANARIES)
