"""The simulated Responses API, without weir: it refuses what the real one refuses, and answers in its words."""
import json

import openai
import pytest

import rig
from providers import CITED, CITED_URL, REFUSAL, TEXT, THOUGHT, TOOLS, received

FIVE, FOUR, OPEN = 'gpt-5.2', 'gpt-4.1', 'gpt-oss-120b'
HELLO = {'role': 'user', 'content': 'Hello'}
TOOL = {'type': 'function', 'name': 'f', 'parameters': {'type': 'object', 'properties': {'a': {'type': 'string'}}}}
STRICT = {**TOOL, 'strict': True}
CALL = {'type': 'function_call', 'call_id': 'c1', 'name': 'f', 'arguments': '{}'}
OUTPUT = {'type': 'function_call_output', 'call_id': 'c1', 'output': 'r'}
THINK = {'reasoning': {'effort': 'low', 'summary': 'auto'}, 'include': ['reasoning.encrypted_content']}
PNG = 'data:image/png;base64,iVBORw0KGgo='
AUTH = {'Authorization': f'Bearer {rig.UPSTREAM}'}


def ask(mock, script='', name=FIVE, path='/v1/responses', method='POST', headers=None, **members):
    body = {'model': f'{name}-mock:{script}' if script else name, 'input': 'Hello', **members}
    body = {key: value for key, value in body.items() if value is not None}
    return rig.request(mock.port, method, path, body if method == 'POST' else None, {**AUTH, **(headers or {})})


def get(mock, path, method='GET', headers=AUTH):
    return rig.request(mock.port, method, path, None, headers)


def user(*parts):
    return {'input': [{'role': 'user', 'content': list(parts)}]}


def image(**members):
    return user({'type': 'input_image', **members})


def file(**members):
    return user({'type': 'input_file', **members})


def items(*more):
    return {'input': [HELLO, *more]}


def fmt(**members):
    return {'text': {'format': members}}


def text_of(answer):
    return [part.get('text', part.get('refusal')) for item in answer['output'] if item['type'] == 'message'
            for part in item['content']]


@pytest.fixture
def client(mock):
    return openai.OpenAI(api_key=rig.UPSTREAM, base_url=mock.base, max_retries=0)


UNKNOWN, VALUE, TYPE, MISSING = 'unknown_parameter', 'invalid_value', 'invalid_type', 'missing_required_parameter'


@pytest.mark.parametrize('name,body,code,param', [
    *[(FIVE, {member: 1}, UNKNOWN, member) for member in (
        'n', 'stop', 'seed', 'logit_bias', 'frequency_penalty', 'presence_penalty', 'logprobs', 'modalities', 'functions',
        'web_search_options', 'tags', 'mock_response')],
    (FIVE, {'messages': [HELLO]}, 'unsupported_parameter', 'messages'),
    (FIVE, {'max_tokens': 20}, 'unsupported_parameter', 'max_tokens'),
    (FIVE, {'response_format': {'type': 'text'}}, 'unsupported_parameter', 'response_format'),
    (FIVE, {'reasoning_effort': 'low'}, 'unsupported_parameter', 'reasoning_effort'),
    (FIVE, {'model': None}, MISSING, 'model'), (FIVE, {'input': None}, MISSING, 'input'), (FIVE, {'input': []}, MISSING, 'input'),
    (FIVE, {'input': 7}, TYPE, 'input'), (FIVE, {'store': 'yes'}, TYPE, 'store'), (FIVE, {'tools': {}}, TYPE, 'tools'),
    (FIVE, {'max_output_tokens': 15}, 'integer_below_min_value', 'max_output_tokens'),
    (FOUR, {'temperature': 2.1}, 'decimal_above_max_value', 'temperature'), (FIVE, {'truncation': 'middle'}, VALUE, 'truncation'),
    (FIVE, {'stream_options': {'include_obfuscation': False}}, None, 'stream_options'),
    (FIVE, {'stream': True, 'stream_options': {'include_usage': True}}, UNKNOWN, 'stream_options.include_usage'),
    (FIVE, {'background': True, 'store': False}, None, 'background'), (FIVE, {'service_tier': 'turbo'}, VALUE, 'service_tier'),
    (FIVE, {'metadata': {str(i): '' for i in range(17)}}, 'object_above_max_properties', 'metadata'),
    (FIVE, {'metadata': {'a': 1}}, TYPE, 'metadata.a'), (FIVE, {'include': ['usage']}, VALUE, 'include[0]'),
    (FIVE, {'previous_response_id': 'resp_nowhere'}, 'previous_response_not_found', 'previous_response_id'),
    (FIVE, {'previous_response_id': 'chatcmpl-1'}, VALUE, 'previous_response_id'),
    (FIVE, {'conversation': 'conv_1', 'previous_response_id': 'resp_1'}, 'mutually_exclusive_parameters', 'previous_response_id'),
    (FOUR, {'reasoning': {'effort': 'low'}}, 'unsupported_parameter', 'reasoning.effort'),
    (FOUR, {'reasoning': {'summary': 'auto'}}, 'unsupported_parameter', 'reasoning.summary'),
    (FOUR, {'include': ['reasoning.encrypted_content']}, None, 'include'),
    (FOUR, {'text': {'verbosity': 'low'}}, 'unsupported_value', 'text.verbosity'),
    (FIVE, {'reasoning': {'effort': 'minimal'}}, 'unsupported_value', 'reasoning.effort'),
    (FIVE, {'reasoning': {'effort': 'little'}}, VALUE, 'reasoning.effort'),
    (FIVE, {'reasoning': {'budget': 1}}, UNKNOWN, 'reasoning.budget'),
    ('gpt-5', {'temperature': 1}, 'unsupported_parameter', 'temperature'),
    (FIVE, {'temperature': 1, 'reasoning': {'effort': 'low'}}, 'unsupported_parameter', 'temperature'),
    (FIVE, {'tools': [{'type': 'function', 'function': {'name': 'f'}}]}, MISSING, 'tools[0].name'),
    (FIVE, {'tools': [{'type': 'function', 'name': 'f'}]}, MISSING, 'tools[0].parameters'),
    (FIVE, {'tools': [{**TOOL, 'name': 'f g'}]}, VALUE, 'tools[0].name'), (FIVE, {'tools': [{'type': 'retrieval'}]}, VALUE, 'tools[0]'),
    (FIVE, {'tools': [{**TOOL, 'function': {}}]}, UNKNOWN, 'tools[0].function'),
    (FIVE, {'tools': [STRICT]}, 'invalid_function_parameters', 'tools[0].parameters'),
    (FIVE, {'tool_choice': 'required'}, None, 'tool_choice'), (FIVE, {'tool_choice': 'any'}, VALUE, 'tool_choice'),
    (FIVE, {'tools': [TOOL], 'tool_choice': {'type': 'function', 'name': 'g'}}, None, 'tool_choice'),
    (FIVE, {'tools': [TOOL], 'tool_choice': {'type': 'function', 'function': {'name': 'f'}}}, UNKNOWN, 'tool_choice.function'),
    (FIVE, fmt(type='json_schema', json_schema={'name': 'x'}), UNKNOWN, 'text.format.json_schema'),
    (FIVE, fmt(type='json_schema', name='x'), MISSING, 'text.format.schema'), (FIVE, fmt(type='xml'), VALUE, 'text.format'),
    (FIVE, fmt(type='json_schema', name='x', strict=True, schema={'type': 'object', 'properties': {}}),
     'invalid_json_schema', 'text.format.schema'),
    (FIVE, fmt(type='json_object'), None, 'input'),
    (FIVE, items({'role': 'tool', 'content': 'x'}), VALUE, 'input[1].role'), (FIVE, items({'content': 'x'}), MISSING, 'input[1].role'),
    (FIVE, items({'role': 'user'}), MISSING, 'input[1].content'), (FIVE, items({'role': 'user', 'content': 7}), TYPE, 'input[1].content'),
    (FIVE, items({**HELLO, 'name': 'Bob'}), UNKNOWN, 'input[1].name'), (FIVE, items('text'), TYPE, 'input[1]'),
    (FIVE, items({'role': 'assistant', 'content': '', 'tool_calls': []}), UNKNOWN, 'input[1].tool_calls'),
    (FIVE, items({'type': 'tool_use', 'id': 'x'}), VALUE, 'input[1]'), (FIVE, items({**HELLO, 'phase': 'commentary'}), UNKNOWN, 'input[1].phase'),
    (FIVE, items({'role': 'assistant', 'content': [{'type': 'input_text', 'text': 'x'}]}), VALUE, 'input[1].content[0]'),
    (FIVE, user({'type': 'output_text', 'text': 'x'}), VALUE, 'input[0].content[0]'),
    (FIVE, user({'type': 'text', 'text': 'x'}), VALUE, 'input[0].content[0]'), (FIVE, user({'text': 'x'}), MISSING, 'input[0].content[0].type'),
    (FIVE, user({'type': 'input_text'}), MISSING, 'input[0].content[0].text'),
    (FIVE, user({'type': 'input_text', 'text': 'x', 'cache_control': {}}), UNKNOWN, 'input[0].content[0].cache_control'),
    (FIVE, {'input': [{'role': 'system', 'content': [{'type': 'input_image', 'image_url': PNG}]}]}, VALUE, 'input[0].content[0]'),
    (FIVE, image(image_url={'url': PNG}), TYPE, 'input[0].content[0].image_url'), (FIVE, image(), MISSING, 'input[0].content[0]'),
    (FIVE, image(image_url='iVBORw0KGgo='), VALUE, 'input[0].content[0].image_url'),
    (FIVE, image(image_url='data:image/png;base64,%%'), VALUE, 'input[0].content[0].image_url'),
    (FIVE, image(image_url='data:image/tiff;base64,iVBO'), VALUE, 'input[0].content[0].image_url'),
    (FIVE, image(image_url=PNG, detail='x'), VALUE, 'input[0].content[0].detail'),
    (FIVE, file(), MISSING, 'input[0].content[0].file_id'), (FIVE, file(file={'file_id': 'x'}), UNKNOWN, 'input[0].content[0].file'),
    (FIVE, file(file_id='x', file_url='y'), 'mutually_exclusive_parameters', 'input[0].content[0]'),
    (FIVE, file(file_data='data:application/pdf;base64,JVBE'), MISSING, 'input[0].content[0].filename'),
    (FIVE, file(file_data='%', filename='x'), VALUE, 'input[0].content[0].file_data'),
    (FIVE, items(CALL), None, 'input'), (FIVE, items(OUTPUT), None, 'input'), (FIVE, items(OUTPUT, CALL), None, 'input'),
    (FIVE, items(CALL, CALL, OUTPUT), None, 'input'), (FIVE, items({**CALL, 'arguments': {}}, OUTPUT), TYPE, 'input[1].arguments'),
    (FIVE, items({**CALL, 'id': 'toolu_1'}, OUTPUT), VALUE, 'input[1].id'), (FIVE, items({**CALL, 'id': 'call_1'}, OUTPUT), VALUE, 'input[1].id'),
    (FIVE, items({**HELLO, 'id': 'fc_1'}), VALUE, 'input[1].id'), (FIVE, items({'type': 'function_call', 'name': 'f', 'arguments': ''}), MISSING,
                                                                        'input[1].call_id'),
    (FIVE, items({**CALL, 'call_id': 'x' * 65}, {**OUTPUT, 'call_id': 'x' * 65}), 'string_above_max_length', 'input[1].call_id'),
    (FIVE, items(CALL, {**OUTPUT, 'output': [{'type': 'text', 'text': 'x'}]}), VALUE, 'input[2].output[0]'),
    (FIVE, items(CALL, {**OUTPUT, 'is_error': True}), UNKNOWN, 'input[2].is_error'),
    (FIVE, items({'type': 'reasoning', 'summary': [], 'encrypted_content': 'weir1.abc'}, CALL, OUTPUT), 'invalid_encrypted_content', None),
    (FIVE, items({'type': 'reasoning', 'summary': [], 'encrypted_content': 'gAAAAABabc'}, CALL, OUTPUT), 'invalid_encrypted_content', None),
    (FIVE, items({'type': 'reasoning', 'summary': []}, CALL, OUTPUT), MISSING, 'input[1].id'),
    (FIVE, items({'type': 'reasoning', 'id': 'rs_1'}, CALL, OUTPUT), MISSING, 'input[1].summary'),
    (FOUR, items({'type': 'reasoning', 'id': 'rs_1', 'summary': []}, CALL, OUTPUT), None, 'input[1]'),
    (FIVE, items({'type': 'compaction', 'encrypted_content': 'weir1.abc'}), 'invalid_encrypted_content', None),
])
def test_refuses(mock, name, body, code, param):
    answer = ask(mock, name=name, **body)
    assert answer.status == 400, answer
    error = answer.error
    assert (error['type'], error['code'], error['param']) == ('invalid_request_error', code, param), error


@pytest.mark.parametrize('name,body', [
    (FIVE, {}), (FOUR, {'temperature': 1, 'top_p': 1}), (FIVE, {'temperature': 1}), (FIVE, {'max_output_tokens': 16}),
    (FIVE, {'input': [{'type': 'message', **HELLO}, {'role': 'assistant', 'content': 'x'}, {'role': 'developer', 'content': 'y'}, HELLO]}),
    (FIVE, items({'type': 'message', 'id': 'msg_1', 'role': 'assistant', 'status': 'completed',
                  'content': [{'type': 'output_text', 'text': 'x', 'annotations': []}, {'type': 'refusal', 'refusal': 'y'}]}, HELLO)),
    (FIVE, {'tools': [{'type': 'code_interpreter', 'container': {'type': 'auto'}}], 'tool_choice': 'auto'}),
    (FIVE, {'metadata': {'a': 'b'}, 'instructions': 'Be brief', 'safety_identifier': 'x', 'prompt_cache_key': 'y', 'service_tier': 'flex'}),
])
def test_takes(mock, name, body):
    assert text_of(ask(mock, name=name, **body).json()) == [TEXT]


def test_says(mock):
    assert text_of(ask(mock, **user({'type': 'input_text', 'text': 'x'}, {'type': 'input_image', 'image_url': PNG},
                                    {'type': 'input_file', 'file_data': 'data:application/pdf;base64,JVBE', 'filename': 'x.pdf'})).json()) == [
        received(('image/png', 8), ('application/pdf', 3))]
    assert text_of(ask(mock, **items(CALL, {**CALL, 'call_id': 'c2'}, OUTPUT, {
        **OUTPUT, 'call_id': 'c2', 'output': [{'type': 'input_text', 'text': 's'}]})).json()) == [TOOLS + 'r s']
    schema = {'type': 'object', 'properties': {'a': {'type': 'integer'}}, 'required': ['a'], 'additionalProperties': False}
    assert text_of(ask(mock, **fmt(type='json_schema', name='x', schema=schema, strict=True)).json()) == ['{"a":1}']
    assert text_of(ask(mock, input='Answer in JSON.', **fmt(type='json_object')).json()) == ['{"answer": "text"}']
    assert text_of(ask(mock, 'refusal').json()) == [REFUSAL]
    usage = ask(mock, 'cached=5', **THINK).json()['usage']
    assert usage == {'input_tokens': 9, 'output_tokens': 22, 'total_tokens': 31, 'input_tokens_details': {
        'cached_tokens': 5, 'cache_write_tokens': 0}, 'output_tokens_details': {'reasoning_tokens': 6}}
    cited = ask(mock, tools=[{'type': 'web_search'}]).json()['output']
    assert [item['type'] for item in cited] == ['web_search_call', 'message'] and cited[1]['content'][0]['text'] == CITED
    assert cited[1]['content'][0]['annotations'][0]['url'] == CITED_URL


@pytest.mark.parametrize('script,members,reason', [
    ('tokens=40', {'max_output_tokens': 16}, 'max_output_tokens'), ('reasoning=20', {'max_output_tokens': 16}, 'max_output_tokens'),
    ('finish=content_filter', {}, 'content_filter'),
])
def test_incomplete(mock, client, script, members, reason):
    answer = ask(mock, script, **members).json()
    assert (answer['status'], answer['incomplete_details']) == ('incomplete', {'reason': reason})
    last = list(client.responses.create(model=f'{FIVE}-mock:{script}', input='Hello', stream=True, **members))[-1]
    assert last.type == 'response.incomplete' and last.response.incomplete_details.reason == reason
    assert answer['output'] and answer['completed_at'] is None


# -- streams

def grammar(events):
    """The stream's order, as the SDK's types and the API's documentation have it; returns the final response."""
    assert [e.sequence_number for e in events] == list(range(len(events)))
    assert [e.type for e in events[:2]] == ['response.created', 'response.in_progress']
    made, open_item = [], None
    for event in events[2:-1]:
        if event.type == 'response.output_item.added':
            assert open_item is None and event.output_index == len(made)
            open_item = event.item
        elif event.type == 'response.output_item.done':
            assert event.item.id == open_item.id and event.item.type == open_item.type and event.output_index == len(made)
            made.append(event.item)
            open_item = None
        else:
            assert (event.item_id, event.output_index) == (open_item.id, len(made))
    final = events[-1].response
    assert open_item is None and [i.to_dict() for i in final.output] == [i.to_dict() for i in made]
    return final


@pytest.mark.parametrize('script,members,types', [
    ('', {}, ['message']), ('', THINK, ['reasoning', 'message']), ('tools=3', {'tools': [TOOL]}, ['function_call'] * 3),
    ('', {'tools': [TOOL], **THINK}, ['reasoning', 'function_call']), ('refusal', {}, ['message']),
    ('', {'tools': [{'type': 'custom', 'name': 'sql'}]}, ['custom_tool_call']),
    ('', {'tools': [{'type': 'web_search'}]}, ['web_search_call', 'message']), ('obfuscate,comments,crlf', {}, ['message']),
    ('reasoning=3', {}, ['reasoning', 'message']),
])
def test_stream_equals_whole(client, script, members, types):
    model = f'{FIVE}-mock:{script}'
    final = grammar(list(client.responses.create(model=model, input='Hello', stream=True, **members))).to_dict()
    whole = client.responses.create(model=model, input='Hello', **members).to_dict()
    assert [item['type'] for item in final['output']] == types

    def plain(response):
        return json.loads(json.dumps(response).replace(response['id'].removeprefix('resp_'), 'N').replace(
            f'call_{int(response["id"][-8:])}_', 'call_N_').replace('gAAAAAB', ''), object_hook=lambda o: {
                k: '' if k == 'encrypted_content' else v for k, v in o.items()})
    assert plain(final) == plain(whole)
    with client.responses.stream(model=model, input='Hello', **members) as stream:
        for _ in stream:
            pass
        assert [item.type for item in stream.get_final_response().output] == types


def test_reasoning_of_open_models(mock):
    answer = ask(mock, name=OPEN, reasoning={'effort': 'low'}).json()
    item = answer['output'][0]
    assert (item['content'], item['summary']) == ([{'type': 'reasoning_text', 'text': THOUGHT}], [])
    types = [json.loads(e)['type'] for e in rig.events(ask(mock, name=OPEN, reasoning={'effort': 'low'}, stream=True).body)]
    assert types[3] == 'response.content_part.added' and types[4] == 'response.reasoning_text.delta'


@pytest.mark.parametrize('script,last', [
    ('error-event=2', 'error'), ('failed-event=2', 'response.failed'), ('error-event=2,error-shape=flat', 'error'),
    ('done=none', 'response.output_item.done')])
def test_failures(mock, script, last):
    found = [json.loads(e) for e in rig.events(ask(mock, script, stream=True).body)]
    assert found[-1]['type'] == last
    deltas = [e for e in found if e['type'] == 'response.output_text.delta']
    if last == 'error':
        assert len(deltas) == 2 and ('error' in found[-1]) != ('flat' in script)
    if last == 'response.failed':
        assert found[-1]['response']['error']['code'] == 'server_error' and found[-1]['response']['status'] == 'failed'


def test_sizes(mock):
    body = ask(mock, 'events=5,size=400', stream=True).body
    deltas = [e + b'\n\n' for e in body.split(b'\n\n') if b'output_text.delta' in e]
    assert [len(e) for e in deltas] == [400] * 5
    assert rig.events(ask(mock, 'done=always', stream=True).body)[-1] == '[DONE]'


# -- state

def test_conversation(mock):
    first = ask(mock, tools=[TOOL], **THINK).json()
    more = ask(mock, previous_response_id=first['id'], input=[{**OUTPUT, 'call_id': first['output'][1]['call_id']}]).json()
    assert text_of(more) == [TOOLS + 'r'] and more['previous_response_id'] == first['id']
    assert more['usage']['input_tokens'] > first['usage']['input_tokens']
    assert 'No tool output found' in ask(mock, previous_response_id=first['id'], input='Hello').error['message']
    assert ask(mock, previous_response_id=first['id'], headers={'Authorization': 'Bearer '}).status == 401


@pytest.mark.parametrize('stored', [True, False])
def test_reasoning_comes_back(mock, stored):
    first = ask(mock, tools=[TOOL], store=stored, **THINK).json()
    reasoning, call = first['output']
    output = {**OUTPUT, 'call_id': call['call_id']}

    def again(*more, **members):
        return ask(mock, store=stored, input=[HELLO, *more], **members)
    assert text_of(again(reasoning, call, output).json()) == [TOOLS + 'r']
    bare = {name: value for name, value in reasoning.items() if name != 'id'}
    assert text_of(again(bare, {**call, 'id': None}, output).json()) == [TOOLS + 'r']
    answer = again(call, output)
    assert answer.status == 400 and f"without its required 'reasoning' item: '{reasoning['id']}'" in answer.error['message']
    answer = again(reasoning, HELLO)
    assert answer.status == 400 and 'without its required following item' in answer.error['message']
    for bad in ({'encrypted_content': reasoning['encrypted_content'][:-3] + 'abc'}, {'id': 'rs_other'}):
        answer = again({**reasoning, **bad}, call, output)
        assert (answer.status, answer.error['code']) == (400, 'invalid_encrypted_content')
    lost = again({**reasoning, 'encrypted_content': None}, call, output)
    assert lost.status == (200 if stored else 404), lost


def test_references(mock):
    first = ask(mock, tools=[TOOL]).json()
    call = first['output'][0]
    answer = ask(mock, input=[HELLO, {'type': 'item_reference', 'id': call['id']}, {**OUTPUT, 'call_id': call['call_id']}])
    assert text_of(answer.json()) == [TOOLS + 'r']
    assert ask(mock, input=[{'id': 'fc_nowhere'}]).status == 404


def test_stored(mock, client):
    made = ask(mock, input=[HELLO, {'role': 'assistant', 'content': 'x'}, HELLO]).json()
    assert get(mock, f'/v1/responses/{made["id"]}').json() == made
    page = client.responses.input_items.list(made['id'], limit=2, order='asc')
    assert [item.role for item in page.data] == ['user', 'assistant'] and page.has_more
    assert [item.role for item in client.responses.input_items.list(made['id'], limit=2)] == ['user', 'assistant', 'user']
    assert get(mock, f'/v1/responses/{made["id"]}/input_items?limit=0').status == 400
    assert get(mock, f'/v1/responses/{made["id"]}?stream=true').status == 400
    assert 'synchronous' in get(mock, f'/v1/responses/{made["id"]}/cancel', 'POST').error['message']
    assert get(mock, f'/v1/responses/{made["id"]}', 'DELETE').json() == {'id': made['id'], 'object': 'response', 'deleted': True}
    for method, path in (('GET', ''), ('DELETE', ''), ('POST', '/cancel'), ('GET', '/input_items')):
        answer = get(mock, f'/v1/responses/{made["id"]}{path}', method)
        assert (answer.status, answer.error['message']) == (404, f"Response with id '{made['id']}' not found.")
        assert get(mock, f'/v1/responses/weir_{made["id"]}{path}', method).error['code'] == 'invalid_value'
    gone = ask(mock, store=False).json()
    assert gone['store'] is False and get(mock, f'/v1/responses/{gone["id"]}').status == 404
    assert ask(mock, previous_response_id=gone['id']).error['code'] == 'previous_response_not_found'


def test_background(client):
    made = client.responses.create(model=FIVE, input='Hello', background=True)
    assert (made.status, made.output, made.usage) == ('queued', [], None)
    assert [client.responses.retrieve(made.id).status for _ in range(3)] == ['in_progress', 'completed', 'completed']
    assert client.responses.retrieve(made.id).output_text == TEXT
    assert client.responses.cancel(made.id).status == 'completed'
    made = client.responses.create(model=FIVE, input='Hello', background=True)
    assert [client.responses.cancel(made.id).status for _ in range(2)] == ['cancelled', 'cancelled']
    assert client.responses.retrieve(made.id).status == 'cancelled'


def test_background_stream_goes_on(client):
    events = list(client.responses.create(model=FIVE, input='Hello', background=True, stream=True))
    assert [e.type for e in events[:3]] == ['response.created', 'response.queued', 'response.in_progress']
    rest = list(client.responses.retrieve(events[0].response.id, stream=True, starting_after=4))
    assert [e.to_dict() for e in rest] == [e.to_dict() for e in events[5:]]
    assert len(list(client.responses.retrieve(events[0].response.id, stream=True))) == len(events)


def test_counts_and_compaction(mock, client):
    assert client.responses.input_tokens.count(model=FIVE, input='Hello there').input_tokens == 5
    assert ask(mock, path='/v1/responses/input_tokens', temperature=1).error['code'] == UNKNOWN
    done = client.responses.compact(model=FIVE, input=[HELLO, {'role': 'assistant', 'content': 'x'}])
    assert [item.type for item in done.output] == ['message', 'compaction'] and done.object == 'response.compaction'
    output = ask(mock, path='/v1/responses/compact').json()['output']
    assert text_of(ask(mock, input=[*output, HELLO]).json()) == [TEXT]


@pytest.mark.parametrize('path,status', [
    ('/responses', 200), ('/openai/v1/responses', 200), ('/openai/responses?api-version=2025-04-01-preview', 200),
    ('/openai/responses?api-version=preview', 200), ('/openai/responses', 404), ('/openai/responses?api-version=2024-10-21', 404)])
def test_doors(mock, path, status):
    answer = ask(mock, path=path, headers={'api-key': rig.UPSTREAM, 'Authorization': ''})
    assert answer.status == status
    if status == 200:
        base, _, query = path.partition('?')
        assert get(mock, f'{base}/{answer.json()["id"]}?{query}').json() == answer.json()
    assert ask(mock, path=path, headers={'Authorization': 'Bearer wrong'}).status == 401


@pytest.mark.parametrize('script,status', [('status=429,header=retry-after:7', 429), ('html', 502), ('call=f(', 400), ('call=', 400),
                                           ('call=f()x', 400), ('call=f()+', 400)])
def test_scripted(mock, script, status):
    answer = ask(mock, script)
    assert answer.status == status and (status != 429 or answer.headers['retry-after'] == '7')


# -- calls that a script prescribes, in each format

NAMES = ('shell', 'look', 'transfer_to_b')


def chat_turn(mock, model, history, names):
    tools = [{'type': 'function', 'function': {'name': n, 'parameters': {'type': 'object', 'properties': {}}}} for n in names]
    message = rig.request(mock.port, 'POST', '/v1/chat/completions', {'model': f'gpt-4.1-{model}', 'tools': tools, 'messages': [
        HELLO, *history]}, AUTH).json()['choices'][0]['message']
    calls = message.get('tool_calls', [])
    history += [message, *({'role': 'tool', 'tool_call_id': c['id'], 'content': 'r'} for c in calls)]
    return [(c['function']['name'], json.loads(c['function']['arguments'])) for c in calls], message['content']


def responses_turn(mock, model, history, names):
    tools = [{'type': 'function', 'name': n, 'parameters': {'type': 'object', 'properties': {}}} for n in names]
    output = ask(mock, **{'model': f'gpt-5.2-{model}', 'tools': tools, 'input': [HELLO, *history]}).json()['output']
    calls = [item for item in output if item['type'] == 'function_call']
    history += [*output, *({'type': 'function_call_output', 'call_id': c['call_id'], 'output': 'r'} for c in calls)]
    return [(c['name'], json.loads(c['arguments'])) for c in calls], (text_of({'output': output}) or [None])[0]


def claude_turn(mock, model, history, names):
    tools = [{'name': n, 'input_schema': {'type': 'object', 'properties': {}}} for n in names]
    content = rig.request(mock.port, 'POST', '/v1/messages', {
        'model': f'claude-sonnet-4-5-{model}', 'max_tokens': 500, 'tools': tools, 'messages': [HELLO, *history]},
        {'x-api-key': rig.UPSTREAM, 'anthropic-version': '2023-06-01'}).json()['content']
    calls = [block for block in content if block['type'] == 'tool_use']
    known = [{k: v for k, v in block.items() if k not in ('caller', 'citations')} for block in content]
    history += [{'role': 'assistant', 'content': known}]
    if calls:
        history += [{'role': 'user', 'content': [{'type': 'tool_result', 'tool_use_id': c['id'], 'content': 'r'} for c in calls]}]
    return [(c['name'], c['input']) for c in calls], next((b['text'] for b in content if b['type'] == 'text'), None)


def gemini_turn(mock, model, history, names):
    tools = [{'functionDeclarations': [{'name': n} for n in names]}]
    parts = rig.request(mock.port, 'POST', f'/v1beta/models/gemini-2.5-flash-{rig.quoted(model)}:generateContent', {
        'tools': tools, 'contents': [{'role': 'user', 'parts': [{'text': 'Hello'}]}, *history]},
        {'x-goog-api-key': rig.UPSTREAM}).json()['candidates'][0]['content']['parts']
    calls = [part['functionCall'] for part in parts if 'functionCall' in part]
    history += [{'role': 'model', 'parts': parts}]
    if calls:
        history += [{'role': 'user', 'parts': [{'functionResponse': {'name': c['name'], 'response': {'output': 'r'}}} for c in calls]}]
    return [(c['name'], c.get('args', {})) for c in calls], next((p['text'] for p in parts if 'text' in p), None)


@pytest.mark.parametrize('turn', [chat_turn, responses_turn, claude_turn, gemini_turn])
def test_scripted_calls(mock, turn):
    """Two turns, the second with two calls at once; arguments with commas and parentheses; then the text."""
    model = 'mock:text=done,call=shell({"command":["bash","-c","echo (a, b"]}),call=look({"at":1})+shell()'
    history = []
    assert turn(mock, model, history, NAMES) == ([('shell', {'command': ['bash', '-c', 'echo (a, b']})], None)
    assert turn(mock, model, history, NAMES) == ([('look', {'at': 1}), ('shell', {})], None)
    assert turn(mock, model, history, NAMES) == ([], 'done')


@pytest.mark.parametrize('turn', [chat_turn, responses_turn, claude_turn, gemini_turn])
@pytest.mark.parametrize('kept', [True, False])
def test_scripted_handover(mock, turn, kept):
    """The agent that was handed to has other tools, and may be shown nothing of what came before."""
    model, history = 'mock:call=transfer_to_b({}),call=look({"at":1})', []
    assert turn(mock, model, history, ('transfer_to_b',))[0] == [('transfer_to_b', {})]
    history = history if kept else []
    assert turn(mock, model, history, ('look',))[0] == [('look', {'at': 1})]
    calls, text = turn(mock, model, history, ('look',))
    assert calls == [] and text == TOOLS + 'r'


def test_scripted_calls_elsewhere(mock):
    """Arguments that are no JSON stand as they are where they may; a string's text is meant by a JSON string."""
    tools = [TOOL, {'type': 'custom', 'name': 'patch'}]
    output = ask(mock, 'call=patch("*** Begin\\nx)")+f(not JSON)+f', tools=tools).json()['output']
    assert [item.get('input', item.get('arguments')) for item in output] == ['*** Begin\nx)', 'not JSON', '{"a":"text"}']
    assert ask(mock, 'call=f', tools=tools, tool_choice='none').json()['output'][0]['type'] == 'message'
    model = 'mock:call=look(not JSON)'
    assert claude_turn(mock, model, [], NAMES)[0] == [('look', {'input': 'not JSON'})]
