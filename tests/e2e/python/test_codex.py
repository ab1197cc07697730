"""Codex, OpenAI's agent for the command line, with weir as its provider: it is told to run a command, runs it, and reports.

It speaks Responses alone, streams, stores nothing, and resends all items with what it was given of their reasoning.
"""
import json
import os
import platform
import subprocess
import uuid

import pytest

import responses_rig
import rig
from providers import TOOLS
from responses_rig import ALIASES, THINKERS, no_canary, script

pytestmark = pytest.mark.long

CLIENTS = os.path.join(os.path.dirname(__file__), '..', 'clients', 'node_modules')
COMMAND = 'expr 40 + 2 | tee found.txt'


def codex_program():
    kind = {'x86_64': ('linux-x64', 'x86_64-unknown-linux-musl'),
            'aarch64': ('linux-arm64', 'aarch64-unknown-linux-musl')}[platform.machine()]
    path = os.path.join(CLIENTS, '@openai', f'codex-{kind[0]}', 'vendor', kind[1], 'bin', 'codex')
    assert os.access(path, os.X_OK), f'no {path}; run: tools/deps clients'
    return os.path.abspath(path)


@pytest.fixture(scope='module')
def gateway(folder, mock):
    server = responses_rig.start(folder, mock)
    yield server
    server.stop()


@pytest.fixture(scope='module')
def lenient(folder, mock):
    """What one configures for clients that send more than each provider has."""
    server = responses_rig.start(folder, mock, litellm_settings={'drop_params': True})
    yield server
    server.stop()


def model_of(a):
    """Codex asks for encrypted reasoning always, which OpenAI refuses with models that do not reason."""
    return a.thinker if a.native else a.name


class Run:
    """`codex exec --json`, its settings in a home of its own."""

    def __init__(self, folder, gateway, model, items, settings=''):
        home = os.path.join(folder, f'codex-{uuid.uuid4().hex[:8]}')
        self.work = os.path.join(home, 'work')
        os.makedirs(self.work)
        headers, self.mark = script(items)
        pairs = ', '.join(f'{json.dumps(name)} = {json.dumps(value)}' for name, value in headers.items())
        with open(os.path.join(home, 'config.toml'), 'w', encoding='utf-8') as file:
            # What it runs is the tests' own and needs no sandbox.
            file.write(f'''
model = "{model}"
model_provider = "weir"
approval_policy = "never"
sandbox_mode = "danger-full-access"
check_for_update_on_startup = false
{settings}
[analytics]
enabled = false
[model_providers.weir]
name = "weir"
base_url = "{gateway.base}"
env_key = "WEIR_KEY"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 0
http_headers = {{ {pairs} }}
''')
        # It looks for plugins elsewhere: the proxy, on a port where nobody is, keeps it on this machine.
        env = rig.environment({'HOME': home, 'CODEX_HOME': home, 'WEIR_KEY': rig.MASTER, 'NO_PROXY': '127.0.0.1',
                               'HTTPS_PROXY': f'http://127.0.0.1:{rig.refusing_port()}'})
        self.done = subprocess.run([codex_program(), 'exec', '--json', '--skip-git-repo-check', 'Compute.'], cwd=self.work, env=env,
                                   stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False)
        self.out = self.done.stdout.decode()
        no_canary(self.out + self.done.stderr.decode())
        self.events = [json.loads(line) for line in self.out.splitlines()]
        self.items = [e['item'] for e in self.events if e['type'] == 'item.completed']

    def of(self, kind):
        return [item for item in self.items if item['type'] == kind]

    def check(self):
        """One command, run as the model wrote it, its output told by the model in the end."""
        assert self.done.returncode == 0, self.out
        command, = self.of('command_execution')
        assert COMMAND in command['command'] and (command['exit_code'], command['aggregated_output']) == (0, '42\n')
        with open(os.path.join(self.work, 'found.txt'), encoding='utf-8') as file:
            assert file.read() == '42\n'
        message = self.of('agent_message')[-1]['text']
        assert message.startswith(TOOLS) and '42' in message.split()
        end = self.events[-1]
        assert end['type'] == 'turn.completed' and end['usage']['output_tokens'] > 0


CALL = f'call=exec_command({json.dumps({"cmd": COMMAND})})'
# What a user writes for models that have no tools of OpenAI's own service.
PLAIN = 'web_search = "disabled"\nmodel_reasoning_summary = "none"\n'
ALONE = '[agents]\nenabled = false\n'


@pytest.mark.parametrize('a', ALIASES, ids=lambda a: a.name)
def test_shell_loop(folder, gateway, mock, a):
    run = Run(folder, gateway, model_of(a), CALL, PLAIN + ALONE)
    run.check()
    first, second = mock.seen(run.mark)
    assert first['target'] == second['target'] == a.stream_path
    assert rig.MASTER not in str(first) + str(second)


@pytest.mark.parametrize('a', ALIASES, ids=lambda a: a.name)
def test_as_it_comes(folder, lenient, a):
    """Without settings of its own it sends a web search, tools in a namespace, and data about itself."""
    run = Run(folder, lenient, model_of(a), CALL)
    run.check()


@pytest.mark.parametrize('a', THINKERS, ids=lambda a: a.name)
def test_reasoning(folder, gateway, a):
    """Summaries are shown; the reasoning's state, which Codex cannot read, comes back to the provider as it was."""
    settings = 'web_search = "disabled"\nmodel_reasoning_effort = "low"\nmodel_reasoning_summary = "auto"\n'
    run = Run(folder, gateway, a.thinker, CALL, settings + ALONE)
    run.check()
    assert run.of('reasoning')


@pytest.mark.parametrize('a', ALIASES, ids=lambda a: a.name)
def test_provider_that_fails(folder, gateway, a):
    run = Run(folder, gateway, model_of(a), 'status=400', PLAIN + ALONE)
    assert run.done.returncode != 0 and not run.of('command_execution')
    assert run.events[-1]['type'] in ('turn.failed', 'error')
