"""The Responses API as the official Python SDK speaks it, in front of four providers: natively, and over three other formats."""
import asyncio
import base64
import json

import openai
import pydantic
import pytest

import responses_rig
import rig
from providers import REFUSAL, TEXT, THOUGHT, TOOLS, received
from responses_rig import ALIASES, CHAT, CLAUDE, GEMINI, OPENAI, THINKERS, billed, no_canary, script

WEATHER = {'type': 'function', 'name': 'get_weather', 'description': 'The weather of a city', 'strict': True,
           'parameters': {'type': 'object', 'properties': {'city': {'type': 'string'}, 'days': {'type': 'integer'}},
                          'required': ['city', 'days'], 'additionalProperties': False}}
TIME = {'type': 'function', 'name': 'get_time', 'strict': False, 'parameters': {'type': 'object', 'properties': {}}}
SHELL = {'type': 'custom', 'name': 'shell', 'description': 'Runs a line'}
PIXEL = base64.b64decode('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==')
PDF = b'%PDF-1.4\n%%EOF\n'
BOTH = pytest.mark.parametrize('stream', [False, True], ids=['whole', 'stream'])


def data_url(kind, content):
    return f'data:{kind};base64,' + base64.b64encode(content).decode()


@pytest.fixture(scope='module')
def gateway(folder, mock):
    server = responses_rig.start(folder, mock)
    yield server
    server.stop()


@pytest.fixture(scope='module')
def client(gateway):
    with openai.OpenAI(api_key=rig.MASTER, base_url=gateway.base, max_retries=0) as made:
        yield made


@pytest.fixture(params=ALIASES, ids=lambda a: a.name)
def a(request):
    return request.param


@pytest.fixture(params=THINKERS, ids=lambda a: a.name)
def thinking(request):
    return request.param


class Got:
    """An answer, however it came: the response object, and the headers."""

    def __init__(self, raw, stream):
        self.headers, self.events = raw.headers, []
        no_canary(str(dict(raw.headers)))
        if stream:
            self.events = list(raw.parse())
            self.response = check_stream(self.events)
        else:
            self.response = raw.parse()
        self.id, self.output, self.usage = self.response.id, self.response.output, self.response.usage
        self.text = self.response.output_text

    @property
    def kinds(self):
        return [item.type for item in self.output]

    def items(self):
        """The output as a client sends it back."""
        return [item.model_dump(exclude_none=True) for item in self.output]

    def calls(self):
        return [item for item in self.output if item.type in ('function_call', 'custom_tool_call')]

    def answers(self, *results):
        return [{'type': c.type + '_output', 'call_id': c.call_id, 'output': r}
                for c, r in zip(self.calls(), results, strict=True)]


# What ends each part of an item, and the member that holds the whole of what its deltas said.
DELTAS = {'response.output_text': 'text', 'response.refusal': 'refusal', 'response.function_call_arguments': 'arguments',
          'response.custom_tool_call_input': 'input', 'response.reasoning_summary_text': 'text',
          'response.reasoning_text': 'text'}


def check_stream(events):
    """The grammar of the stream; returns the final response, which must agree with what the events said."""
    assert [e.sequence_number for e in events] == list(range(len(events)))
    assert [e.type for e in events[:2]] == ['response.created', 'response.in_progress']
    last = events[-1]
    assert last.type in ('response.completed', 'response.incomplete'), last
    assert events[0].response.id == events[1].response.id == last.response.id
    assert events[0].response.model == last.response.model
    assert (events[0].response.status, events[0].response.output, events[0].response.usage) == ('in_progress', [], None)
    done, said, open_items = {}, {}, {}
    for event in events[2:-1]:
        base, _, verb = event.type.rpartition('.')
        if event.type == 'response.output_item.added':
            assert event.output_index == len(done) + len(open_items)
            open_items[event.output_index] = event.item
        elif event.type == 'response.output_item.done':
            added = open_items.pop(event.output_index)
            assert (added.id, added.type) == (event.item.id, event.item.type)
            done[event.output_index] = event.item
        else:
            assert open_items[event.output_index].id == event.item_id, event
            place = (event.item_id, base, getattr(event, 'content_index', getattr(event, 'summary_index', 0)))
            if verb == 'delta':
                said[place] = said.get(place, '') + event.delta
            elif base in DELTAS:
                assert said.get(place, '') == getattr(event, DELTAS[base]), event
    assert not open_items, 'an item was not ended'
    assert [done[i] for i in range(len(done))] == last.response.output
    return last.response


@pytest.fixture
def ask(client):
    def asker(model, stream=False, input='Hello', headers=None, **members):
        raw = client.responses.with_raw_response.create(model=model, input=input, stream=stream, extra_headers=headers, **members)
        return Got(raw, stream)
    return asker


def refused(status, ask, *arguments, **members):
    """The error of a request that must fail with this status; no credential stands in it."""
    with pytest.raises(openai.APIStatusError) as raised:
        ask(*arguments, **members)
    error = raised.value
    assert error.status_code == status, error
    no_canary(error.response.text + str(dict(error.response.headers)))
    assert set(error.body) >= {'message', 'type', 'param', 'code'} and isinstance(error.body['code'], str | None)
    return error


def sent(mock, mark):
    return json.loads(mock.one(mark)['body'])


# -- text

@BOTH
def test_create(ask, mock, a, stream):
    headers, mark = script()
    got = ask(a.name, stream, headers=headers)
    r = got.response
    assert (got.text, r.status, r.model, r.object) == (TEXT, 'completed', a.name, 'response')
    assert got.kinds == ['message'] and r.output[0].role == 'assistant' and r.output[0].status == 'completed'
    assert r.id.startswith('resp_') and r.output[0].id.startswith('msg_')
    assert (r.error, r.incomplete_details, r.instructions, r.previous_response_id) == (None, None, None, None)
    assert (r.tools, r.tool_choice, r.parallel_tool_calls, r.metadata) == ([], 'auto', True, {})
    assert r.created_at and r.completed_at >= r.created_at
    assert got.headers['x-weir-fidelity'] == 'exact'
    assert got.headers['x-litellm-model-group'] == a.name
    seen = mock.one(mark)
    assert seen['target'] == (a.stream_path if stream else a.path)
    assert rig.MASTER not in str(seen), "the client's credential went to the provider"


@BOTH
def test_usage(ask, mock, a, stream):
    """As the provider reported it, with those from a cache as a part of the input's."""
    headers, mark = billed('cached=1000' if not a.name.startswith('groq') else '')
    got = ask(a.name, stream, headers=headers)
    invoice = mock.wait_invoice(mark)
    usage = got.usage
    assert (usage.input_tokens, usage.output_tokens) == (invoice['prompt_tokens'], invoice['completion_tokens'])
    assert usage.output_tokens == 16 and usage.total_tokens == usage.input_tokens + usage.output_tokens
    assert usage.input_tokens_details.cached_tokens == (0 if a.name.startswith('groq') else 1000)
    assert usage.output_tokens_details.reasoning_tokens == 0


def test_stream_events(ask, a):
    """Every event of a plain answer, in its order; the text comes piece by piece."""
    kinds = [e.type for e in ask(a.name, True).events]
    first, last = kinds.index('response.output_text.delta'), len(kinds) - kinds[::-1].index('response.output_text.delta')
    assert kinds[:first] == ['response.created', 'response.in_progress', 'response.output_item.added',
                             'response.content_part.added']
    assert set(kinds[first:last]) == {'response.output_text.delta'} and last - first > 1
    assert kinds[last:] == ['response.output_text.done', 'response.content_part.done', 'response.output_item.done',
                            'response.completed']


def test_stream_helper(client, a):
    with client.responses.stream(model=a.name, input='Hello') as stream:
        text = ''.join(e.delta for e in stream if e.type == 'response.output_text.delta')
        final = stream.get_final_response()
    assert text == final.output_text == TEXT
    assert (final.status, final.model) == ('completed', a.name)


def test_async(gateway, a):
    async def run():
        async with openai.AsyncOpenAI(api_key=rig.MASTER, base_url=gateway.base, max_retries=0) as client:
            whole, stream = await asyncio.gather(client.responses.create(model=a.name, input='Hello'),
                                                 client.responses.create(model=a.name, input='Hello', stream=True))
            return whole.output_text, ''.join([e.delta async for e in stream if e.type == 'response.output_text.delta'])
    assert asyncio.run(run()) == (TEXT, TEXT)


def test_roles(ask, mock, a):
    """Instructions come before what the input says to the model; parts and plain strings are one."""
    headers, mark = script()
    got = ask(a.name, headers=headers, instructions='Be brief.', input=[
        {'role': 'developer', 'content': 'In English.'}, {'role': 'user', 'content': 'One'},
        {'type': 'message', 'role': 'user', 'content': [{'type': 'input_text', 'text': 'Two'}]},
        {'role': 'assistant', 'content': 'Yes'}, {'role': 'user', 'content': 'Three'}])
    assert got.text == TEXT and got.response.instructions == 'Be brief.'
    body = mock.one(mark)['body'].decode()
    places = [body.index(f'"{text}"' if text in ('One', 'Two', 'Three', 'Yes') else text)
              for text in ('One', 'Two', 'Yes', 'Three')]
    assert places == sorted(places)
    assert 'Be brief.' in body and 'In English.' in body
    assert not a.native or json.loads(body)['instructions'] == 'Be brief.'


def test_parameters_are_echoed(ask, mock, a):
    headers, mark = script()
    r = ask(a.name, headers=headers, temperature=0.25, max_output_tokens=64, metadata={'k': 'v'}).response
    assert (r.temperature, r.max_output_tokens, r.metadata, r.store) == (0.25, 64, {'k': 'v'}, True)
    body = mock.one(mark)['body'].decode()
    assert '0.25' in body and '64' in body


@BOTH
def test_incomplete(ask, a, stream):
    headers, _ = script('tokens=40')
    got = ask(a.name, stream, headers=headers, max_output_tokens=20)
    assert (got.response.status, got.response.incomplete_details.reason) == ('incomplete', 'max_output_tokens')
    assert got.usage.output_tokens == 20 and got.text.startswith(TEXT[:30])
    assert got.output[-1].status == 'incomplete'


@BOTH
def test_refusal(ask, a, stream):
    headers, _ = script('refusal')
    got = ask(a.name, stream, headers=headers)
    part, = got.output[-1].content
    assert (part.type, part.refusal) == ('refusal', REFUSAL)
    if a is GEMINI:     # a block of the prompt, which is no word of the model's
        assert (got.response.status, got.response.incomplete_details.reason) == ('incomplete', 'content_filter')
    else:
        assert got.response.status == 'completed'


# -- tools

@BOTH
@pytest.mark.parametrize('how', ['resent', 'previous'])
def test_tool_loop(ask, mock, a, stream, how):
    """The call, its result given back with the items that led to it, or by naming the response."""
    headers, _ = script()
    first = ask(a.name, stream, headers=headers, tools=[WEATHER], input='How is the weather?')
    call, = first.calls()
    assert first.response.status == 'completed' and first.kinds[-1] == 'function_call' and first.text == ''
    assert (call.name, json.loads(call.arguments), call.status) == ('get_weather', {'city': 'text', 'days': 1}, 'completed')
    assert call.id.startswith('fc_') and call.call_id
    headers, mark = script()
    results = first.answers('sunny')
    if how == 'resent':
        second = ask(a.name, stream, headers=headers, tools=[WEATHER],
                     input=[{'role': 'user', 'content': 'How is the weather?'}, *first.items(), *results])
    else:
        second = ask(a.name, stream, headers=headers, tools=[WEATHER], input=results, previous_response_id=first.id)
        assert second.response.previous_response_id == first.id
    assert second.text == TOOLS + 'sunny' and second.kinds == ['message']
    if not a.native:
        assert b'How is the weather?' in mock.one(mark)['body']


@BOTH
def test_parallel_tools(ask, a, stream):
    headers, _ = script('tools=2')
    first = ask(a.name, stream, headers=headers, tools=[WEATHER, TIME])
    assert [(c.name, json.loads(c.arguments)) for c in first.calls()] == [
        ('get_weather', {'city': 'text', 'days': 1}), ('get_time', {})]
    assert len({c.call_id for c in first.calls()}) == len({c.id for c in first.calls()}) == 2
    # Results in another order than the calls.
    second = ask(a.name, stream, tools=[WEATHER, TIME], previous_response_id=first.id, input=first.answers('r0', 'r1')[::-1])
    assert second.text in (TOOLS + 'r0 r1', TOOLS + 'r1 r0')


@BOTH
def test_tool_choice(ask, a, stream):
    got = ask(a.name, stream, tools=[WEATHER, TIME], tool_choice={'type': 'function', 'name': 'get_time'})
    assert [c.name for c in got.calls()] == ['get_time']
    assert got.response.tool_choice.name == 'get_time' and [t.name for t in got.response.tools] == ['get_weather', 'get_time']
    assert ask(a.name, stream, tools=[WEATHER], tool_choice='none').text == TEXT


@BOTH
def test_given_calls(ask, a, stream):
    """Arguments reach the client as the model wrote them, numbers and all."""
    headers, _ = script('call=get_weather({"city":"Ulm","days":12345678901234567890})')
    got = ask(a.name, stream, headers=headers, tools=[WEATHER])
    call, = got.calls()
    assert call.arguments.replace(' ', '') == '{"city":"Ulm","days":12345678901234567890}'


@BOTH
def test_custom_tool(ask, mock, a, stream):
    """A tool whose input is any text."""
    headers, _ = script('call=shell(echo "dam" && ls)')
    first = ask(a.name, stream, headers=headers, tools=[SHELL], input='List')
    call, = first.calls()
    assert (call.type, call.name, call.input) == ('custom_tool_call', 'shell', 'echo "dam" && ls')
    assert call.id.startswith('ctc_')
    second = ask(a.name, stream, tools=[SHELL], input=[{'role': 'user', 'content': 'List'}, *first.items(), *first.answers('a b')])
    assert second.text == TOOLS + 'a b'


def test_tool_result_parts(ask, mock, a):
    """A result in parts: text and an image, which some providers take beside a result alone."""
    first = ask(a.name, tools=[WEATHER])
    result = first.answers([{'type': 'input_text', 'text': 'rain'}, {'type': 'input_image', 'image_url': data_url('image/png', PIXEL)}])
    headers, mark = script()
    second = ask(a.name, headers=headers, tools=[WEATHER], previous_response_id=first.id, input=result)
    assert second.response.status == 'completed'
    fidelity = {GEMINI.name: 'degraded=tool_result_media', CHAT.name: 'degraded=tool_media'}
    assert second.headers['x-weir-fidelity'] == fidelity.get(a.name, 'exact')
    body = mock.one(mark)['body'].decode()
    assert body.index('rain') < body.index(base64.b64encode(PIXEL).decode())


# -- structured output

class Person(pydantic.BaseModel):
    name: str
    age: int


def test_parse(client, a):
    got = client.responses.parse(model=a.name, input='Who?', text_format=Person)
    assert got.output_parsed == Person(name='text', age=1)


def test_parse_stream(client, a):
    with client.responses.stream(model=a.name, input='Who?', text_format=Person) as stream:
        for _ in stream:
            pass
        assert stream.get_final_response().output_parsed == Person(name='text', age=1)


# -- images and files

@BOTH
def test_image(ask, a, stream):
    got = ask(a.name, stream, input=[{'role': 'user', 'content': [
        {'type': 'input_text', 'text': 'What is it?'},
        {'type': 'input_image', 'image_url': data_url('image/png', PIXEL), 'detail': 'auto'}]}])
    assert got.text == received(('image/png', len(PIXEL)))


@BOTH
def test_file(ask, a, stream):
    got = ask(a.name, stream, input=[{'role': 'user', 'content': [
        {'type': 'input_file', 'filename': 'a.pdf', 'file_data': data_url('application/pdf', PDF)},
        {'type': 'input_text', 'text': 'Read it.'}]}])
    assert got.text == received(('application/pdf', len(PDF)))


# -- reasoning

@BOTH
def test_reasoning_summary(ask, thinking, stream):
    got = ask(thinking.thinker, stream, reasoning={'effort': 'low', 'summary': 'auto'})
    assert got.kinds == ['reasoning', 'message'] and got.text == TEXT
    item = got.output[0]
    assert item.id.startswith('rs_') and ''.join(p.text for p in item.summary) == THOUGHT
    assert item.encrypted_content is None, 'it was not asked for'
    assert got.usage.output_tokens_details.reasoning_tokens > 0


@BOTH
def test_reasoning_resent(ask, mock, thinking, stream):
    """Nothing is kept: reasoning comes back as the client was given it, and the provider takes its signature."""
    asked = {'reasoning': {'effort': 'low', 'summary': 'auto'}, 'store': False, 'include': ['reasoning.encrypted_content'],
             'tools': [WEATHER, TIME]}
    headers, _ = script('tools=2')
    first = ask(thinking.thinker, stream, headers=headers, input='How is the weather?', **asked)
    assert first.kinds.count('function_call') == 2 and first.kinds[0] == 'reasoning' and first.response.store is False
    states = [i.encrypted_content for i in first.output if i.type == 'reasoning']
    assert all(states) if thinking is not GEMINI else states[-1], 'Gemini signs what its thoughts lead to, not the thoughts'
    headers, mark = script()
    second = ask(thinking.thinker, stream, headers=headers, **asked,
                 input=[{'role': 'user', 'content': 'How is the weather?'}, *first.items(), *first.answers('r0', 'r1')])
    assert second.text == TOOLS + 'r0 r1'
    seen = mock.one(mark)['body'].decode()
    assert 'weir1.' not in seen, "the gateway's own envelope went to the provider"


@BOTH
def test_reasoning_by_response(ask, thinking, stream):
    """The same with the response named: what the provider signed was kept, although the client never saw it."""
    asked = {'reasoning': {'effort': 'low'}, 'tools': [WEATHER]}
    first = ask(thinking.thinker, stream, input='How is the weather?', **asked)
    second = ask(thinking.thinker, stream, input=first.answers('sunny'), previous_response_id=first.id, **asked)
    assert second.text == TOOLS + 'sunny'
    third = ask(thinking.thinker, stream, input='And now?', previous_response_id=second.id, reasoning={'effort': 'low'})
    assert third.text == TEXT and third.calls() == [], 'a tool was called that this turn does not have'


# -- state

@BOTH
def test_three_turns(ask, mock, a, stream):
    first = ask(a.name, stream, input='One', instructions='Be brief.')
    second = ask(a.name, stream, input='Two', previous_response_id=first.id)
    headers, mark = script()
    third = ask(a.name, stream, input='Three', previous_response_id=second.id, headers=headers, instructions='Be long.')
    assert third.text == TEXT and third.response.previous_response_id == second.id
    body = mock.one(mark)['body'].decode()
    assert 'Be long.' in body and 'Be brief.' not in body, 'instructions are of one turn'
    if a.native:
        assert json.loads(body)['previous_response_id'] == second.id
    else:
        places = [body.index(f'"{text}"') for text in ('One', 'Two', 'Three')]
        assert places == sorted(places) and body.count('The dam is low') == 2
        assert 'previous_response_id' not in body


def test_two_from_one(ask, mock, a):
    """A response may be followed up twice."""
    first = ask(a.name, input='One')
    for text in ('Left', 'Right'):
        headers, mark = script()
        assert ask(a.name, input=text, previous_response_id=first.id, headers=headers).text == TEXT
        body = mock.one(mark)['body'].decode()
        assert text in body and {'Left': 'Right', 'Right': 'Left'}[text] not in body


@BOTH
@pytest.mark.parametrize('order', [(CLAUDE, GEMINI, CLAUDE), (GEMINI, OPENAI), (CLAUDE, OPENAI)],
                         ids=lambda order: '-'.join(a.name.split('-')[0] for a in order))
def test_across_models(ask, mock, order, stream):
    """A conversation goes on at another provider."""
    previous, texts = {}, []
    for n, a in enumerate(order):
        headers, mark = script()
        got = ask(a.name, stream, input=f'Turn{n}', headers=headers, **previous)
        assert got.text == TEXT and got.response.model == a.name
        texts.append(f'Turn{n}')
        body = mock.one(mark)['body'].decode()
        places = [body.index(text) for text in texts]
        assert places == sorted(places) and body.count('The dam is low') == n
        previous = {'previous_response_id': got.id}


@BOTH
@pytest.mark.parametrize('order', [(CLAUDE, GEMINI), (GEMINI, CLAUDE), (CLAUDE, OPENAI), (GEMINI, OPENAI)],
                         ids=lambda order: '-'.join(a.name.split('-')[0] for a in order))
def test_thinkers_across_models(ask, order, stream):
    """Reasoning of one provider is not shown to another, which would refuse it; calls and results go on."""
    asked = {'reasoning': {'effort': 'low', 'summary': 'auto'}, 'tools': [WEATHER]}
    first = ask(order[0].thinker, stream, **asked)
    second = ask(order[1].thinker, stream, input=first.answers('sunny'), previous_response_id=first.id, **asked)
    assert second.text == TOOLS + 'sunny'


@BOTH
def test_retrieve(client, ask, a, stream):
    got = ask(a.name, stream, input='Hello', metadata={'k': 'v'})
    again = client.responses.retrieve(got.id)
    assert again.model_dump() == got.response.model_dump()


@BOTH
def test_retrieve_tools(client, ask, a, stream):
    got = ask(a.name, stream, tools=[WEATHER])
    assert client.responses.retrieve(got.id).model_dump() == got.response.model_dump()


def test_delete(client, ask, a):
    got = ask(a.name)
    client.responses.delete(got.id)
    refused(404, lambda: client.responses.retrieve(got.id))
    refused(404, lambda: client.responses.delete(got.id))
    error = refused(404, ask, a.name, previous_response_id=got.id)
    assert error.code == 'previous_response_not_found' and got.id in error.message


def test_not_stored(client, ask, a):
    got = ask(a.name, store=False)
    assert got.response.store is False
    refused(404, lambda: client.responses.retrieve(got.id))
    assert refused(404, ask, a.name, previous_response_id=got.id).code == 'previous_response_not_found'


def test_input_items(client, ask, a):
    texts = [f'Number {n}' for n in range(7)]
    got = ask(a.name, input=[{'role': 'user', 'content': text} for text in texts])
    for order, wanted in (('asc', texts), ('desc', texts[::-1])):
        page = client.responses.input_items.list(got.id, limit=3, order=order)
        assert len(page.data) == 3 and page.has_more
        items = list(page)
        assert [item.content[0].text for item in items] == wanted
        assert all(item.type == 'message' and item.role == 'user' and item.id.startswith('msg_') for item in items)
        assert len({item.id for item in items}) == 7
    assert [i.content[0].text for i in client.responses.input_items.list(got.id).data] == texts[::-1], 'the newest first'
    refused(400, lambda: client.responses.input_items.list(got.id, limit=0))
    refused(400, lambda: client.responses.input_items.list(got.id, limit=101))


def test_input_items_of_a_tool_loop(client, ask, a):
    first = ask(a.name, tools=[WEATHER], input='How is the weather?')
    second = ask(a.name, tools=[WEATHER], previous_response_id=first.id, input=first.answers('sunny'))
    items = client.responses.input_items.list(second.id, order='asc').data
    assert items[-1].type == 'function_call_output' and items[-1].output == 'sunny'
    assert items[-1].call_id == first.calls()[0].call_id


def test_item_reference(ask, a):
    """An item of an earlier answer by its id alone."""
    first = ask(a.name, tools=[WEATHER], input='How is the weather?')
    second = ask(a.name, tools=[WEATHER], input=[
        {'role': 'user', 'content': 'How is the weather?'},
        *({'type': 'item_reference', 'id': item.id} for item in first.output), *first.answers('sunny')])
    assert second.text == TOOLS + 'sunny'


# -- errors

UNKNOWN_ID = 'resp_' + '0123456789abcdef' * 2


def test_bad_requests(ask, a):
    def wrong(param, status=400, **members):
        error = refused(status, ask, a.name, **members)
        assert error.body['param'] == param and error.body['type'] == 'invalid_request_error', error.body
        return error
    wrong('max_output_tokens', max_output_tokens='many')
    assert refused(400, ask, a.name, tools=[{'type': 'no-such-tool'}]).param.startswith('tools')
    assert 'pope' in wrong('input[1].role', input=[{'role': 'user', 'content': 'x'}, {'role': 'pope', 'content': 'x'}]).message
    wrong('previous_response_id', 404, previous_response_id=UNKNOWN_ID)


@pytest.mark.parametrize('stream', [False, True], ids=['whole', 'stream'])
def test_unknown_model(ask, stream):
    error = refused(400, ask, 'no-such-model', stream)
    assert 'no-such-model' in error.message


def test_unknown_response(client):
    for call in (client.responses.retrieve, client.responses.delete, client.responses.cancel,
                 client.responses.input_items.list):
        error = refused(404, lambda call=call: call(UNKNOWN_ID))
        assert UNKNOWN_ID in error.message
        error = refused(404, lambda call=call: call('resp_not-an-id'))


def test_wrong_key(gateway):
    with openai.OpenAI(api_key='sk-wrong', base_url=gateway.base, max_retries=0) as stranger:
        refused(401, lambda: stranger.responses.create(model=OPENAI.name, input='Hello'))
        refused(401, lambda: stranger.responses.create(model=CLAUDE.name, input='Hello', stream=True))
        refused(401, lambda: stranger.responses.retrieve(UNKNOWN_ID))
        refused(401, lambda: stranger.responses.input_items.list(UNKNOWN_ID))


@BOTH
@pytest.mark.parametrize('status, seen', [(400, 400), (401, 502), (404, 404), (429, 429), (500, 500), (503, 503)])
def test_upstream_status(ask, a, status, seen, stream):
    headers, _ = script(f'status={status},header=retry-after:7,echo-auth')
    error = refused(seen, ask, a.name, stream, headers=headers)
    if status in (429, 503):
        assert error.response.headers['retry-after'] == '7'


@pytest.mark.parametrize('fault', ['cut=1500', 'reset=1500', 'error-event=3'])
def test_stream_that_breaks(ask, mock, a, fault):
    """What came before the break is seen, then an exception; never an end that looks whole."""
    headers, mark = script(fault)
    with pytest.raises(openai.APIError) as raised:
        ask(a.name, True, headers=headers)
    no_canary(str(raised.value))
    assert mock.one(mark)


def test_whole_that_breaks(ask, a):
    headers, _ = script('cut=200')
    refused(502, ask, a.name, headers=headers)


def test_abort(client, mock, a):
    """The client leaves in the middle: the provider's call ends too, and nothing is kept."""
    headers, mark = billed('tokens=4000,tps=200')
    with client.responses.create(model=a.name, input='Hello', stream=True, extra_headers=headers,
                                 max_output_tokens=4096) as stream:
        for event in stream:
            if event.type == 'response.created':
                made = event.response.id
            if event.type == 'response.output_text.delta':
                break
    invoice = mock.wait_invoice(mark)
    assert invoice['outcome'] == 'client left', invoice
    if not a.native:
        refused(404, lambda: client.responses.retrieve(made))


@pytest.mark.parametrize('a', ALIASES[1:], ids=lambda a: a.name)
def test_native_conversation_stays(ask, a):
    """What a provider keeps itself cannot be shown to another: refused, with the way on, before anything is spent."""
    first = ask(OPENAI.name, input='One')
    error = refused(400, ask, a.name, input='Two', previous_response_id=first.id)
    assert error.param == 'previous_response_id' and OPENAI.name in error.message and a.name in error.message
    assert ask(OPENAI.name, input='Two', previous_response_id=first.id).text == TEXT
