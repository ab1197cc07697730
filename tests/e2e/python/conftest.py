import contextlib
import os

import pytest

import rig


def pytest_configure(config):
    config.addinivalue_line('markers', 'long: takes more than a few seconds; run by make test-long')
    config.addinivalue_line('markers', 'workers: several workers at once; run with ThreadSanitizer too')


@pytest.fixture(scope='session')
def folder(tmp_path_factory):
    return str(tmp_path_factory.mktemp('e2e'))


@pytest.fixture(scope='session')
def replay(folder):
    """The folder of the simulator's recordings; tests write theirs into it."""
    path = os.path.join(folder, 'replay')
    os.makedirs(path)
    for name, content in recordings().items():
        with open(os.path.join(path, 'recorded-' + name), 'wb') as file:
            file.write(content)
    return path


CHUNK = b'{"id":"chatcmpl-s","object":"chat.completion.chunk","created":1790000000,"model":"gpt-4.1-2025","choices":[%s],"usage":%s}\n'
# In the shape of a provider's recorded answers, for where there are none.
SAMPLES = {
    'sample.json': b"""{
  "id": "chatcmpl-s", "object": "chat.completion", "created": 1790000000, "model": "gpt-4.1-2025",
  "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi \\ud83d\\ude00"}, "finish_reason": "stop"}],
  "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11, "vendor": {"model": "x"}}
}
""",
    'sample.chunks.txt': b''.join([
        CHUNK % (b'{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}', b'null'),
        CHUNK % (b'{"index":0,"delta":{"content":"Hi"},"logprobs":null,"finish_reason":null}', b'null'),
        CHUNK % (b'{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}', b'null'),
        CHUNK % (b'', b'{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11}')]),
    'sample-error.json': b'{"error":{"message":"No.","type":"invalid_request_error","param":"max_tokens","code":"unsupported_parameter"}}',
}


def recorded_answers(api):
    """name -> bytes: recorded answers of this API, where there are some: in the folder that WEIR_RECORDINGS names, else in a folder
    `shared/recordings` beside the checkout."""
    root = os.environ.get('WEIR_SOURCE_ROOT') or os.path.join(os.path.dirname(__file__), '..', '..', '..')
    folder = os.path.join(os.environ.get('WEIR_RECORDINGS') or os.path.join(root, '..', 'shared', 'recordings'), api)
    found = {}
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
        with open(os.path.join(folder, name), 'rb') as file:
            found[name] = file.read()
    return found


def recordings():
    """The samples, and recorded answers of chat completions."""
    return {**SAMPLES, **recorded_answers('openai-chat')}


@pytest.fixture(scope='session')
def invoice_file(folder):
    return os.path.join(folder, 'invoice.jsonl')


@pytest.fixture(scope='session')
def mock(folder, replay, invoice_file):
    server = rig.Mock(folder, '--replay', replay, '--invoice', invoice_file)
    yield server
    server.stop()


@pytest.fixture(scope='session')
def weir(folder, mock):
    """One weir for all tests that need no config of their own."""
    server = rig.Weir(folder, rig.config([
        rig.deployment('mock/*', 'openai/*', mock.base),
        rig.deployment('gpt-4.1', 'openai/gpt-4.1', mock.base, info={'id': 'deployment-one'}),
        rig.deployment('text-embedding-3-small', 'openai/text-embedding-3-small', mock.base,
                       info={'mode': 'embedding'}),
        rig.deployment('gpt-3.5-turbo-instruct', 'openai/gpt-3.5-turbo-instruct', mock.base),
        rig.deployment('unreachable', 'openai/gpt-4.1', f'http://127.0.0.1:{rig.refusing_port()}/v1'),
    ], weir_settings={'drain_timeout': 5}))
    yield server
    server.stop()


@pytest.fixture
def start(folder):
    """Starts servers that a test needs for itself; they are stopped, and checked, at its end."""
    servers = []

    def starter(*arguments, kind=rig.Weir, **more):
        server = kind(folder, *arguments, **more)
        servers.append(server)
        return server
    yield starter
    with contextlib.ExitStack() as all_of_them:  # one that fails its check keeps no other running
        for server in servers:
            all_of_them.callback(server.stop)
