"""What a client of the Responses API is told of losses, refusals and failures: in the words of its own API, whatever the provider speaks."""
import json
import uuid

import pytest

import rig
from responses_rig import CHAT, CLAUDE, GEMINI, script
from responses_state import BRIDGED, config, each, events, post, refused, sent
from test_passthrough import fixture

STRICT = {'x-weir-strict': '1'}
MCP = {'type': 'mcp_call', 'id': 'mcp_1', 'server_label': 's', 'name': 'roll', 'arguments': '{}', 'output': '4'}


@pytest.fixture(scope='module')
def weir(folder, mock):
    server = rig.Weir(folder, config(folder, mock))
    yield server
    server.stop()


# -- losses

@each('a', BRIDGED)
def test_truncation(weir, mock, a):
    headers, mark = script()
    answer = post(weir, a.name, headers=headers, truncation='auto')
    assert answer.status == 200 and 'truncation' in answer.headers['x-weir-fidelity'], answer
    assert answer.json()['truncation'] == 'disabled' and 'truncation' not in sent(mock, mark)
    refused(400, post(weir, a.name, truncation='auto', headers=STRICT), 'truncation')
    assert post(weir, a.name, truncation='disabled', headers=STRICT).status == 200


@each('a', BRIDGED)
def test_what_tools_of_openai_did(weir, mock, a):
    headers, mark = script()
    items = [{'role': 'user', 'content': 'Roll.'}, MCP, {'role': 'assistant', 'content': 'A 4.'}, {'role': 'user', 'content': 'Again.'}]
    answer = post(weir, a.name, items, headers)
    assert answer.status == 200 and answer.headers['x-weir-fidelity'] == 'dropped=builtin_tools', answer
    assert 'mcp' not in sent(mock, mark)
    refused(400, post(weir, a.name, items, STRICT), 'input[1]', text='`input[1]`')


@each('a', [CLAUDE, GEMINI])
@each('members, param', [
    ({'input': [{'role': 'user', 'content': [{'type': 'input_image', 'detail': 'high', 'image_url': 'data:image/png;base64,iVBORw0KGgo='}]}]},
     'input.content.detail'),
    ({'text': {'format': {'type': 'json_schema', 'name': 'n', 'description': 'd', 'schema': {'type': 'object', 'properties': {}}}}},
     'text.format.description'),
    ({'text': {'format': {'type': 'text', 'flavour': 1}}}, 'text.format.flavour'),
    ({'text': {'tone': 'dry'}}, 'text.tone'),
    ({'reasoning': {'depth': 3}}, 'reasoning.depth'),
    ({'input': [{'type': 'reasoning', 'summary': [{'type': 'summary_text', 'text': 'Hm.'}]}, {'role': 'assistant', 'content': 'x'},
                {'role': 'user', 'content': 'y'}]}, 'input'),
], ids=['detail', 'description', 'format', 'text', 'reasoning', 'state'])
def test_members_of_strict_refusals(weir, a, members, param):
    error = post(weir, a.name, **{'input': 'Hello', **members}, headers=STRICT).error
    assert error['param'].startswith(param) and 'messages' not in error['message'], error


@each('members, param', [({'top_logprobs': 3}, 'top_logprobs'), ({'include': ['message.output_text.logprobs']}, 'include')])
def test_log_probabilities(weir, members, param):
    refused(400, post(weir, CLAUDE.name, **members), param, text=f'`{param}`')


# -- failures of the provider

@each('a, error, param', [
    (CLAUDE, {'type': 'error', 'error': {'type': 'invalid_request_error', 'message': 'max_tokens: 9 > 8, which is the maximum'}}, None),
    (CHAT, {'error': {'message': 'max_tokens must be less than 9', 'type': 'invalid_request_error', 'param': 'max_tokens'}}, 'max_output_tokens'),
    (CHAT, {'error': {'message': 'max_completion_tokens is too large', 'param': 'max_completion_tokens'}}, 'max_output_tokens'),
], ids=['claude', 'chat', 'chat-newer'])
def test_limits_that_the_provider_refuses(weir, replay, a, error, param):
    name = fixture(replay, '.json', json.dumps(error).encode())
    answer = post(weir, a.name, headers=script(f'status=400,fixture={name}')[0])
    refused(400, answer, param, text='max_output_tokens')
    assert 'max_tokens' not in answer.error['message'] and 'max_completion_tokens' not in answer.error['message']


def test_messages_that_the_provider_refuses(weir, replay):
    """Its messages are not the client's items: the place is not told."""
    name = fixture(replay, '.json', b'{"error":{"message":"Bad message.","type":"invalid_request_error","param":"messages[4].content"}}')
    refused(400, post(weir, CHAT.name, headers=script(f'status=400,fixture={name}')[0]), 'input', text='Bad message.')


def test_chat_keeps_the_names(weir, replay):
    name = fixture(replay, '.json', b'{"error":{"message":"max_tokens is too large","type":"invalid_request_error","param":"max_tokens"}}')
    answer = weir.chat(CHAT.name, headers=script(f'status=400,fixture={name}')[0])
    refused(400, answer, 'max_tokens', text='max_tokens is too large')


@each('a', BRIDGED)
def test_what_was_said_before_a_failure(weir, a):
    last = events(post(weir, a.name, headers=script('error-event=3')[0], stream=True))
    failed = next(e for e in last if e['type'] == 'response.failed')['response']
    deltas = ''.join(e['delta'] for e in last if e['type'] == 'response.output_text.delta')
    assert deltas and [i['content'][0]['text'] for i in failed['output'] if i['type'] == 'message'] == [deltas], failed


# -- paths

@each('path, methods', [('/v1/responses/resp_1', 'GET, DELETE'), ('/v1/responses', 'POST'), ('/v1/chat/completions', 'POST')])
def test_methods_that_a_path_takes(weir, path, methods):
    answer = weir.call('PUT', path, {})
    assert answer.status == 405 and f'{path} takes {methods}, not PUT.' in answer.error['message'], answer


def test_an_id_with_a_zero_byte(weir):
    tail = uuid.uuid4().hex
    refused(404, weir.call('GET', f'/v1/responses/resp%00{tail}%1b'), 'response_id', text=f"'resp?{tail}?'")
