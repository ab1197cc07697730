"""Chat completions in front of providers that speak another format: the official Python SDK, every row of providers.py."""
import base64
import json

import openai
import pydantic
import pytest

import rig
from providers import (CITED, CITED_TITLE, CITED_URL, PROVIDERS, REFUSAL, TEXT, THOUGHT, TOOLS, received)

HELLO = [{'role': 'user', 'content': 'Hello'}]
WEATHER = {'type': 'function', 'function': {
    'name': 'get_weather', 'description': 'The weather of a city',
    'parameters': {'type': 'object', 'properties': {'city': {'type': 'string'}, 'days': {'type': 'integer'}},
                   'required': ['city', 'days'], 'additionalProperties': False}}}
TIME = {'type': 'function', 'function': {'name': 'get_time', 'parameters': {'type': 'object', 'properties': {}}}}
PIXEL = base64.b64decode('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==')
PDF = b'%PDF-1.4\n%%EOF\n'
BOTH = pytest.mark.parametrize('stream', [False, True], ids=['whole', 'stream'])


def data_url(kind, content):
    return f'data:{kind};base64,' + base64.b64encode(content).decode()


@pytest.fixture(scope='module')
def gateway(folder, mock):
    rows = [row for provider in PROVIDERS for row in provider.deployments(mock)]
    server = rig.Weir(folder, rig.config(rows, weir_settings={'drain_timeout': 5}))
    yield server
    server.stop()


@pytest.fixture(scope='module')
def client(gateway):
    with openai.OpenAI(api_key=rig.MASTER, base_url=gateway.base, max_retries=0) as made:
        yield made


@pytest.fixture(params=PROVIDERS, ids=lambda p: p.name)
def p(request):
    name = request.node.originalname.removeprefix('test_')
    if name in request.param.without:
        pytest.skip(f'{request.param.name} has no {name}')
    return request.param


class Got:
    """An answer, however it came: the message, its end, and the headers."""

    def __init__(self, raw, stream):
        self.headers = raw.headers
        self.reasoning, self.annotations, self.chunks, self.extra = '', [], [], {}
        if not stream:
            self.whole(raw.parse())
        else:
            self.folded(raw.parse())
        for name, value in self.headers.items():
            for canary in rig.CANARIES:
                assert canary not in value, f'a credential stands in the header {name}'

    def whole(self, answer):
        self.model, self.usage, self.id = answer.model, answer.usage, answer.id
        choice, = answer.choices
        self.finish = choice.finish_reason
        message = choice.message
        self.text, self.refusal = message.content, message.refusal
        self.calls = [(c.id, c.function.name, c.function.arguments) for c in message.tool_calls or []]
        self.annotations = [a.model_dump() for a in message.annotations or []]
        self.message = message.model_dump(exclude_none=True)
        self.reasoning = self.message.get('reasoning_content', '')

    def folded(self, stream):
        text, refusal, calls, blocks, self.finish, self.usage = '', '', {}, [], None, None
        models, ids = set(), set()
        for chunk in stream:
            self.chunks.append(chunk)
            models.add(chunk.model)
            ids.add(chunk.id)
            self.usage = chunk.usage or self.usage
            for choice in chunk.choices:
                assert not self.finish, 'an event with a choice after the finish reason'
                delta = choice.delta
                text += delta.content or ''
                refusal += delta.refusal or ''
                extra = delta.model_extra or {}
                self.reasoning += extra.get('reasoning_content') or ''
                blocks += extra.get('thinking_blocks') or []
                self.annotations += extra.get('annotations') or []
                for call in delta.tool_calls or []:
                    known = calls.setdefault(call.index, {'id': '', 'type': 'function', 'function': {'name': '', 'arguments': ''}})
                    known['id'] += call.id or ''
                    known['function']['name'] += call.function.name or ''
                    known['function']['arguments'] += call.function.arguments or ''
                    known.update(call.model_extra or {})
                self.finish = choice.finish_reason or self.finish
        assert len(models) == 1 and len(ids) == 1, (models, ids)
        self.model, self.id = models.pop(), ids.pop()
        assert list(calls) == list(range(len(calls)))
        self.text, self.refusal = text or None, refusal or None
        self.calls = [(c['id'], c['function']['name'], c['function']['arguments']) for c in calls.values()]
        self.message = {'role': 'assistant', 'content': self.text}
        if calls:
            self.message['tool_calls'] = list(calls.values())
        if self.reasoning:
            self.message['reasoning_content'] = self.reasoning
        if blocks:
            self.message['thinking_blocks'] = blocks

    @property
    def fidelity(self):
        return self.headers['x-weir-fidelity']


@pytest.fixture
def ask(client):
    def asker(model, stream=False, messages=None, headers=None, **members):
        if stream:
            members.setdefault('stream_options', {'include_usage': True})
        raw = client.chat.completions.with_raw_response.create(
            model=model, messages=messages or HELLO, stream=stream, extra_headers=headers, **members)
        return Got(raw, stream)
    return asker


def refused(status, ask, *arguments, **members):
    """The error of a request that must fail with this status; no credential stands in it."""
    with pytest.raises(openai.APIStatusError) as raised:
        ask(*arguments, **members)
    error = raised.value
    assert error.status_code == status, error
    shown = error.response.text + str(dict(error.response.headers))
    assert not any(canary in shown for canary in rig.CANARIES), 'a credential stands in the error'
    assert set(error.body) >= {'message', 'type', 'param', 'code'} and isinstance(error.body['code'], str | None)
    return error


# -- text

@BOTH
def test_plain(ask, mock, p, stream):
    model, mark = p.script()
    got = ask(model, stream)
    assert (got.text, got.finish, got.model) == (TEXT, 'stop', model)
    assert got.fidelity == p.fidelity.get('plain', 'exact')
    assert got.headers['x-litellm-model-group'] == f'{p.prefix}*'
    sent = mock.one(mark)
    assert sent['header'][p.key_header].startswith(p.key_prefix + p.credential), 'whose key?'
    assert rig.MASTER not in str(sent), "the client's credential went to the provider"


@BOTH
def test_usage(ask, mock, p, stream):
    """Tokens are OpenAI's: those that came from a cache are a part of the prompt's."""
    model, mark = p.script('cached=1000')
    got = ask(model, stream)
    invoice = mock.wait_invoice(mark)
    usage = got.usage
    assert usage.prompt_tokens == invoice['prompt_tokens'] >= 1000
    assert usage.completion_tokens == invoice['completion_tokens'] == 16
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    assert usage.prompt_tokens_details.cached_tokens == 1000


def test_stream_without_usage(ask, p):
    model, _ = p.script()
    got = ask(model, True, stream_options=openai.omit)
    assert got.text == TEXT and got.usage is None
    assert all(chunk.choices for chunk in got.chunks), 'an event without choices reached a client that did not ask'


def test_stream_is_a_stream(ask, p):
    """Text comes piece by piece, not folded into one event."""
    model, _ = p.script()
    pieces = [c.choices[0].delta.content for c in ask(model, True).chunks if c.choices and c.choices[0].delta.content]
    assert len(pieces) > 1 and ''.join(pieces) == TEXT


def test_system(ask, mock, p):
    model, mark = p.script()
    got = ask(model, messages=[{'role': 'system', 'content': 'Be brief.'}, {'role': 'developer', 'content': 'In English.'},
                               *HELLO])
    assert got.text == TEXT and got.fidelity == p.fidelity.get('system', 'exact')
    body = mock.one(mark)['body'].decode()
    assert body.index('Be brief.') < body.index('In English.')
    assert '"developer"' not in body


def test_conversation(ask, p):
    """Turns of one role in a row, and content in parts."""
    model, _ = p.script()
    got = ask(model, messages=[{'role': 'user', 'content': 'One'}, {'role': 'user', 'content': [{'type': 'text', 'text': 'Two'}]},
                               {'role': 'assistant', 'content': 'Yes'}, {'role': 'user', 'content': 'Three'}])
    assert got.text == TEXT and got.fidelity == 'exact'


@BOTH
def test_max_tokens(ask, p, stream):
    model, _ = p.script()
    got = ask(model, stream, max_completion_tokens=3)
    assert (got.text, got.finish, got.usage.completion_tokens) == ('The dam is', 'length', 3)


@BOTH
def test_stop(ask, p, stream):
    model, _ = p.script()
    got = ask(model, stream, stop=['river', 'never'])
    assert (got.text.strip(), got.finish) == ('The dam is low and the', 'stop')
    assert ask(model, stream, stop='low').text.strip() == 'The dam is'


@BOTH
def test_unicode(ask, p, stream):
    text = 'Gr\u00fc\u00dfe_\U0001f30a_"\u65e5\u672c"'
    model, _ = p.script(f'text={text}')
    assert ask(model, stream).text == text.replace('_', ' ')


@BOTH
def test_slow_bytes(ask, p, stream):
    """The answer comes in writes of seven bytes."""
    model, _ = p.script('dribble=7')
    assert ask(model, stream).text == TEXT


@BOTH
def test_refusal(ask, p, stream):
    model, _ = p.script('refusal')
    got = ask(model, stream)
    assert got.finish == 'content_filter'
    assert got.refusal == p.refusal and not got.text


# -- tools

@BOTH
def test_tools(ask, p, stream):
    model, _ = p.script()
    got = ask(model, stream, tools=[WEATHER, TIME])
    (call_id, name, arguments), = got.calls
    assert (name, json.loads(arguments), got.finish) == ('get_weather', {'city': 'text', 'days': 1}, 'tool_calls')
    assert call_id and not got.text
    assert got.fidelity == p.fidelity.get('tools', 'exact')


@BOTH
def test_parallel_tools(ask, p, stream):
    model, _ = p.script('tools=3')
    got = ask(model, stream, tools=[WEATHER, TIME])
    assert [name for _, name, _ in got.calls] == ['get_weather', 'get_time', 'get_weather']
    assert len({call_id for call_id, _, _ in got.calls}) == 3
    assert [json.loads(a) for _, _, a in got.calls] == [{'city': 'text', 'days': 1}, {}, {'city': 'text', 'days': 1}]


@BOTH
def test_parallel_off(ask, p, stream):
    model, _ = p.script('tools=3')
    got = ask(model, stream, tools=[WEATHER, TIME], parallel_tool_calls=False)
    assert len(got.calls) == 1 and got.finish == 'tool_calls'


@BOTH
def test_tool_results(ask, p, stream):
    """The calls' results, in another order than the calls, then more text of the user's."""
    model, _ = p.script('tools=2')
    first = ask(model, stream, tools=[WEATHER, TIME])
    results = [{'role': 'tool', 'tool_call_id': call_id, 'content': content}
               for (call_id, _, _), content in zip(first.calls, ('rain', 'noon'))]
    second = ask(model, stream, messages=[*HELLO, first.message, *reversed(results)], tools=[WEATHER, TIME])
    assert (second.text, second.finish) == (TOOLS + 'rain noon', 'stop')
    assert second.fidelity == p.fidelity.get('tool_results', 'exact')
    third = ask(model, stream, tools=[WEATHER, TIME], messages=[
        *HELLO, first.message, *results, {'role': 'assistant', 'content': second.text}, *HELLO])
    assert len(third.calls) == 2, 'a new turn of the user calls tools again'


def test_answer_given_back(client, ask, p):
    """An application appends the message object that it got, with all its members."""
    model, _ = p.script('citations')
    first = client.chat.completions.create(model=model, messages=HELLO, web_search_options={}).choices[0].message
    assert first.annotations
    second = ask(p.script()[0], messages=[*HELLO, first, *HELLO])
    assert second.text == TEXT and second.fidelity == 'dropped=annotations'
    plain = client.chat.completions.create(model=p.script()[0], messages=HELLO).choices[0].message
    assert plain.annotations == [] and ask(model, messages=[*HELLO, plain, *HELLO]).fidelity == 'exact'


def test_tools_remembered(ask, p):
    """A history with calls is taken without `tools`."""
    model, _ = p.script()
    first = ask(model, tools=[WEATHER])
    second = ask(model, messages=[*HELLO, first.message, {
        'role': 'tool', 'tool_call_id': first.calls[0][0], 'content': 'rain'}])
    assert second.text == TOOLS + 'rain'


def test_foreign_ids(ask, p):
    """A conversation that began at another provider: ids with characters that not everybody takes."""
    model, _ = p.script()
    call = {'id': 'call:1|x', 'type': 'function', 'function': {'name': 'get_time', 'arguments': ''}}
    got = ask(model, tools=[TIME], messages=[*HELLO, {'role': 'assistant', 'content': None, 'tool_calls': [call]},
                                             {'role': 'tool', 'tool_call_id': 'call:1|x', 'content': 'noon'}])
    assert got.text == TOOLS + 'noon'


@pytest.mark.parametrize('choice,names', [
    ('none', []), ('auto', ['get_weather']), ('required', ['get_weather']),
    ({'type': 'function', 'function': {'name': 'get_time'}}, ['get_time'])], ids=['none', 'auto', 'required', 'named'])
def test_tool_choice(ask, p, choice, names):
    model, _ = p.script()
    got = ask(model, tools=[WEATHER, TIME], tool_choice=choice)
    assert [name for _, name, _ in got.calls] == names
    assert bool(got.text) == (not names)


@pytest.mark.parametrize('messages', [
    [{'role': 'assistant', 'content': None, 'tool_calls': [
        {'id': 'a', 'type': 'function', 'function': {'name': 'get_time', 'arguments': '{}'}}]}, *HELLO],
    [{'role': 'tool', 'tool_call_id': 'nobody', 'content': 'x'}]], ids=['unanswered', 'unasked'])
def test_tool_results_that_do_not_match(ask, mock, p, messages):
    model, mark = p.script()
    error = refused(400, ask, model, messages=[*HELLO, *messages], tools=[TIME])
    assert error.type == 'invalid_request_error' and not mock.seen(mark), 'refused before the provider was asked'


# -- structured output

class Person(pydantic.BaseModel):
    name: str
    age: int
    tags: list[str]


class Limits(pydantic.BaseModel):
    """With keywords that not every grammar has."""
    number: int = pydantic.Field(ge=1, le=5)
    name: str = pydantic.Field(min_length=2)
    many: list[str] = pydantic.Field(min_length=1, max_length=3)


def test_structured(client, p):
    model, _ = p.script()
    answer = client.chat.completions.parse(model=model, messages=HELLO, response_format=Person)
    assert answer.choices[0].message.parsed == Person(name='text', age=1, tags=['text'])
    assert answer.choices[0].finish_reason == 'stop' and not answer.choices[0].message.tool_calls


def test_structured_stream(client, p):
    model, _ = p.script()
    with client.chat.completions.stream(model=model, messages=HELLO, response_format=Person) as stream:
        for _ in stream:
            pass
        assert stream.get_final_completion().choices[0].message.parsed == Person(name='text', age=1, tags=['text'])


def test_structured_limits(client, p):
    model, _ = p.script()
    answer = client.chat.completions.with_raw_response.parse(model=model, messages=HELLO, response_format=Limits)
    assert answer.parse().choices[0].message.parsed.many == ['text']
    assert answer.headers['x-weir-fidelity'].startswith(p.fidelity.get('structured_limits', 'degraded=schema('))


def test_structured_cut(client, p):
    model, _ = p.script()
    with pytest.raises(openai.LengthFinishReasonError):
        client.chat.completions.parse(model=model, messages=HELLO, response_format=Person, max_tokens=2)


@BOTH
def test_structured_emulated(ask, p, stream):
    """A model without structured outputs is given a tool that it must call."""
    model, _ = p.script(model=p.older)
    schema = {'type': 'json_schema', 'json_schema': {'name': 'p', 'schema': Person.model_json_schema()}}
    got = ask(model, stream, response_format=schema)
    assert json.loads(got.text) == {'name': 'text', 'age': 1, 'tags': ['text']}
    assert got.finish == 'stop' and not got.calls
    assert got.fidelity == p.fidelity['structured_emulated']


@BOTH
def test_json_object(ask, p, stream):
    model, _ = p.script()
    got = ask(model, stream, response_format={'type': 'json_object'})
    assert isinstance(json.loads(got.text), dict) and got.finish == 'stop' and not got.calls
    assert got.fidelity == p.fidelity.get('json_object', 'exact')


# -- images, files

def test_image(ask, p):
    model, _ = p.script()
    got = ask(model, messages=[{'role': 'user', 'content': [
        {'type': 'text', 'text': 'What?'}, {'type': 'image_url', 'image_url': {'url': data_url('image/png', PIXEL)}}]}])
    assert got.text == received(('image/png', len(PIXEL))) and got.fidelity == 'exact'


def test_pdf(ask, p):
    model, _ = p.script()
    got = ask(model, messages=[{'role': 'user', 'content': [
        {'type': 'file', 'file': {'filename': 'a.pdf', 'file_data': data_url('application/pdf', PDF)}},
        {'type': 'image_url', 'image_url': {'url': data_url('image/png', PIXEL)}}]}])
    assert got.text == received(('application/pdf', len(PDF)), ('image/png', len(PIXEL)))


def test_image_of_megabytes(ask, p):
    model, _ = p.script()
    content = PIXEL + bytes(range(256)) * 12000
    got = ask(model, messages=[{'role': 'user', 'content': [
        {'type': 'image_url', 'image_url': {'url': data_url('image/png', content)}}]}])
    assert got.text == received(('image/png', len(content)))


@pytest.mark.parametrize('url', ['data:image/svg+xml;base64,PHN2Zy8+', 'data:image/png;base64,', 'file:///etc/passwd'],
                         ids=['svg', 'empty', 'scheme'])
def test_image_refused(ask, mock, p, url):
    model, mark = p.script()
    error = refused(400, ask, model, messages=[{'role': 'user', 'content': [{'type': 'image_url', 'image_url': {'url': url}}]}])
    assert 'messages[0].content[0]' in error.body['message'] + str(error.param) and not mock.seen(mark)


# -- reasoning

@BOTH
def test_reasoning(ask, p, stream):
    model, _ = p.script(model=p.thinker)
    got = ask(model, stream, reasoning_effort='medium')
    assert (got.text, got.reasoning, got.finish) == (TEXT, THOUGHT, 'stop')
    assert got.usage.completion_tokens_details.reasoning_tokens == 6
    assert got.usage.completion_tokens == 22
    assert got.fidelity == p.fidelity.get('reasoning', 'exact')


@BOTH
def test_reasoning_round_trip(ask, p, stream):
    """Signed reasoning goes back with the tool's result, and the provider knows it again."""
    model, _ = p.script('tools=2,redacted', model=p.thinker)
    first = ask(model, stream, reasoning_effort='low', tools=[WEATHER, TIME])
    assert first.reasoning == THOUGHT and len(first.calls) == 2
    held = first.message if p.reasoning_member in first.message else first.message['tool_calls'][0]
    assert held.get(p.reasoning_member), f'no {p.reasoning_member} in {first.message}'
    results = [{'role': 'tool', 'tool_call_id': call_id, 'content': 'x'} for call_id, _, _ in first.calls]
    second = ask(model, stream, messages=[*HELLO, first.message, *results], reasoning_effort='low', tools=[WEATHER, TIME])
    assert second.text == TOOLS + 'x x' and 'reasoning_state' not in second.fidelity


def test_reasoning_lost(ask, p):
    """A client that gives back calls alone gets an answer, and is told what that cost."""
    model, _ = p.script(model=p.thinker)
    call = {'id': 'call_1', 'type': 'function', 'function': {'name': 'get_time', 'arguments': '{}'}}
    got = ask(model, reasoning_effort='low', tools=[TIME], messages=[
        *HELLO, {'role': 'assistant', 'content': None, 'tool_calls': [call]},
        {'role': 'tool', 'tool_call_id': 'call_1', 'content': 'noon'}])
    assert got.text == TOOLS + 'noon'
    assert got.fidelity == p.fidelity.get('reasoning_lost', 'exact')


def test_reasoning_forged(ask, p):
    """Signatures that the provider did not make are refused by it: it is asked once more without them, unless the client wants no loss."""
    model, _ = p.script(model=p.thinker)
    first = ask(model, reasoning_effort='low', tools=[TIME])
    text = json.dumps(first.message)
    forged = json.loads(p.forge(text))
    assert forged != first.message
    turn = {'reasoning_effort': 'low', 'tools': [TIME], 'messages': [
        *HELLO, forged, {'role': 'tool', 'tool_call_id': first.calls[0][0], 'content': 'noon'}]}
    error = refused(400, ask, model, headers={'x-weir-strict': '1'}, **turn)
    assert error.code == 'invalid_reasoning_state' and 'signature' in error.body['message'].lower()
    got = ask(model, **turn)
    assert got.text == TOOLS + 'noon' and 'reasoning_state' in got.fidelity


# -- search

@BOTH
def test_citations(ask, p, stream):
    model, _ = p.script('citations')
    got = ask(model, stream, web_search_options={})
    assert got.text == CITED
    annotation, = got.annotations
    quoted = annotation['url_citation']
    assert (quoted['url'], quoted['title']) == (CITED_URL, CITED_TITLE)
    assert 0 <= quoted['start_index'] < quoted['end_index'] <= len(CITED)
    # The search itself has no place in a chat completion; of a stream the log tells it.
    assert got.fidelity == p.fidelity['citations'] + ('; dropped=server_tools' if 'claude' in p.name + p.model and not stream else '')


# -- what a provider has no place for

def every_parameter():
    return [pytest.param(provider, name, *what, id=f'{provider.name}-{name}')
            for provider in PROVIDERS for name, what in provider.unsupported.items()]


@pytest.mark.parametrize('provider,name,value,tag', every_parameter())
def test_unsupported(ask, mock, provider, name, value, tag):
    model, mark = provider.script()
    error = refused(400, ask, model, extra_body={name: value})
    assert error.code == 'unsupported_parameter' and error.param == name and name in error.body['message']
    assert not mock.seen(mark), 'refused before money is spent'
    model, mark = provider.script(drop=True)
    got = ask(model, extra_body={name: value})
    assert got.text == TEXT and got.fidelity == f'dropped={tag}'
    assert name not in json.loads(mock.one(mark)['body'])
    strict = refused(400, ask, model, headers={'x-weir-strict': '1'}, extra_body={name: value})
    assert strict.code == 'unsupported_parameter' and strict.param == name


def test_strict(ask, mock, p):
    """What is exact passes; what would lose anything does not."""
    model, mark = p.script()
    assert ask(model, headers={'x-weir-strict': '1'}).text == TEXT
    named = [{'role': 'user', 'content': 'Hello', 'name': 'Ann'}]
    assert ask(model, messages=named).fidelity == 'dropped=message_name'
    refused(400, ask, model, messages=named, headers={'x-weir-strict': '1'})
    assert len(mock.seen(mark)) == 2


def test_two_choices(ask, p):
    model, _ = p.script()
    assert refused(400, ask, model, n=2).param == 'n'


# -- errors

@pytest.mark.parametrize('status,seen,kind', [
    (400, 400, 'invalid_request_error'), (401, 502, 'server_error'), (403, 403, 'permission_error'),
    (404, 404, 'invalid_request_error'), (429, 429, None), (500, 500, 'server_error'),
    (503, 503, 'service_unavailable_error'), (504, 504, 'timeout_error')])
@BOTH
def test_errors(ask, p, status, seen, kind, stream):
    model, _ = p.script(f'status={status}')
    error = refused(seen, ask, model, stream)
    assert error.type == kind or kind is None
    if status == 400:
        assert error.body['message'] == p.bad_request


def test_overloaded(ask, p):
    model, _ = p.script(f'status={p.overloaded}')
    error = refused(503, ask, model)
    assert (error.type, error.code) == ('service_unavailable_error', 'server_is_overloaded')


def test_retry_hint(ask, p):
    model, _ = p.script('status=429,header=retry-after:7')
    error = refused(429, ask, model)
    assert error.code == 'rate_limit_exceeded' and error.response.headers['retry-after'] == '7'


def test_too_long(ask, p):
    model, _ = p.script()
    error = refused(400, ask, model, messages=[{'role': 'user', 'content': 'a ' * (p.context + 1)}])
    assert error.code == 'context_length_exceeded'


@pytest.mark.parametrize('items', ['html', 'empty', 'badjson', 'nohead', 'cut=40,framing=length', 'garbage=9'])
def test_no_answer(ask, p, items):
    model, _ = p.script(items)
    error = refused(502, ask, model)
    assert error.type == 'server_error' and '<html' not in error.body['message']


def test_credential_echoed(ask, p):
    """A provider that repeats the credential in its error: the client does not see it."""
    model, _ = p.script('echo-auth,status=400')
    assert '[redacted]' in refused(400, ask, model).body['message']


def broken(client, model):
    """The text of a stream, and the error with which it ended."""
    text = ''
    with pytest.raises((openai.APIError, openai.APIConnectionError)) as raised:
        for chunk in client.chat.completions.create(model=model, messages=HELLO, stream=True):
            assert not chunk.choices or chunk.choices[0].finish_reason is None, 'a clean end before the error'
            text += chunk.choices[0].delta.content or '' if chunk.choices else ''
    return text, raised.value


def test_error_in_a_stream(client, p):
    model, _ = p.script('error-event=3')
    text, error = broken(client, model)
    assert text == 'The dam is' and error.body['message']


def test_broken_event(client, p):
    model, _ = p.script('badjson-event=3')
    text, error = broken(client, model)
    assert text == 'The dam' and error.body['type'] == 'server_error'


@pytest.mark.parametrize('how', ['cut', 'reset', 'end', 'badchunk'])
def test_cut_stream(ask, client, mock, p, how):
    """A stream that stops anywhere ends with an error, never with a clean end."""
    model, mark = p.script()
    ask(model, True)
    size = mock.wait_invoice(mark)['of_bytes']
    for at in range(size * 3 // 4, size - 2, max(1, size // 16)):
        model, _ = p.script(f'{how}={at}')
        text, error = broken(client, model)
        assert TEXT.startswith(text) and error


def test_cut_before_content(ask, p):
    """Nothing was told yet: the client gets a status of its own."""
    model, _ = p.script('cut=20')
    assert refused(502, ask, model, True).type == 'server_error'


@BOTH
def test_silence(ask, mock, p, stream):
    model, _ = p.script('latency=15000')
    assert refused(408, ask, model, stream, headers={'x-litellm-timeout': '0.3'}).type == 'timeout_error'


def test_leaving(client, mock, p):
    model, mark = p.script('tokens=500,interval_us=20000')
    stream = client.chat.completions.create(model=model, messages=HELLO, stream=True)
    for _, _ in zip(range(4), stream):
        pass
    stream.close()
    assert mock.wait_invoice(mark)['outcome'] == 'client left'
