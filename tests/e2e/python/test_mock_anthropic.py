"""The simulator of the Messages API refuses what the real one refuses: else test_translate.py would show nothing."""
import copy
import json

import pytest

import rig

PATH = '/v1/messages'
HEADERS = {'x-api-key': rig.UPSTREAM, 'anthropic-version': '2023-06-01'}
TOOL = {'name': 'f', 'input_schema': {'type': 'object', 'properties': {}}}
USER = {'role': 'user', 'content': 'Hello'}
PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=='


def call(*ids):
    return {'role': 'assistant', 'content': [{'type': 'tool_use', 'id': i, 'name': 'f', 'input': {}} for i in ids]}


def results(*ids, after=()):
    return {'role': 'user', 'content': [*({'type': 'tool_result', 'tool_use_id': i, 'content': 'x'} for i in ids), *after]}


def image(**source):
    return [{'role': 'user', 'content': [{'type': 'image', 'source': {'type': 'base64', 'media_type': 'image/png',
                                                                     'data': PIXEL, **source}}]}]


def send(mock, body, headers=None, path=PATH):
    return rig.request(mock.port, 'POST', path, body, HEADERS if headers is None else headers)


def body_with(model='claude-sonnet-4-5', **members):
    body = {'model': model, 'max_tokens': 2000, 'messages': [USER], **members}
    return {name: value for name, value in body.items() if value is not None}


OLD, NEW = 'claude-sonnet-4-5', 'claude-opus-4-8'
FORMAT = {'type': 'json_schema', 'schema': {'type': 'object', 'properties': {}, 'additionalProperties': False}}
LOOP = {'$ref': '#/$defs/a', '$defs': {'a': {'anyOf': [{'$ref': '#/$defs/a'}, {'type': 'null'}]}}}


@pytest.mark.parametrize('phrase,members', [
    ('max_tokens: Field required', {'max_tokens': None}),
    ('max_tokens', {'max_tokens': 0}),
    ('maximum allowed number of output tokens', {'max_tokens': 64001}),
    ('logit_bias: Extra inputs are not permitted', {'logit_bias': {}}),
    ('stop_sequences', {'stop_sequences': ['a', ' \n']}),
    ('temperature', {'temperature': 1.5}),
    ('cannot both be specified', {'temperature': 1, 'top_p': 1}),
    ('not supported by this model', {'model': NEW, 'temperature': 0.5}),
    ('email', {'metadata': {'user_id': 'a@example.com'}}),
    ('service_tier', {'service_tier': 'flex'}),
    ('at least one message', {'messages': []}),
    ('non-empty', {'messages': [{'role': 'user', 'content': ''}]}),
    ('non-whitespace', {'messages': [{'role': 'user', 'content': [{'type': 'text', 'text': ' '}]}]}),
    ('non-empty', {'system': ''}),
    ('first message', {'messages': [{'role': 'assistant', 'content': 'x'}, USER]}),
    ('role', {'messages': [USER, {'role': 'tool', 'content': 'x'}]}),
    ('name: is not permitted', {'messages': [{**USER, 'name': 'Ann'}]}),
    ('prefill', {'model': NEW, 'messages': [USER, {'role': 'assistant', 'content': 'x'}]}),
    ('trailing whitespace', {'messages': [USER, {'role': 'assistant', 'content': 'x '}]}),
    ("role 'system'", {'messages': [USER, {'role': 'system', 'content': 'x'}]}),
    ('invalid base64', {'messages': image(data='%%%%')}),
    ('not of the media type', {'messages': image(media_type='image/jpeg')}),
    ('not of the media type', {'messages': image(media_type='image/svg+xml')}),
    ('thinking.type', {'thinking': {'type': 'adaptive'}}),
    ('thinking.type', {'model': NEW, 'thinking': {'type': 'enabled', 'budget_tokens': 1024}}),
    ('greater than or equal to 1024', {'thinking': {'type': 'enabled', 'budget_tokens': 1000}}),
    ('greater than `thinking.budget_tokens`', {'thinking': {'type': 'enabled', 'budget_tokens': 2000}}),
    ('forces tool use', {'thinking': {'type': 'enabled', 'budget_tokens': 1024}, 'tools': [TOOL], 'tool_choice': {'type': 'any'}}),
    ('effort', {'output_config': {'effort': 'low'}}),
    ('takes: low', {'model': 'claude-opus-4-6', 'output_config': {'effort': 'xhigh'}}),
    ('structured outputs', {'model': 'claude-opus-4-1', 'output_config': {'format': FORMAT}}),
    ("'additionalProperties' must be", {'output_config': {'format': {'type': 'json_schema', 'schema': {'type': 'object'}}}}),
    ('keyword', {'output_config': {'format': {'type': 'json_schema', 'schema': {'type': 'integer', 'minimum': 1}}}}),
    ('Circular', {'output_config': {'format': {'type': 'json_schema', 'schema': LOOP}}}),
    ('at least 1 item', {'tools': []}),
    ('pattern', {'tools': [{**TOOL, 'name': 'a.b'}]}),
    ('unique', {'tools': [TOOL, TOOL]}),
    ("should be 'object'", {'tools': [{**TOOL, 'input_schema': {'type': 'array'}}]}),
    ('top level', {'tools': [{**TOOL, 'input_schema': {'type': 'object', 'anyOf': []}}]}),
    ('Extra inputs', {'tools': [{**TOOL, 'parameters': {}}]}),
    ('providing tools', {'tool_choice': {'type': 'auto'}}),
    ('type', {'tools': [TOOL], 'tool_choice': {'type': 'required'}}),
    ('not found', {'tools': [TOOL], 'tool_choice': {'type': 'tool', 'name': 'g'}}),
    ('disable_parallel', {'tools': [TOOL], 'tool_choice': {'type': 'none', 'disable_parallel_tool_use': True}}),
    ('without `tool_result`', {'tools': [TOOL], 'messages': [USER, call('a', 'b'), results('a')]}),
    ('without `tool_result`', {'tools': [TOOL], 'messages': [USER, call('a'), USER]}),
    ('without `tool_result`', {'tools': [TOOL], 'messages': [USER, call('a')]}),
    ('unexpected `tool_use_id`', {'tools': [TOOL], 'messages': [USER, call('a'), results('a', 'z')]}),
    ('unexpected `tool_use_id`', {'tools': [TOOL], 'messages': [USER, results('a')]}),
    ('must come before', {'tools': [TOOL], 'messages': [USER, call('a'), {'role': 'user', 'content': [
        {'type': 'text', 'text': 'x'}, *results('a')['content']]}]}),
    ('single result', {'tools': [TOOL], 'messages': [USER, call('a'), results('a', 'a')]}),
    ('must be unique', {'tools': [TOOL], 'messages': [USER, call('a'), results('a'), call('a'), results('a')]}),
    ('pattern', {'tools': [TOOL], 'messages': [USER, call('a|b'), results('a|b')]}),
    ('must define tools', {'messages': [USER, call('a'), results('a')]}),
    ('Expected `thinking`', {'thinking': {'type': 'enabled', 'budget_tokens': 1024}, 'tools': [TOOL],
                             'messages': [USER, call('a'), results('a')]}),
    ('Invalid `signature`', {'messages': [USER, {'role': 'assistant', 'content': [
        {'type': 'thinking', 'thinking': 'x', 'signature': 'QUJD'}, {'type': 'text', 'text': 'x'}]}, USER]}),
    ('Invalid `data`', {'messages': [USER, {'role': 'assistant', 'content': [
        {'type': 'redacted_thinking', 'data': 'QUJD'}, {'type': 'text', 'text': 'x'}]}, USER]}),
    ("inside 'allOf'", {'output_config': {'format': {'type': 'json_schema', 'schema': {
        'allOf': [{'$ref': '#/$defs/a'}], '$defs': {'a': {'type': 'string'}}}}}}),
    ('context_management: Extra inputs', {'context_management': {'edits': []}}),
    ('thinking.type', {'model': NEW, 'thinking': {'type': 'between_tools'}}),
    ('cache_control', {'cache_control': {'type': 'ephemeral', 'ttl': '9h'}}),
    ('cache_control', {'tools': [{**TOOL, 'cache_control': 'x'}]}),
    ('cache_control', {'messages': [{'role': 'user', 'content': [{'type': 'text', 'text': 'x', 'cache_control': {'type': 'x'}}]}]}),
    ('maximum of 4', {'messages': [{'role': 'user', 'content': [
        {'type': 'text', 'text': 'x', 'cache_control': {'type': 'ephemeral'}}] * 5}]}),
])
def test_refused(mock, phrase, members):
    answer = send(mock, body_with(**copy.deepcopy(members)))
    assert answer.status == 400 and answer.json()['type'] == 'error'
    assert answer.error['type'] == 'invalid_request_error' and phrase in answer.error['message'], answer


@pytest.mark.parametrize('status,kind,headers', [
    (400, 'invalid_request_error', {'x-api-key': rig.UPSTREAM}),
    (400, 'invalid_request_error', {**HEADERS, 'anthropic-version': '2020-01-01'}),
    (401, 'authentication_error', {'anthropic-version': '2023-06-01'}),
    (401, 'authentication_error', {**HEADERS, 'x-api-key': 'sk-ant-other'}),
    (401, 'authentication_error', {'Authorization': f'Bearer {rig.UPSTREAM}', 'anthropic-version': '2023-06-01'}),
], ids=['no-version', 'version', 'no-key', 'key', 'bearer'])
def test_headers(mock, status, kind, headers):
    answer = send(mock, body_with(), headers)
    assert (answer.status, answer.error['type']) == (status, kind)


def test_unknown_model(mock):
    answer = send(mock, body_with('gpt-4.1'))
    assert (answer.status, answer.error['type']) == (404, 'not_found_error')


def test_too_long(mock):
    answer = send(mock, body_with(messages=[{'role': 'user', 'content': 'a ' * 200_001}]))
    assert answer.status == 400 and answer.error['message'].startswith('prompt is too long: 2000')


def test_signature_is_the_model_s(mock):
    """A signature is good for the text and the model that it was made for."""
    thinking = {'type': 'enabled', 'budget_tokens': 1024}
    block, = [b for b in send(mock, body_with(thinking=thinking)).json()['content'] if b['type'] == 'thinking']
    turns = [USER, {'role': 'assistant', 'content': [block, {'type': 'text', 'text': 'x'}]}, USER]
    assert send(mock, body_with(messages=turns, thinking=thinking)).status == 200
    assert 'signature' in send(mock, body_with('claude-haiku-4-5', messages=turns)).error['message']
    block['thinking'] += ' '
    assert 'signature' in send(mock, body_with(messages=turns, thinking=thinking)).error['message']


def test_stream_has_every_kind(mock):
    model = f'{OLD}-mock:redacted,citations'
    body = body_with(model, stream=True, thinking={'type': 'enabled', 'budget_tokens': 1024},
                     tools=[{'type': 'web_search_20250305', 'name': 'web_search'}])
    text = send(mock, body).body.decode()
    kinds = [line[7:] for line in text.split('\n') if line.startswith('event: ')]
    data = [json.loads(e) for e in rig.events(text.encode())]
    assert kinds == [d['type'] for d in data] and kinds[0] == 'message_start' and kinds[-2:] == ['message_delta', 'message_stop']
    assert 'ping' in kinds
    blocks = [d['content_block']['type'] for d in data if d['type'] == 'content_block_start']
    assert blocks == ['thinking', 'redacted_thinking', 'server_tool_use', 'web_search_tool_result', 'text']
    deltas = {d['delta']['type'] for d in data if d['type'] == 'content_block_delta'}
    assert deltas == {'thinking_delta', 'signature_delta', 'input_json_delta', 'citations_delta', 'text_delta'}


# -- counting

COUNT = '/v1/messages/count_tokens'


def count_body(**members):
    return {'model': OLD, 'messages': [USER], **members}


@pytest.mark.parametrize('members', [
    {'max_tokens': 5}, {'stream': False}, {'temperature': 1}, {'top_p': 1}, {'top_k': 1}, {'stop_sequences': ['x']}, {'metadata': {}},
    {'service_tier': 'auto'}, {'container': 'c'}, {'inference_geo': 'eu'}, {'anthropic_version': 'vertex-2023-10-16'},
    {'messages': []}, {'messages': [USER, call('a')], 'tools': [TOOL]}, {'tools': []}, {'thinking': {'type': 'enabled', 'budget_tokens': 5}},
    {'model': ''},
], ids=str)
def test_count_refuses(mock, members):
    answer = send(mock, count_body(**members), path=COUNT)
    assert answer.status == 400 and answer.error['type'] == 'invalid_request_error', answer


def test_counts(mock):
    assert send(mock, count_body(), path=COUNT).body == b'{"input_tokens":4}'
    more = count_body(system='Be brief.', tools=[TOOL], tool_choice={'type': 'auto'}, thinking={'type': 'enabled', 'budget_tokens': 90_000})
    assert send(mock, more, path=COUNT).json()['input_tokens'] > 6
    assert send(mock, count_body(), {'x-api-key': rig.UPSTREAM}, path=COUNT).status == 400, 'no version'
    assert send(mock, count_body(model='gpt-4.1'), path=COUNT).status == 404
    assert send(mock, count_body(), {}, path=COUNT).status == 401


def test_counts_on_vertex(mock):
    token = rig.request(mock.port, 'GET', '/computeMetadata/v1/instance/service-accounts/default/token', None,
                        {'Metadata-Flavor': 'Google'}).json()['access_token']

    def ask(body, model='count-tokens', method='rawPredict'):
        path = f'/v1/projects/p/locations/l/publishers/anthropic/models/{model}:{method}'
        return send(mock, body, {'Authorization': f'Bearer {token}'}, path)
    body = count_body(anthropic_version='vertex-2023-10-16')
    assert ask(body).body == b'{"input_tokens":4}'
    assert ask(count_body()).status == ask({**body, 'max_tokens': 5}).status == 400
    assert ask({k: v for k, v in body.items() if k != 'model'}).status == 400, 'the path does not say which'
    assert ask(body, method='streamRawPredict').status == 404
    assert ask(body, OLD).status == 400, 'an answer is asked for'
