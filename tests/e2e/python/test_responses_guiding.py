"""The guiding case to the letter: the config without any address, as a guide prints it, behind a company's proxy and its authority.

Every provider is asked at its own name and port 443; the proxy leads all of them to the simulator, whose certificate bears
their names.
"""
import json

import openai
import pytest

import responses_rig
import rig
import tls
from providers import TEXT
from responses_rig import GUIDE_KEY, no_canary

CONFIG = """
model_list:
  - model_name: openai-default
    litellm_params:
      model: openai/gpt-4.1
      api_key: os.environ/OPENAI_API_KEY
  - model_name: claude-default
    litellm_params:
      model: anthropic/claude-sonnet-4-5
      api_key: os.environ/ANTHROPIC_API_KEY
  - model_name: gemini-default
    litellm_params:
      model: vertex_ai/gemini-2.5-flash
      vertex_project: p
      vertex_location: us-central1

litellm_settings:
  master_key: sk-your-litellm-master-key
"""
HOSTS = {'openai-default': 'api.openai.com', 'claude-default': 'api.anthropic.com',
         'gemini-default': 'us-central1-aiplatform.googleapis.com'}
TOKENS = 'oauth2.googleapis.com'
NAMES = pytest.mark.parametrize('model', HOSTS)


@pytest.fixture(scope='module')
def authority(folder):
    return tls.Authority(folder, 'Company-CA')


@pytest.fixture(scope='module')
def internet(folder, authority):
    """The simulator under the names of all providers."""
    names = ','.join(f'DNS:{host}' for host in (*HOSTS.values(), TOKENS))
    cert, key = authority.leaf('internet', names)
    server = rig.Mock(folder, '--tls-cert', cert, '--tls-key', key, tls=True)
    yield server
    server.stop()


@pytest.fixture(scope='module')
def proxy(internet):
    made = tls.Proxy(port=internet.port)
    yield made
    made.close()


@pytest.fixture(scope='module')
def gateway(folder, internet, authority, proxy):
    account = responses_rig.account_file(folder, internet, token_uri=f'https://{TOKENS}/google/token')
    server = rig.Weir(folder, CONFIG, env={
        'OPENAI_API_KEY': rig.UPSTREAM, 'ANTHROPIC_API_KEY': rig.UPSTREAM, 'GOOGLE_APPLICATION_CREDENTIALS': account,
        'HTTPS_PROXY': f'http://127.0.0.1:{proxy.port}', 'SSL_CERT_FILE': authority.cert})
    yield server
    server.stop()


@pytest.fixture(scope='module')
def client(gateway):
    with openai.OpenAI(api_key=GUIDE_KEY, base_url=f'http://127.0.0.1:{gateway.port}', max_retries=0) as made:
        yield made


@NAMES
def test_create(client, model, proxy):
    """What the guide tells its reader to type."""
    response = client.responses.create(model=model, input='Hello')
    assert (response.output_text, response.model, response.status) == (TEXT, model, 'completed')
    assert ('CONNECT', f'{HOSTS[model]}:443') in proxy.asked


@NAMES
def test_stream(client, model):
    text, kinds = '', []
    for event in client.responses.create(model=model, input='Hello', stream=True):
        kinds.append(event.type)
        if event.type == 'response.output_text.delta':
            text += event.delta
    assert text == TEXT and kinds[0] == 'response.created' and kinds[-1] == 'response.completed'


@NAMES
def test_follow_up(client, model):
    first = client.responses.create(model=model, input='One')
    second = client.responses.create(model=model, input='Two', previous_response_id=first.id)
    assert second.output_text == TEXT and second.previous_response_id == first.id
    assert client.responses.retrieve(second.id).output_text == TEXT


@NAMES
def test_chat(client, model):
    """The same three names, asked with chat completions."""
    answer = client.chat.completions.create(model=model, messages=[{'role': 'user', 'content': 'Hello'}])
    assert answer.choices[0].message.content == TEXT


def test_nobody_else_was_asked(client, proxy, internet):
    for model in HOSTS:
        client.responses.create(model=model, input='Hello')
    assert {target for _, target in proxy.asked} == {f'{host}:443' for host in (*HOSTS.values(), TOKENS)}
    for row in internet.seen():
        assert GUIDE_KEY not in json.dumps(row['header']), "the client's key went to a provider"


def test_without_the_key(gateway):
    for key in ('sk-another', rig.UPSTREAM):
        with openai.OpenAI(api_key=key, base_url=gateway.base, max_retries=0) as stranger, \
                pytest.raises(openai.AuthenticationError) as raised:
            stranger.responses.create(model='openai-default', input='Hello')
        no_canary(str(raised.value))
