"""POST /v1/responses/input_tokens with the official SDK, over every provider that can count, and what is said where none can."""
import json
import re
import uuid

import openai
import pytest

import google_accounts
import rig
from providers import PROVIDERS

PIXEL = ('data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg'
         'gg==')
LOOK = {'type': 'function', 'name': 'look', 'description': 'Looks at the gauge.', 'strict': False, 'parameters': {
    'type': 'object', 'properties': {'at': {'type': 'string'}}, 'required': ['at']}}
LEVEL = {'format': {'type': 'json_schema', 'name': 'level', 'strict': True, 'schema': {
    'type': 'object', 'properties': {'m': {'type': 'number'}}, 'required': ['m'], 'additionalProperties': False}}}
LOOP = [{'role': 'user', 'content': [{'type': 'input_text', 'text': 'What does the gauge show?'},
                                     {'type': 'input_image', 'image_url': PIXEL, 'detail': 'auto'}]},
        {'type': 'function_call', 'call_id': 'call_1', 'name': 'look', 'arguments': '{"at":"gauge"}'},
        {'type': 'function_call_output', 'call_id': 'call_1', 'output': '1.2 m'},
        {'role': 'user', 'content': 'And now?'}]
REQUESTS = {
    'text': {'input': 'How deep is the river?'},
    'instructions': {'input': 'How deep is the river?', 'instructions': 'You keep the weir, and answer in one word.'},
    'items': {'input': [{'role': 'developer', 'content': 'Be brief.'}, {'role': 'user', 'content': 'How deep is the river?'}]},
    'loop': {'input': LOOP, 'tools': [LOOK], 'tool_choice': 'auto', 'truncation': 'disabled'},
    'format': {'input': 'How deep is the river?', 'text': LEVEL},
    'reasoning': {'input': 'How deep is the river?', 'reasoning': {'effort': 'high', 'summary': 'auto'}},
}
# What a count leaves out of the body that a create sends, by provider; None: nothing, and the rest says more than this.
COUNTED = {
    'anthropic': ('messages', 'model', 'output_config', 'system', 'thinking', 'tool_choice', 'tools'),
    'vertex_claude': ('anthropic_version', 'messages', 'output_config', 'system', 'thinking', 'tool_choice', 'tools'),
    'gemini': None,
    'vertex_gemini': ('contents', 'generationConfig', 'systemInstruction', 'tools'),
}
EVERY = pytest.mark.parametrize('p', PROVIDERS, ids=lambda p: p.name)
COUNT = '/v1/responses/input_tokens'


@pytest.fixture(scope='module')
def weir(folder, mock):
    rows = [row for p in PROVIDERS for row in p.deployments(mock)]
    root = f'http://127.0.0.1:{mock.port}'
    rows += [rig.deployment('openai/*', 'openai/*', mock.base), rig.deployment('groq/*', 'groq/*', mock.base),
             rig.deployment('chat/*', 'openai/*', mock.base, use_chat_completions_api=True),
             rig.deployment('whole-url/*', 'anthropic/*', f'{root}/v1/messages'),
             rig.deployment('set/anthropic/*', 'anthropic/*', root, max_tokens=64, temperature=0.5, extra_body={'metadata': {'user_id': 'u'}}),
             rig.deployment('set/gemini/*', 'gemini/*', root, max_tokens=64, temperature=0.5, safety_settings=[]),
             rig.deployment('set/vertex/*', 'vertex_ai/*', root, max_tokens=64, temperature=0.5, safety_settings=[],
                            **google_accounts.vertex_params(mock)),
             rig.deployment('set/openai/*', 'openai/*', mock.base, max_tokens=64, temperature=0.5, reasoning_effort='low',
                            extra_body={'service_tier': 'flex', 'truncation': 'auto'})]
    server = rig.Weir(folder, rig.config(rows, weir_settings={'drain_timeout': 5}))
    yield server
    server.stop()


@pytest.fixture(scope='module')
def client(weir):
    return openai.OpenAI(api_key=rig.MASTER, base_url=weir.base, max_retries=0)


def ask(weir, model, headers=None, path=COUNT, **members):
    answer = weir.call('POST', path, {'model': model, 'input': 'Hello there', **members}, headers)
    for canary in rig.CANARIES:
        assert canary not in answer.body.decode() + str(answer.headers)
    return answer


def bodies(mock, mark):
    """What was sent with this mark, in order."""
    return [json.loads(seen['body']) for seen in mock.seen(mark)]


def logged(weir, answer):
    call = answer.headers['x-litellm-call-id']
    return rig.wait_for(lambda: next((line for line in weir.log().splitlines() if call in line), None))


# -- the number, and what is sent for it

PATHS = {
    'anthropic': '/v1/messages/count_tokens',
    'gemini': r'/v1beta/models/gemini-[^/:]*(%3A|:).*:countTokens',
    'vertex_gemini': r'/v1/projects/mock-project/locations/europe-west4/publishers/google/models/.*:countTokens',
    'vertex_claude': '/v1/projects/mock-project/locations/europe-west4/publishers/anthropic/models/count-tokens:rawPredict',
}


@EVERY
@pytest.mark.parametrize('name', REQUESTS)
def test_counts_what_a_create_is_billed_for(client, mock, p, name):
    model, mark = p.script(model=p.thinker if name == 'reasoning' else None)
    counted = client.responses.input_tokens.count(model=model, **REQUESTS[name])
    assert counted.object == 'response.input_tokens' and type(counted.input_tokens) is int, counted
    created = client.responses.create(model=model, **REQUESTS[name])
    assert counted.input_tokens == created.usage.input_tokens > 0
    count, create = mock.seen(mark)
    assert re.fullmatch(PATHS[p.name], count['target']), count['target']
    assert count['header'].get(p.key_header, '').startswith(p.key_prefix + p.credential), 'the credential'
    assert len(mock.invoices(mark)) == 1, 'of the answer alone'
    sent, whole = json.loads(count['body']), json.loads(create['body'])
    if p.name == 'gemini':
        assert list(sent) == ['generateContentRequest']
        sent = sent['generateContentRequest']
        assert sent.pop('model') == 'models/' + model.removeprefix(p.prefix)
    if p.name == 'vertex_claude':
        assert sent.pop('model') == model.removeprefix('vertex_ai/')
    taken = COUNTED[p.name] or tuple(whole)
    assert sent == {k: v for k, v in whole.items() if k in taken}
    if p.name == 'anthropic':
        assert count['header']['anthropic-version'] == '2023-06-01' and 'anthropic-beta' not in count['header']


def test_native(client, mock):
    script, mark = rig.script()
    model = script.replace('mock/', 'openai/', 1)
    for request in REQUESTS.values():
        counted = client.responses.input_tokens.count(model=model, **request)
        created = client.responses.create(model=model, **request)
        assert counted.input_tokens == created.usage.input_tokens, request
    assert mock.seen(mark)[0]['target'] == '/v1/responses/input_tokens'


@EVERY
def test_more_is_more(client, p):
    model, _ = p.script()

    def count(**members):
        return client.responses.input_tokens.count(model=model, **members).input_tokens
    least = count(input='How deep is the river?')
    assert count(input='How deep is the river today?') == least + 1
    assert count(input='How deep is the river?', instructions='Be brief.') > least
    assert count(input='How deep is the river?', tools=[LOOK]) > least
    assert count(input=LOOP[:1]) > count(input='What does the gauge show?')


@EVERY
@pytest.mark.parametrize('path', ['/responses', '/v1/responses', '/openai/v1/responses', '/openai/responses'])
def test_paths(weir, p, path):
    answer = ask(weir, p.script()[0], path=f'{path}/input_tokens')
    assert answer.status == 200 and list(answer.json()) == ['object', 'input_tokens'], answer
    assert answer.headers['content-type'] == 'application/json' and answer.headers['x-weir-fidelity'] == 'exact'


def test_api_base_is_the_endpoint(weir, mock):
    script, mark = rig.script()
    model = script.replace('mock/', 'whole-url/claude-sonnet-4-5-', 1)
    assert ask(weir, model).status == 200 and ask(weir, model, path='/v1/responses').status == 200
    assert [r['target'] for r in mock.seen(mark)] == ['/v1/messages/count_tokens', '/v1/messages']


def test_async(weir):
    import asyncio

    async def count():
        async with openai.AsyncOpenAI(api_key=rig.MASTER, base_url=weir.base, max_retries=0) as client:
            return await client.responses.input_tokens.count(model=PROVIDERS[0].script()[0], input='Hello there')
    assert asyncio.run(count()).input_tokens == 5


# -- members that say how an answer is to be made

LIKE_A_CREATE = {'max_output_tokens': 2000, 'temperature': 0.5, 'store': True, 'include': [], 'metadata': {'a': 'b'},
                 'safety_identifier': 'user-7', 'service_tier': 'default', 'stream': False, 'parallel_tool_calls': False,
                 'tools': [LOOK]}


@EVERY
def test_the_body_of_a_create(weir, mock, p):
    """It is counted as it is, and the same losses are told."""
    model, mark = p.script()
    count = ask(weir, model, **LIKE_A_CREATE)
    create = ask(weir, model, path='/v1/responses', **LIKE_A_CREATE)
    assert (count.status, create.status) == (200, 200), (count, create)
    assert count.headers['x-weir-fidelity'] == create.headers['x-weir-fidelity'] != 'exact'
    sent = json.dumps(bodies(mock, mark)[0])
    for name in ('max_tokens', '"temperature"', '"metadata"', 'service_tier', '"stream"') if 'claude' in model else ():
        assert name not in sent, name


@EVERY
def test_losses_are_refused_with_strict(weir, mock, p):
    model, mark = p.script()
    answer = ask(weir, model, {'x-weir-strict': '1'}, metadata={'a': 'b'})
    assert (answer.status, answer.error['code'], answer.error['param']) == (400, 'unsupported_parameter', 'metadata'), answer
    assert not mock.seen(mark)
    assert ask(weir, model, {'x-weir-strict': '1'}).status == 200


@EVERY
def test_unsupported_parameter(weir, mock, p):
    """As in a create: refused before anything is sent, or dropped where the deployment says so."""
    model, mark = p.script()
    answer = ask(weir, model, text={'verbosity': 'low'})
    assert (answer.status, answer.error['code'], answer.error['param']) == (400, 'unsupported_parameter', 'text.verbosity'), answer
    assert not mock.seen(mark)
    answer = ask(weir, p.script(drop=True)[0], text={'verbosity': 'low'})
    assert answer.status == 200 and answer.headers['x-weir-fidelity'] == 'dropped=verbosity', answer


@pytest.mark.parametrize('model', ['anthropic/claude-sonnet-4-5', 'gemini/gemini-2.5-flash', 'vertex/gemini-2.5-flash',
                                   'vertex/claude-sonnet-4-5', 'openai/gpt-5.2'])
def test_what_the_deployment_sets(weir, mock, model):
    """Its defaults are for answers; they do not stand in the way of a count."""
    script, mark = rig.script()
    model = f'set/{model}-{script.removeprefix("mock/")}'
    answer = ask(weir, model)
    assert answer.status == 200, answer
    sent = bodies(mock, mark)[0]
    if 'gemini/' in model:
        assert sent['generateContentRequest']['generationConfig'] == {'temperature': 0.5, 'maxOutputTokens': 64}
        assert sent['generateContentRequest']['safetySettings'] == []
    elif 'gemini' in model:
        assert sorted(sent) == ['contents', 'generationConfig']
    elif 'openai' in model:
        assert sent == {'model': model.removeprefix('set/openai/'), 'input': 'Hello there', 'reasoning': {'effort': 'low'}, 'truncation': 'auto'}
    else:
        assert sorted(set(sent) - {'anthropic_version'}) == ['messages', 'model']


def test_cached_content(weir, mock):
    """A count on Vertex AI does not take it, which is told; the Developer API's does."""
    p = next(p for p in PROVIDERS if p.name == 'vertex_gemini')
    name = {'cached_content': 'projects/p/locations/l/cachedContents/c1'}
    answer = ask(weir, p.script()[0], **name)
    assert (answer.status, answer.headers['x-weir-fidelity']) == (200, 'dropped=cached_content'), answer
    answer = ask(weir, p.script()[0], {'x-weir-strict': '1'}, **name)
    assert (answer.status, answer.error['param']) == (400, 'cached_content'), answer
    p = next(p for p in PROVIDERS if p.name == 'gemini')
    model, mark = p.script('cached=100')
    answer = ask(weir, model, cached_content='cachedContents/c1')
    assert (answer.status, answer.headers['x-weir-fidelity']) == (200, 'exact') and answer.json()['input_tokens'] > 100, answer
    assert bodies(mock, mark)[0]['generateContentRequest']['cachedContent'] == 'cachedContents/c1'


# -- earlier responses

@EVERY
def test_a_conversation(client, mock, p):
    """previous_response_id counts all of it, instructions of this turn included, and leaves nothing behind."""
    model, mark = p.script()
    first = client.responses.create(model=model, input='Name a river.', instructions='You keep the weir.')
    follow = {'model': model, 'input': 'And a second one.', 'previous_response_id': first.id, 'instructions': 'Be brief.'}
    counted = client.responses.input_tokens.count(**follow).input_tokens
    second = client.responses.create(**follow)
    assert counted == second.usage.input_tokens > first.usage.input_tokens
    count = json.dumps(bodies(mock, mark)[1])
    assert 'Name a river.' in count and first.output_text in count and 'You keep the weir.' not in count
    assert client.responses.input_tokens.count(**follow).input_tokens == counted
    past = client.responses.input_tokens.count(model=model, previous_response_id=first.id, input=[{'type': 'message', 'role': 'user', 'content': 'x'}])
    assert past.input_tokens > first.usage.input_tokens


def test_a_conversation_goes_elsewhere(client):
    """What one provider has answered is counted by another."""
    made = client.responses.create(model=PROVIDERS[0].script()[0], input='Name a river.')
    for p in PROVIDERS:
        model, _ = p.script()
        with_past = client.responses.input_tokens.count(model=model, input='x', previous_response_id=made.id)
        assert with_past.input_tokens > client.responses.input_tokens.count(model=model, input='x').input_tokens + 16
    native = client.responses.input_tokens.count(model=rig.script()[0].replace('mock/', 'openai/', 1), input='x', previous_response_id=made.id)
    assert native.input_tokens > 16


@EVERY
def test_a_conversation_that_is_not_there(weir, mock, p):
    model, mark = p.script()
    answer = ask(weir, model, previous_response_id='resp_' + uuid.uuid4().hex)
    assert (answer.status, answer.error['code'], answer.error['param']) == (404, 'previous_response_not_found', 'previous_response_id'), answer
    answer = ask(weir, model, conversation='conv_1')
    assert (answer.status, answer.error['param']) == (400, 'conversation'), answer
    assert not mock.seen(mark)


def test_a_native_conversation_stays_there(weir, client, mock):
    made = client.responses.create(model=rig.script()[0].replace('mock/', 'openai/', 1), input='Name a river.')
    model, mark = PROVIDERS[0].script()
    answer = ask(weir, model, previous_response_id=made.id)
    assert (answer.status, answer.error['param']) == (400, 'previous_response_id'), answer
    assert not mock.seen(mark)


# -- what cannot be counted

@pytest.mark.parametrize('prefix', ['groq/', 'chat/'])
def test_chat_completions_alone(client, mock, prefix):
    script, mark = rig.script()
    with pytest.raises(openai.BadRequestError) as e:
        client.responses.input_tokens.count(model=script.replace('mock/', prefix, 1), input='Hello there')
    assert e.value.code == 'unsupported_parameter' and not mock.seen(mark)
    for word in ('chat completions', 'Groq' if prefix == 'groq/' else 'OpenAI', 'Anthropic', 'Vertex AI', 'usage'):
        assert word in e.value.message, e.value.message


def test_unknown_model(client):
    with pytest.raises(openai.BadRequestError) as e:
        client.responses.input_tokens.count(model='nowhere', input='Hello there')
    assert 'nowhere' in e.value.message
    with pytest.raises(openai.BadRequestError) as e:
        client.responses.input_tokens.count(input='Hello there')
    assert e.value.param == 'model'


@EVERY
@pytest.mark.parametrize('bad', [{'stream': True}, {'input': 7}, {'input': [{'type': 'nothing'}]}, {'tools': 'x'}, {'background': True},
                                 {'instructions': 7}, {'prompt': {'id': 'p'}}], ids=str)
def test_bad_requests(weir, mock, p, bad):
    model, mark = p.script()
    answer = ask(weir, model, **bad)
    assert answer.status == 400 and answer.error['type'] == 'invalid_request_error', answer
    assert answer.error['param'].startswith(next(iter(bad))), answer
    assert not mock.seen(mark)


@EVERY
@pytest.mark.parametrize('body', [b'', b'{', b'[]', b'{"model":"m","model":"m","input":"x"}'])
def test_no_request_at_all(weir, p, body):
    answer = weir.call('POST', COUNT, body)
    assert answer.status == 400 and answer.error['message'], answer


def test_needs_a_key(weir):
    answer = weir.call('POST', COUNT, {'model': 'm', 'input': 'x'}, key='sk-other')
    assert answer.status == 401, answer
    assert weir.call('GET', COUNT).status == 405, 'no response has the id input_tokens'


# -- the provider's errors

@EVERY
def test_errors_of_the_provider(client, p):
    for status, kind in ((400, openai.BadRequestError), (404, openai.NotFoundError), (429, openai.RateLimitError),
                         (500, openai.InternalServerError)):
        with pytest.raises(kind) as e:
            client.responses.input_tokens.count(model=p.script(f'status={status}')[0], input='Hello there')
        assert e.value.status_code == status and e.value.message, e.value
    with pytest.raises(openai.InternalServerError) as e:
        client.responses.input_tokens.count(model=p.script(f'status={p.overloaded}')[0], input='Hello there')
    assert e.value.status_code == 503


@EVERY
def test_retry_after(weir, p):
    answer = ask(weir, p.script('status=429,header=retry-after:7')[0])
    assert (answer.status, answer.headers['retry-after']) == (429, '7'), answer


@EVERY
def test_a_credential_that_is_refused(weir, mock, p):
    model, mark = p.script('status=401')
    answer = ask(weir, model)
    assert (answer.status, answer.error['code']) == (502, 'upstream_auth'), answer
    assert len(mock.seen(mark)) == (2 if 'vertex' in p.name else 1)


@pytest.mark.parametrize('name', ['vertex_gemini', 'vertex_claude'])
def test_a_token_that_ended(folder, name):
    """One more, once, and the same count: the client sees nothing of it."""
    p = next(p for p in PROVIDERS if p.name == name)
    site = rig.Mock(folder)
    server = rig.Weir(folder, rig.config(p.deployments(site), weir_settings={'drain_timeout': 5}), '--workers', '1')
    try:
        model, mark = p.script()
        assert ask(server, model).status == 200
        rig.request(site.port, 'POST', '/__mock/google/revoke')
        answer = ask(server, model)
        assert answer.status == 200 and answer.json()['input_tokens'] == 5, answer
        first, refused, again = bodies(site, mark)
        assert first == refused == again
    finally:
        server.stop()
        site.stop()


@EVERY
@pytest.mark.parametrize('script', ['html', 'empty', 'badjson', 'cut=5', 'reset=5', 'nohead', 'headcut=20', 'framing=close,end=9'])
def test_answers_that_are_none(weir, p, script):
    answer = ask(weir, p.script(script)[0])
    assert answer.status == 502 and answer.error['message'], answer
    assert '<' not in answer.error['message']


@pytest.fixture(scope='module')
def recorded(folder, replay):
    """A simulator that answers with files, and a gateway before it."""
    other = rig.Mock(folder, '--replay', replay)
    rows = [row for p in PROVIDERS for row in p.deployments(other)]
    server = rig.Weir(folder, rig.config(rows, weir_settings={'drain_timeout': 5}))

    def answers(p, content):
        name = f'{uuid.uuid4().hex}.json'
        with open(f'{replay}/{name}', 'w', encoding='utf-8') as file:
            file.write(content)
        return ask(server, p.script(f'fixture={name}')[0])
    yield answers
    server.stop()
    other.stop()


@EVERY
def test_numbers(recorded, p):
    name = 'input_tokens' if 'claude' in p.model or 'claude' in p.prefix or p.name == 'anthropic' else 'totalTokens'
    for text, want in (('0', 0), ('7', 7), ('4294967296', 4294967296), ('"12"', 12)):
        answer = recorded(p, f'{{"other": [], "{name}": {text}}}')
        assert answer.status == 200 and answer.body == b'{"object":"response.input_tokens","input_tokens":%d}' % want, answer
    for text in ('-1', '1.5', 'null', '"many"', '[]', '1e99'):
        answer = recorded(p, f'{{"{name}": {text}}}')
        assert (answer.status, answer.error['code']) == (502, 'upstream_invalid_response'), answer
    for content in ('{}', '[]', '{"tokens": 7}', f'{{"{name}": 7'):
        assert recorded(p, content).status == 502


@EVERY
def test_an_error_sent_as_a_success(recorded, p):
    claude = p.name in ('anthropic', 'vertex_claude')
    answer = recorded(p, json.dumps(
        {'type': 'error', 'error': {'type': 'overloaded_error', 'message': 'Overloaded.'}} if claude else
        {'error': {'code': 503, 'message': 'Overloaded.', 'status': 'UNAVAILABLE'}}))
    assert answer.status >= 500 and 'Overloaded.' in answer.error['message'], answer


# -- what is told of it

@EVERY
def test_nothing_is_booked(weir, p):
    answer = ask(weir, p.script()[0])
    line = logged(weir, answer)
    assert 'route=response_tokens' in line and 'status=200' in line, line
    assert 'prompt_tokens' not in line and 'completion_tokens' not in line, line
    assert answer.headers['x-litellm-model-id'] and answer.headers['x-litellm-model-group']
