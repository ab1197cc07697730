"""What Claude alone does, in OpenAI's words; the rest is in test_translate.py."""
import json
import re

import pytest

import rig

FAST = 'fast-mode-2026-02-01'
BOTH = pytest.mark.parametrize('stream', [False, True], ids=['whole', 'stream'])


@pytest.fixture(scope='module')
def weir(folder, mock):
    base = f'http://127.0.0.1:{mock.port}'
    rows = [rig.deployment('plain/*', 'anthropic/*', base),
            rig.deployment('beta/*', 'anthropic/*', base, extra_headers={'Anthropic-Beta': f'one-2026-01-01 , {FAST},one-2026-01-01'})]
    server = rig.Weir(folder, rig.config(rows))
    yield server
    server.stop()


@pytest.fixture
def ask(weir, mock):
    """(answer, what was sent)"""
    def asker(items='', group='plain', model='claude-opus-4-8', **members):
        script, mark = rig.script(items)
        answer = weir.chat(f'{group}/{model}-{script.removeprefix("mock/")}', **members)
        return answer, mock.one(mark)
    return asker


def betas(sent):
    return [value for name, value in sent['headers'] if name.lower() == 'anthropic-beta']


def test_betas(ask):
    """Fast mode needs its beta; a deployment's own betas come beside it, each once."""
    answer, sent = ask()
    assert answer.status == 200 and betas(sent) == []
    _, sent = ask(service_tier='fast')      # the simulator is one of an account without fast mode
    assert betas(sent) == [FAST] and json.loads(sent['body'])['speed'] == 'fast'
    answer, sent = ask(group='beta')
    assert answer.status == 200 and betas(sent) == [f'one-2026-01-01 , {FAST},one-2026-01-01'], 'as it was written'
    _, sent = ask(group='beta', service_tier='fast')
    assert betas(sent) == [f'{FAST},one-2026-01-01']


CONTEXT, MCP = 'context-management-2025-06-27', 'mcp-client-2025-11-20'


def test_betas_of_members(ask):
    """A member of the beta API goes with the header that it is taken with; the client may name another date of it, and more."""
    members = {'context_management': {'edits': []}, 'mcp_servers': []}
    answer, sent = ask(**members)
    assert answer.status == 200 and betas(sent) == [f'{CONTEXT},{MCP}'], answer.body
    answer, sent = ask(headers={'anthropic-beta': f'mcp-client-2025-04-04, x-2026-01-01,{CONTEXT}'}, **members)
    assert betas(sent) == [f'{CONTEXT},mcp-client-2025-04-04,x-2026-01-01']
    _, sent = ask(headers={'anthropic-beta': 'x-2026-01-01'}, group='beta')
    assert betas(sent) == ['x-2026-01-01,one-2026-01-01,' + FAST]


@BOTH
def test_answer_fidelity(ask, weir, stream):
    """What of an answer has no place in OpenAI's words stands in the log, and of a whole one in the header."""
    answer, _ = ask('citations', model='claude-sonnet-4-5', stream=stream, web_search_options={})
    line = weir.wait_log(r'^.*\bid=' + answer.headers['x-litellm-call-id'] + r'\b.*$').group(0)
    assert answer.status == 200
    fidelity = answer.headers['x-weir-fidelity']
    assert fidelity == 'degraded=web_search' if stream else re.fullmatch(r'degraded=web_search; dropped=(.*,)?server_tools(,.*)?', fidelity), fidelity
    assert re.search(r' answer_fidelity="[^"]*\bserver_tools\b', line), line
