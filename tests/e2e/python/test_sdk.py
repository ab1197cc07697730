"""The official Python SDK against weir: an application keeps it and changes base_url."""
import asyncio
import base64
import json
import time

import openai
import pydantic
import pytest

import rig

TEXT = 'The dam is low and the river runs over it; what passes is measured, not held.'
HELLO = [{'role': 'user', 'content': 'Hello'}]
WEATHER = {'type': 'function', 'function': {
    'name': 'get_weather', 'description': 'The weather of a city',
    'parameters': {'type': 'object', 'properties': {'city': {'type': 'string'}, 'days': {'type': 'integer'}},
                   'required': ['city', 'days'], 'additionalProperties': False}}}
TIME = {'type': 'function', 'function': {'name': 'get_time', 'parameters': {'type': 'object', 'properties': {}}}}
PIXEL = ('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==')


@pytest.fixture(scope='module', params=['/v1', '/', ''], ids=['v1', 'slash', 'bare'])
def any_base(request, weir):
    with openai.OpenAI(api_key=rig.MASTER, base_url=f'http://127.0.0.1:{weir.port}{request.param}',
                       max_retries=0) as client:
        yield client


@pytest.fixture(scope='module')
def client(weir):
    with openai.OpenAI(api_key=rig.MASTER, base_url=weir.base, max_retries=0) as made:
        yield made


def test_chat(any_base):
    answer = any_base.chat.completions.create(model='gpt-4.1', messages=HELLO)
    assert answer.object == 'chat.completion'
    assert answer.choices[0].message.content == TEXT
    assert answer.choices[0].finish_reason == 'stop'
    assert answer.model == 'gpt-4.1'
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (4, 16)


def test_chat_headers(client, mock):
    answer = client.chat.completions.with_raw_response.create(model='gpt-4.1', messages=HELLO)
    assert answer.headers['x-litellm-model-id'] == 'deployment-one'
    assert answer.headers['x-litellm-model-group'] == 'gpt-4.1'
    assert answer.headers['x-litellm-model-api-base'].startswith(f'http://127.0.0.1:{mock.port}')
    assert answer.headers['x-weir-fidelity'] == 'exact'
    assert answer.headers['llm_provider-openai-version'] == '2020-10-01'
    assert answer.headers['x-ratelimit-remaining-requests'] == '499'
    assert answer.headers['x-litellm-call-id']


def test_parameters_arrive(client, mock):
    model, mark = rig.script()
    client.chat.completions.create(
        model=model, messages=HELLO, temperature=0.25, top_p=0.5, seed=7, stop=['river'], n=2, logprobs=True,
        max_completion_tokens=9, user='u-1', reasoning_effort='low', extra_body={'vendor': {'x': [1, None, '\u00e9']}})
    sent = json.loads(mock.one(mark)['body'])
    assert sent['model'] == model.removeprefix('mock/')
    assert sent['messages'] == HELLO
    assert (sent['temperature'], sent['top_p'], sent['seed'], sent['n']) == (0.25, 0.5, 7, 2)
    assert sent['stop'] == ['river'] and sent['max_completion_tokens'] == 9 and sent['user'] == 'u-1'
    assert sent['logprobs'] is True and sent['reasoning_effort'] == 'low'
    assert sent['vendor'] == {'x': [1, None, '\u00e9']}


def test_max_tokens_and_choices(client):
    answer = client.chat.completions.create(model='gpt-4.1', messages=HELLO, max_tokens=3, n=2, logprobs=True)
    assert [c.message.content for c in answer.choices] == ['The dam is'] * 2
    assert [c.finish_reason for c in answer.choices] == ['length'] * 2
    assert [t.token for t in answer.choices[0].logprobs.content] == ['The', ' dam', ' is']
    assert answer.usage.completion_tokens == 6


def test_stream(any_base):
    text, finish, model = '', None, set()
    for chunk in any_base.chat.completions.create(model='gpt-4.1', messages=HELLO, stream=True):
        assert chunk.choices, 'an event without choices reached a client that did not ask for usage'
        assert 'usage' not in chunk.model_fields_set, 'usage reached a client that did not ask for it'
        model.add(chunk.model)
        text += chunk.choices[0].delta.content or ''
        finish = chunk.choices[0].finish_reason or finish
    assert (text, finish, model) == (TEXT, 'stop', {'gpt-4.1'})


def test_stream_usage(client):
    chunks = list(client.chat.completions.create(model='gpt-4.1', messages=HELLO, stream=True,
                                                 stream_options={'include_usage': True}))
    assert chunks[-1].choices == [] and chunks[-1].usage.completion_tokens == 16
    assert all(c.usage is None and 'usage' in c.model_fields_set for c in chunks[:-1])


def test_stream_choices(client):
    texts = ['', '', '']
    for chunk in client.chat.completions.create(model='gpt-4.1', messages=HELLO, stream=True, n=3):
        for choice in chunk.choices:
            texts[choice.index] += choice.delta.content or ''
    assert texts == [TEXT] * 3


def test_stream_refusal(client):
    model, _ = rig.script('refusal')
    chunks = list(client.chat.completions.create(model=model, messages=HELLO, stream=True))
    assert ''.join(c.choices[0].delta.refusal or '' for c in chunks) == 'I cannot help with that.'


def test_stream_helper(client):
    with client.chat.completions.stream(model='gpt-4.1', messages=HELLO) as stream:
        kinds = {event.type for event in stream}
        final = stream.get_final_completion()
    assert {'chunk', 'content.delta', 'content.done'} <= kinds
    assert final.choices[0].message.content == TEXT


def test_async(weir):
    async def run():
        async with openai.AsyncOpenAI(api_key=rig.MASTER, base_url=weir.base, max_retries=0) as client:
            async def stream():
                got = ''
                async for chunk in await client.chat.completions.create(model='gpt-4.1', messages=HELLO, stream=True):
                    got += chunk.choices[0].delta.content or ''
                return got
            whole = client.chat.completions.create(model='gpt-4.1', messages=HELLO)
            return await asyncio.gather(whole, *(stream() for _ in range(8)))
    whole, *streams = asyncio.run(run())
    assert whole.choices[0].message.content == TEXT
    assert streams == [TEXT] * 8


# -- tools

def test_tool_call_and_result(client):
    first = client.chat.completions.create(model='gpt-4.1', messages=HELLO, tools=[WEATHER])
    message = first.choices[0].message
    assert first.choices[0].finish_reason == 'tool_calls' and message.content is None
    call, = message.tool_calls
    assert call.function.name == 'get_weather'
    assert json.loads(call.function.arguments) == {'city': 'text', 'days': 1}
    second = client.chat.completions.create(model='gpt-4.1', tools=[WEATHER], messages=[
        *HELLO, message.to_dict(), {'role': 'tool', 'tool_call_id': call.id, 'content': 'rain, 7 C'}])
    assert second.choices[0].message.content == 'The tools answered: rain, 7 C'


def test_tool_choice(client):
    named = {'type': 'function', 'function': {'name': 'get_time'}}
    answer = client.chat.completions.create(model='gpt-4.1', messages=HELLO, tools=[WEATHER, TIME], tool_choice=named)
    assert [c.function.name for c in answer.choices[0].message.tool_calls] == ['get_time']
    answer = client.chat.completions.create(model='gpt-4.1', messages=HELLO, tools=[WEATHER], tool_choice='none')
    assert answer.choices[0].message.tool_calls is None and answer.choices[0].message.content == TEXT


def test_parallel_tools(client):
    model, _ = rig.script('tools=3')
    answer = client.chat.completions.create(model=model, messages=HELLO, tools=[WEATHER, TIME])
    calls = answer.choices[0].message.tool_calls
    assert [c.function.name for c in calls] == ['get_weather', 'get_time', 'get_weather']
    assert len({c.id for c in calls}) == 3
    answer = client.chat.completions.create(model=model, messages=HELLO, tools=[WEATHER, TIME],
                                            parallel_tool_calls=False)
    assert len(answer.choices[0].message.tool_calls) == 1


def test_parallel_tools_stream(client):
    model, _ = rig.script('tools=2')
    with client.chat.completions.stream(model=model, messages=HELLO, tools=[WEATHER, TIME]) as stream:
        for _ in stream:
            pass
        message = stream.get_final_completion().choices[0].message
    assert [c.function.name for c in message.tool_calls] == ['get_weather', 'get_time']
    assert json.loads(message.tool_calls[0].function.arguments) == {'city': 'text', 'days': 1}
    assert json.loads(message.tool_calls[1].function.arguments) == {}


def test_custom_tool(client):
    tool = {'type': 'custom', 'custom': {'name': 'run_sql', 'format': {'type': 'text'}}}
    call, = client.chat.completions.create(model='gpt-4.1', messages=HELLO, tools=[tool]).choices[0].message.tool_calls
    assert call.type == 'custom' and call.custom.input == 'select 1'


# -- structured output, images, the other routes

class Person(pydantic.BaseModel):
    name: str
    age: int
    tags: list[str]
    mother: 'Person | None'


def test_structured_output(client):
    answer = client.chat.completions.parse(model='gpt-4.1', messages=HELLO, response_format=Person)
    person = answer.choices[0].message.parsed
    assert isinstance(person, Person) and person.name == 'text' and person.age == 1 and person.tags == ['text']


def test_structured_output_cut(client):
    with pytest.raises(openai.LengthFinishReasonError):
        client.chat.completions.parse(model='gpt-4.1', messages=HELLO, response_format=Person, max_tokens=2)


def test_image(client, mock):
    model, mark = rig.script()
    parts = [{'type': 'text', 'text': 'What is this?'},
             {'type': 'image_url', 'image_url': {'url': 'data:image/png;base64,' + PIXEL, 'detail': 'low'}}]
    answer = client.chat.completions.create(model=model, messages=[{'role': 'user', 'content': parts}])
    assert answer.usage.prompt_tokens == 3 + 3 + 85
    assert json.loads(mock.one(mark)['body'])['messages'][0]['content'] == parts


def test_image_of_megabytes(client, mock):
    model, mark = rig.script()
    url = 'data:image/png;base64,' + base64.b64encode(bytes(range(256)) * 12000).decode()
    client.chat.completions.create(model=model, messages=[
        {'role': 'user', 'content': [{'type': 'image_url', 'image_url': {'url': url}}]}])
    assert json.loads(mock.one(mark)['body'])['messages'][0]['content'][0]['image_url']['url'] == url


def test_embeddings(client, mock):
    answer = client.embeddings.create(model='text-embedding-3-small', input=['a', 'b c'])
    assert [len(row.embedding) for row in answer.data] == [16, 16]
    assert answer.data[0].embedding[:2] == [-0.78125, -0.4921875]
    assert answer.model == 'text-embedding-3-small' and answer.usage.prompt_tokens == 3
    floats = client.embeddings.create(model='text-embedding-3-small', input='a', encoding_format='float', dimensions=4)
    assert floats.data[0].embedding == [-0.78125, -0.4921875, -0.203125, 0.0859375]


def test_embeddings_of_tokens(client):
    assert client.embeddings.create(model='text-embedding-3-small', input=[1, 2, 3]).usage.prompt_tokens == 3


def test_completions(client):
    answer = client.completions.create(model='gpt-3.5-turbo-instruct', prompt='Say', max_tokens=3)
    assert answer.object == 'text_completion' and answer.choices[0].text == 'The dam is'
    assert answer.model == 'gpt-3.5-turbo-instruct'
    text = ''.join(c.choices[0].text for c in client.completions.create(
        model='gpt-3.5-turbo-instruct', prompt='Say', max_tokens=4, stream=True))
    assert text == 'The dam is low'


def test_models(client):
    listed = {m.id: m for m in client.models.list()}
    assert {'gpt-4.1', 'text-embedding-3-small', 'unreachable'} <= set(listed)
    assert listed['gpt-4.1'].object == 'model' and listed['gpt-4.1'].owned_by == 'openai'
    assert client.models.retrieve('gpt-4.1').id == 'gpt-4.1'
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve('no-such-model')


# -- errors

@pytest.mark.parametrize('status,kind', [
    (400, openai.BadRequestError), (403, openai.PermissionDeniedError), (404, openai.NotFoundError),
    (409, openai.ConflictError), (422, openai.UnprocessableEntityError), (429, openai.RateLimitError),
    (500, openai.InternalServerError), (503, openai.InternalServerError)])
@pytest.mark.parametrize('stream', [False, True], ids=['whole', 'stream'])
def test_errors(client, status, kind, stream):
    model, _ = rig.script(f'status={status}')
    with pytest.raises(kind) as raised:
        client.chat.completions.create(model=model, messages=HELLO, stream=stream)
    assert raised.value.body['message'] and isinstance(raised.value.body['code'], str)


def test_error_of_the_client(client):
    with pytest.raises(openai.BadRequestError) as raised:
        client.chat.completions.create(model='gpt-4.1', messages=[{'role': 'tool', 'content': 'x', 'tool_call_id': 'y'}])
    assert 'must be a response to a preceeding message' in str(raised.value)
    assert raised.value.param == 'messages'


def test_wrong_key(weir):
    with openai.OpenAI(api_key='sk-wrong-key-of-somebody', base_url=weir.base, max_retries=0) as client:
        with pytest.raises(openai.AuthenticationError):
            client.chat.completions.create(model='gpt-4.1', messages=HELLO)


def test_unknown_model(client):
    with pytest.raises(openai.BadRequestError) as raised:
        client.chat.completions.create(model='no-such-model', messages=HELLO)
    assert raised.value.param == 'model'


def test_error_in_a_stream(client):
    model, _ = rig.script('error-event=3')
    text = ''
    with pytest.raises(openai.APIError):
        for chunk in client.chat.completions.create(model=model, messages=HELLO, stream=True):
            text += chunk.choices[0].delta.content or ''
    assert text == 'The dam is'


def test_retry_of_the_sdk(weir, mock):
    """The SDK's own retries see the second answer: retry-after-ms arrives, and nothing is remembered."""
    model, mark = rig.script('status=503,times=1,header=retry-after-ms:5')
    with openai.OpenAI(api_key=rig.MASTER, base_url=weir.base, max_retries=2) as client:
        assert client.chat.completions.create(model=model, messages=HELLO).choices[0].message.content == TEXT
    assert len(mock.seen(mark)) == 2


# -- leaving, and time

def test_abort_of_a_stream(client, mock):
    model, mark = rig.script('tokens=500,interval_us=20000')
    stream = client.chat.completions.create(model=model, messages=HELLO, stream=True)
    for _, _ in zip(range(4), stream):
        pass
    stream.close()
    start = time.monotonic()
    invoice = mock.wait_invoice(mark)
    assert invoice['outcome'] == 'client left' and invoice['bytes'] < invoice['of_bytes']
    assert time.monotonic() - start < 8     # the whole takes 10


def test_abort_of_a_whole_answer(client, mock):
    model, mark = rig.script('latency=15000')
    start = time.monotonic()
    with pytest.raises(openai.APITimeoutError):
        client.with_options(timeout=0.3).chat.completions.create(model=model, messages=HELLO)
    assert mock.wait_invoice(mark)['outcome'] == 'client left'
    assert time.monotonic() - start < 12


@pytest.mark.parametrize('stream', [False, True], ids=['whole', 'stream'])
def test_timeout_header(client, stream):
    model, _ = rig.script('latency=15000')
    start = time.monotonic()
    with pytest.raises(openai.APIStatusError) as raised:
        client.chat.completions.create(model=model, messages=HELLO, stream=stream,
                                       extra_headers={'x-litellm-timeout': '0.3'})
    assert raised.value.status_code == 408 and raised.value.type == 'timeout_error'
    assert time.monotonic() - start < 12


def test_timeout_in_the_body(client, mock):
    model, mark = rig.script('latency=15000')
    with pytest.raises(openai.APIStatusError) as raised:
        client.chat.completions.create(model=model, messages=HELLO, extra_body={'timeout': 0.3})
    assert raised.value.status_code == 408
    assert 'timeout' not in json.loads(mock.one(mark)['body'])


# -- the Azure client's paths

def test_azure_client(weir):
    with openai.AzureOpenAI(azure_endpoint=f'http://127.0.0.1:{weir.port}', api_key=rig.MASTER,
                            api_version='2024-10-21', max_retries=0) as client:
        answer = client.chat.completions.create(model='gpt-4.1', messages=HELLO)
        assert answer.choices[0].message.content == TEXT and answer.model == 'gpt-4.1'
        chunks = list(client.chat.completions.create(model='gpt-4.1', messages=HELLO, stream=True))
        assert ''.join(c.choices[0].delta.content or '' for c in chunks) == TEXT
        vectors = client.embeddings.create(model='text-embedding-3-small', input='a')
        assert len(vectors.data[0].embedding) == 16


def test_azure_deployment(weir, mock):
    """With azure_deployment the model stands in the path alone, or wins over the body's."""
    with openai.AzureOpenAI(azure_endpoint=f'http://127.0.0.1:{weir.port}', azure_deployment='gpt-4.1',
                            api_key=rig.MASTER, api_version='2024-10-21', max_retries=0) as client:
        mark = f'azure-{time.monotonic_ns()}'
        answer = client.chat.completions.create(model='ignored', messages=[{'role': 'user', 'content': mark}])
    assert answer.choices[0].message.content == TEXT
    assert json.loads(mock.one(mark)['body'])['model'] == 'gpt-4.1'
