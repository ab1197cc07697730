"""The Responses API in front of servers that know Chat Completions alone: what they get of OpenAI's own members, and what comes back."""
import json
import os
import uuid

import openai
import pytest

import rig
from responses_rig import script
from responses_state import BOTH, each, post, refused

GRAMMAR = {'type': 'grammar', 'syntax': 'lark', 'definition': 'start: /.+/'}
SHELL = {'type': 'custom', 'name': 'shell', 'description': 'Runs it.', 'format': GRAMMAR}
LONG = 'crm.contacts/' + 'find_' * 20
FIND = {'type': 'function', 'name': LONG, 'parameters': {'type': 'object', 'properties': {}}, 'strict': False}
HINTS = {'prompt_cache_key': 'k', 'prompt_cache_retention': '24h', 'safety_identifier': 's', 'user': 'u', 'metadata': {'a': 'b'}}
SEARCH = {'type': 'web_search', 'search_context_size': 'high', 'user_location': {'type': 'approximate', 'city': 'Oslo'}}


@pytest.fixture(scope='module')
def weir(folder, mock):
    llama = 'groq/llama-3.3-70b-versatile'
    server = rig.Weir(folder, rig.config(
        [rig.deployment('groq', llama, mock.base), rig.deployment('mistral', 'mistral/mistral-large-latest', mock.base),
         rig.deployment('dropping', llama, mock.base, drop_params=True),
         rig.deployment('allowing', llama, mock.base, allowed_openai_params=['verbosity', 'prompt_cache_key', 'tools', 'web_search_options']),
         rig.deployment('openai', 'openai/gpt-4.1', mock.base, use_chat_completions_api=True),
         rig.deployment('searching', 'openai/gpt-4o-search-preview', mock.base, use_chat_completions_api=True)],
        general_settings={'forward_client_headers_to_llm_api': True}))
    yield server
    server.stop()


def exchange(weir, mock, model, items='', **members):
    """(answer, the body that the provider was sent)"""
    headers, mark = script(items)
    answer = post(weir, model, members.pop('input', 'Hello'), headers, **members)
    assert answer.status == 200, answer
    return answer, json.loads(mock.one(mark)['body'])


def calls(replay, stream, name, *arguments):
    """The script item of an answer that calls this function."""
    def call(**function):
        return {'tool_calls': [{'index': 0, 'id': 'call_1', 'type': 'function', 'function': function}]}

    def choice(member, delta, finish=None):
        return {'id': 'c1', 'object': 'chat.completion', 'created': 1, 'model': 'm',
                'choices': [{'index': 0, member: delta, 'finish_reason': finish}]}

    file = f'{uuid.uuid4().hex}.{"sse" if stream else "json"}'
    whole = json.dumps(choice('message', {'role': 'assistant', 'content': None, **call(name=name, arguments=''.join(arguments))}, 'tool_calls'))
    chunks = [choice('delta', call(name=name, arguments='')), *(choice('delta', call(arguments=a)) for a in arguments),
              choice('delta', {}, 'tool_calls')]
    with open(os.path.join(replay, file), 'w', encoding='utf-8') as out:
        out.write(''.join(f'data: {json.dumps(c)}\n\n' for c in chunks) + 'data: [DONE]\n\n' if stream else whole)
    return f'fixture={file}'


def client(weir, items):
    headers, _ = script(items)
    return openai.OpenAI(base_url=f'http://127.0.0.1:{weir.port}/v1', api_key=rig.MASTER, max_retries=0, default_headers=headers)


def test_hints(weir, mock):
    answer, body = exchange(weir, mock, 'groq', **HINTS, service_tier='flex')
    assert answer.headers['x-weir-fidelity'] == 'dropped=metadata,prompt_cache_key,prompt_cache_retention,user'
    assert {k: body[k] for k in body if k not in ('model', 'messages')} == {'user': 'u', 'service_tier': 'flex'}
    answer, body = exchange(weir, mock, 'mistral', **HINTS, service_tier='auto')
    assert {k: body[k] for k in body if k not in ('model', 'messages')} == {'prompt_cache_key': 'k'}, answer
    answer, body = exchange(weir, mock, 'openai', **HINTS, service_tier='flex', text={'verbosity': 'low'})
    assert answer.headers['x-weir-fidelity'] == 'exact' and body['verbosity'] == 'low'
    assert {k: body[k] for k in HINTS} == HINTS and body['service_tier'] == 'flex'


def test_strict(weir):
    answer = post(weir, 'groq', headers={'x-weir-strict': '1'}, prompt_cache_key='k')
    refused(400, answer, 'prompt_cache_key', 'unsupported_parameter', 'groq')


@each('members, param', [({'text': {'verbosity': 'low'}}, 'text.verbosity'), ({'service_tier': 'priority'}, 'service_tier'),
                         ({'tools': [SEARCH]}, 'tools'), ({'tools': [{'type': 'code_interpreter', 'container': {'type': 'auto'}}]}, 'tools')],
      ids=['verbosity', 'tier', 'search', 'interpreter'])
def test_refused_and_dropped(weir, mock, members, param):
    name = members['tools'][0]['type'] if 'tools' in members else ''
    refused(400, post(weir, 'groq', **members), param, 'unsupported_parameter', name)
    answer, body = exchange(weir, mock, 'dropping', **members)
    assert answer.headers['x-weir-fidelity'].startswith('dropped=') and set(body) == {'model', 'messages'}, body


def test_allowed(weir, mock):
    answer, body = exchange(weir, mock, 'allowing', text={'verbosity': 'low'}, prompt_cache_key='k', prompt_cache_retention='24h')
    assert body['verbosity'] == 'low' and body['prompt_cache_key'] == 'k' and 'prompt_cache_retention' not in body
    assert answer.headers['x-weir-fidelity'] == 'dropped=prompt_cache_retention'


def test_native_chat_is_left_alone(weir, mock):
    headers, mark = script()
    members = {**HINTS, 'verbosity': 'low', 'service_tier': 'priority', 'web_search_options': {},
               'tools': [{'type': 'custom', 'custom': {'name': 'sh'}}]}
    answer = weir.call('POST', '/v1/chat/completions', {
        'model': 'groq', 'messages': [{'role': 'user', 'content': 'Hello'}], **members}, headers)
    body = json.loads(mock.one(mark)['body'])
    assert answer.status == 200 and {k: body[k] for k in members} == members, body


@BOTH
def test_custom_tool(weir, mock, replay, stream):
    """A client of the SDK offers a tool of free text, gets its call and sends what came of it."""
    responses = client(weir, calls(replay, stream, 'shell', '{"input": "ls -l \\"', 'a\\"\\n"}')).responses
    if stream:
        with responses.stream(model='groq', input='List.', tools=[SHELL]) as events:
            response = events.get_final_response()
    else:
        response = responses.create(model='groq', input='List.', tools=[SHELL])
    call, = response.output
    assert (call.type, call.name, call.input, call.call_id) == ('custom_tool_call', 'shell', 'ls -l "a"\n', 'call_1')
    answer, body = exchange(weir, mock, 'groq', tools=[SHELL], input=[
        {'role': 'user', 'content': 'List.'}, call.model_dump(exclude_none=True),
        {'type': 'custom_tool_call_output', 'call_id': call.call_id, 'output': 'a b'}])
    assert answer.headers['x-weir-fidelity'] == 'degraded=grammar'
    tool, = body['tools']
    assert tool['type'] == 'function' and 'start: /.+/' in tool['function']['description']
    back, = body['messages'][1]['tool_calls']
    assert back['type'] == 'function' and json.loads(back['function']['arguments']) == {'input': 'ls -l "a"\n'}


def test_names_of_functions(weir, mock, replay):
    _, body = exchange(weir, mock, 'openai', tools=[FIND], tool_choice={'type': 'function', 'name': LONG})
    name = body['tools'][0]['function']['name']
    assert len(name) <= 64 and name.startswith('crm_contacts_find_') and body['tool_choice']['function']['name'] == name
    response = client(weir, calls(replay, True, name, '{}')).responses.create(model='openai', input='Find.', tools=[FIND], stream=True)
    found = [e for e in response if e.type == 'response.output_item.done']
    assert [e.item.name for e in found] == [LONG]


@each('choice, options', [(None, True), ('auto', True), ('required', True), ('none', False)])
def test_web_search(weir, mock, choice, options):
    members = {'tool_choice': choice} if choice else {}
    answer, body = exchange(weir, mock, 'searching', tools=[SEARCH, {'type': 'web_search_preview'}], **members)
    want = {'search_context_size': 'high', 'user_location': {'type': 'approximate', 'approximate': {'city': 'Oslo'}}}
    assert body.get('web_search_options') == (want if options else None) and 'tools' not in body and 'tool_choice' not in body
    assert answer.headers['x-weir-fidelity'] == ('exact' if not options else 'degraded=web_search; dropped=tool_choice'
                                                 if choice == 'required' else 'degraded=web_search')
