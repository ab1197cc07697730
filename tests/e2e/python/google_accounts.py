"""Google credentials for tests: a service account that the simulator knows, and what gcloud keeps of a person."""
import functools
import json
import subprocess
import uuid

import rig

# What may stand nowhere but in a request to the token endpoint, or to the provider.
CLIENT_SECRET = 'GOCSPX-canary-7f31b6d2e9'
REFRESH_TOKEN = '1//canary-refresh-90ab34cd71'
TOKEN_MARK = 'ya29.mock-'
rig.CANARIES += (CLIENT_SECRET, REFRESH_TOKEN, TOKEN_MARK)


@functools.cache
def key_pair(bits=2048):
    """(private, public) in PEM."""
    def openssl(*arguments, **more):
        return subprocess.run(['openssl', *arguments], check=True, capture_output=True, **more).stdout
    private = openssl('genpkey', '-algorithm', 'RSA', '-pkeyopt', f'rsa_keygen_bits:{bits}', stdin=subprocess.DEVNULL)
    rig.CANARIES += (private.decode().split('\n')[5],)
    return private.decode(), openssl('pkey', '-pubout', input=private).decode()


def service_account(mock, script='', known=True, **members):
    """A service account's key file, as a dict. `script`: what the token endpoint is to do."""
    private, public = key_pair()
    email = f'{uuid.uuid4().hex[:12]}@mock-project.iam.gserviceaccount.com'
    if known:
        answer = rig.request(mock.port, 'PUT', f'/__mock/google/accounts/{email}?kid=kid-{email[:6]}', public.encode(),
                             tls=mock.tls)
        assert answer.status == 200, answer
    return {'type': 'service_account', 'project_id': 'mock-project', 'private_key_id': f'kid-{email[:6]}',
            'private_key': private, 'client_email': email, 'client_id': '1',
            'token_uri': f'http://127.0.0.1:{mock.port}/google/token' + (f'/{script}' if script else ''), **members}


def person(mock, **members):
    """What `gcloud auth application-default login` writes."""
    client_id = f'{uuid.uuid4().hex[:12]}.apps.googleusercontent.com'
    body = json.dumps({'client_secret': CLIENT_SECRET, 'refresh_token': REFRESH_TOKEN}).encode()
    assert rig.request(mock.port, 'PUT', f'/__mock/google/users/{client_id}', body).status == 200
    return {'type': 'authorized_user', 'client_id': client_id, 'client_secret': CLIENT_SECRET,
            'refresh_token': REFRESH_TOKEN, 'quota_project_id': 'quota-project',
            'token_uri': f'http://127.0.0.1:{mock.port}/google/token', **members}


def vertex_params(mock):
    """litellm_params of a deployment on Vertex AI."""
    return {'api_key': None, 'vertex_project': 'mock-project', 'vertex_location': 'europe-west4',
            'vertex_credentials': json.dumps(service_account(mock))}
