"""The Responses API where both sides speak it: bytes pass through but for the stated edits, and ids find their way back."""
import json
import re

import openai
import pytest

import rig
from providers import TEXT, TOOLS
from test_passthrough import fill, fixture, quoted, same

FUNCTION = {'type': 'function', 'name': 'f', 'parameters': {'type': 'object', 'properties': {'a': {'type': 'string'}}}}
THINK = {'reasoning': {'effort': 'low', 'summary': 'auto'}, 'include': ['reasoning.encrypted_content']}
BOTH = pytest.mark.parametrize('stream', [False, True], ids=['whole', 'stream'])
DRIBBLE = pytest.mark.parametrize('dribble', ['', 'dribble=1,', 'dribble=1000,', 'framing=close,'], ids=['whole', 'bytes', 'parts', 'close'])


@pytest.fixture(scope='module')
def second(folder, replay):
    """Another provider; what the first one stores is not known there."""
    server = rig.Mock(folder, '--replay', replay)
    yield server
    server.stop()


def rows(mock, second):
    return [rig.deployment('mock/*', 'openai/*', mock.base), rig.deployment('gpt-4.1', 'openai/gpt-4.1', mock.base),
            rig.deployment('gpt-5.2', 'openai/gpt-5.2', mock.base), rig.deployment('there/*', 'openai/*', second.base),
            rig.deployment('extra/*', 'openai/*', mock.base, max_output_tokens=32, extra_body={'truncation': 'auto'}),
            rig.deployment('azure/*', 'azure/*', f'http://127.0.0.1:{mock.port}', api_version='2025-04-01-preview')]


@pytest.fixture(scope='module')
def weir(folder, mock, second):
    server = rig.Weir(folder, rig.config(rows(mock, second), weir_settings={'drain_timeout': 5}))
    yield server
    server.stop()


@pytest.fixture(scope='module')
def client(weir):
    return openai.OpenAI(api_key=rig.MASTER, base_url=weir.base, max_retries=0)


def post(weir, model, path='/v1/responses', headers=None, **members):
    return weir.call('POST', path, {'model': model, 'input': 'Hello', **members}, headers)


def events(answer):
    return [json.loads(e) for e in rig.events(answer.body)]


def seen_on(mock, text, method):
    """The requests for the response with this id."""
    return [r for r in mock.seen(text) if r['method'] == method]


# -- bytes: requests

ODD = b'''\r\n\t {
  "include" : [ ] ,
  "temperature":1.0e0, "top_p":0.10,"metadata" : {"a":"1", "\\u0062":"2"},
  "model":@MODEL@ ,"input"  :  [ {"role":"user","content":"\\u0048\\u00e9llo \\ud83d\\ude00 \xf0\x9f\x98\x80 \\/ / \\u2028 \xe2\x80\xa8"} ],
  "tools":[ ], "text" : { "format" :{"type":"text"}},"instructions":null, "user":"\\n\\t",
\t"max_output_tokens":500, "store" : true
}\n\n'''

REQUESTS = {
    'odd': ODD,
    'compact': b'{"model":@MODEL@,"input":"x"}',
    'model-last': b'{"input":"x","model":@MODEL@}',
    'model-alone': b'{"input" : [{"role":"user","content":[{"type":"input_text","text":"\\"model\\":\\"inner\\""}]}] , "model" : @MODEL@ }',
    'tools': b'{"model":@MODEL@,"input":"x","tools":[{"type":"function","name":"f","parameters":{"model" : 1.0e0},"strict":null}]}',
    'state': b'{"model":@MODEL@,"input":"x","store":false , "reasoning":{"effort":"low"},"include":["reasoning.encrypted_content"]}',
    'large': b'{"input":"' + b'0123456789abcdef' * 20000 + b'","model":@MODEL@}',
}


@pytest.mark.parametrize('path', ['/v1/responses', '/responses', '/openai/v1/responses', '/openai/responses?api-version=preview'])
@pytest.mark.parametrize('name', REQUESTS)
def test_request(weir, mock, name, path):
    model, mark = rig.script()
    answer = weir.call('POST', path, fill(REQUESTS[name], model))
    assert answer.status == 200 and answer.headers['x-weir-fidelity'] == 'exact', answer
    sent = mock.one(mark)
    same(sent['body'], fill(REQUESTS[name], model.removeprefix('mock/')))
    assert (sent['method'], sent['target']) == ('POST', '/v1/responses')
    assert sent['header']['authorization'] == f'Bearer {rig.UPSTREAM}' and rig.MASTER not in str(sent['headers'])


def test_request_with_nothing_to_edit(weir, mock):
    text = fill(ODD, 'gpt-4.1').replace(b'"user":"\\n\\t"', b'"user":"mark-of-this-one"')
    assert weir.call('POST', '/v1/responses', text).status == 200
    same(mock.one('mark-of-this-one')['body'], text)


def test_what_is_the_gateways_is_taken_out(weir, mock):
    model, mark = rig.script()
    text = (b'{"tags":["a"], "model":@MODEL@,"input":"x" ,"num_retries":0,"timeout" : 60,\n "user":"u", "fallbacks":[],"cache":{"no-cache":true}}')
    assert weir.call('POST', '/v1/responses', fill(text, model)).status == 200
    same(mock.one(mark)['body'], fill(b'{"model":@MODEL@,"input":"x" ,\n "user":"u"}', model.removeprefix('mock/')))


def test_defaults_of_the_deployment(weir, mock):
    script, mark = rig.script()
    assert post(weir, script.replace('mock/', 'extra/', 1), max_output_tokens=20).status == 200
    sent = json.loads(mock.one(mark)['body'])
    assert (sent['max_output_tokens'], sent['truncation']) == (20, 'auto')


@pytest.mark.parametrize('body,param', [
    (b'{"model":@MODEL@,"input":"x","model":@MODEL@}', None), (b'{"model":@MODEL@,"input":"x","store":null,"store":false}', 'store'),
    (b'{"model":@MODEL@,"input":"x","previous_response_id":null,"previous_response_id":"resp_1"}', 'previous_response_id'), (b'{"model":@MODEL@,"input":"x","input":"y"}', 'input'),
    (b'{"model":@MODEL@,"input":"x","store":"yes"}', 'store'), (b'{"model":@MODEL@,"input":"x","stream":7}', 'stream'),
    (b'{"model":@MODEL@,"input":"x","previous_response_id":7}', 'previous_response_id'),
    (b'{"model":@MODEL@,"input":"x","previous_response_id":"resp_1","conversation":"conv_1"}', 'previous_response_id')])
def test_refused_before_it_is_sent(weir, mock, body, param):
    model, mark = rig.script()
    answer = weir.call('POST', '/v1/responses', fill(body, model))
    assert (answer.status, answer.error['param']) == (400, param), answer
    assert mock.seen(mark) == []


# -- bytes: answers

WHOLE = {
    'odd': b'\n{ "id":"resp_x1" ,\t"object":"response","status":"completed","model" : @MODEL@ ,"output":[{"type":"message","model":"inner",'
           b'"content":[{"type":"output_text","text":"\\u0041\\ud83d\\ude00 \\/"}]}],"vendor":1.0e0,"vendor":2 ,'
           b'"usage":{"input_tokens":1,"output_tokens":2,"total_tokens":3} } \n\n',
    'no-model': b'{"id":"resp_x2","object":"response","status":"completed","output":[],"usage":null}',
    'incomplete': b'{"id":"resp_x3","object":"response","status":"incomplete","model":@MODEL@,"incomplete_details":{"reason":"new"},"output":[]}',
    'failed': b'{"id":"resp_x4","object":"response","status":"failed","model":@MODEL@,"error":{"code":"server_error","message":"No."},"output":[]}',
    'large': b'{"id":"resp_x5","object":"response","status":"completed","output":[{"type":"message","content":[{"type":"output_text","text":"'
             + b'0123456789abcdef' * 50000 + b'"}]}],"model":@MODEL@}',
}


@pytest.mark.parametrize('framing', ['length', 'chunked', 'close'])
@pytest.mark.parametrize('name', WHOLE)
def test_answer(weir, replay, name, framing):
    model, _ = rig.script(f'framing={framing},fixture=' + fixture(replay, '.json', fill(WHOLE[name], 'upstream-model')))
    answer = post(weir, model)
    assert answer.status == 200, answer
    same(answer.body, fill(WHOLE[name], model))


def recorded(mock, script='', **members):
    """A stream of the simulator's, as it is on the wire; its model is @MODEL@."""
    body = {'model': f'mock:{script}', 'input': 'Hello', 'stream': True, **members}
    answer = rig.request(mock.port, 'POST', '/v1/responses', body, {'Authorization': f'Bearer {rig.UPSTREAM}'})
    assert answer.status == 200
    return re.sub(rb'"model":"mock:[^"]*"', b'"model":@MODEL@', answer.body)


STREAMS = {
    'text': {}, 'tools': {'script': 'tools=3', 'tools': [FUNCTION]}, 'custom': {'tools': [{'type': 'custom', 'name': 'sql'}]},
    'reasoning': THINK, 'reasoning-and-tools': {'tools': [FUNCTION], **THINK}, 'search': {'tools': [{'type': 'web_search'}]},
    'refusal': {'script': 'refusal'}, 'incomplete': {'script': 'tokens=40', 'max_output_tokens': 16}, 'obfuscated': {'script': 'obfuscate'},
    'crlf': {'script': 'crlf'}, 'logprobs': {'include': ['message.output_text.logprobs']}, 'large': {'script': 'events=3,size=100000'},
}


def untagged(text):
    """Without the tag of the account, which every state of an item has got."""
    states = re.findall(rb'"encrypted_content":"([^"]*)"', text)
    assert states and len({re.match(rb'weirn\.[0-9a-f]{8}\.', state).group() for state in states}) == 1, states
    return re.sub(rb'"encrypted_content":"weirn\.[0-9a-f]{8}\.', b'"encrypted_content":"', text)


@DRIBBLE
@pytest.mark.parametrize('name', STREAMS)
def test_stream(weir, mock, replay, name, dribble):
    text = recorded(mock, **STREAMS[name])
    if dribble == 'dribble=1,' and len(text) > 20000:
        dribble = 'dribble=97,'
    model, _ = rig.script(dribble + 'fixture=' + fixture(replay, '.sse', fill(text, 'upstream-model')))
    answer = post(weir, model, stream=True)
    assert answer.status == 200 and answer.headers['content-type'].startswith('text/event-stream')
    same(untagged(answer.body) if b'"encrypted_content"' in text else answer.body, fill(text, model))


def test_stream_of_unknown_events(weir, mock, replay):
    """Events that weir has never heard of pass; comments are kept or left out as a whole; a [DONE] has no place here."""
    text = recorded(mock)
    head, rest = text.split(b'\n\n', 1)
    odd = (head + b'\n\nevent: response.vendor.new\nid: 7\ndata: {"type":"response.vendor.new" ,"model":"inner","x":1.0e0}\n\n'
           b': keep-alive\n\nevent: keepalive\ndata: {"type":"keepalive","sequence_number":1}\n\n' + rest)
    model, _ = rig.script('fixture=' + fixture(replay, '.sse', fill(odd, 'upstream-model') + b'data: [DONE]\n\n'))
    got = post(weir, model, stream=True).body
    same(re.sub(rb'(?m)^:.*\n\n', b'', got), fill(re.sub(rb'(?m)^:.*\n\n', b'', odd), model))


def test_model_that_the_client_named(weir):
    model, _ = rig.script()
    for answer in (post(weir, model).json(), events(post(weir, model, stream=True))[-1]['response']):
        assert answer['model'] == model
    name = model + '"é\\'
    assert post(weir, name).json()['model'] == name


# -- the provider's refusals are the client's

@BOTH
@pytest.mark.parametrize('members,code,param', [
    ({'stop': 'x'}, 'unknown_parameter', 'stop'), ({'max_output_tokens': 3}, 'integer_below_min_value', 'max_output_tokens'),
    ({'input': [{'type': 'function_call_output', 'call_id': 'c', 'output': 'x'}]}, None, 'input'),
    ({'input': [{'type': 'reasoning', 'summary': [], 'encrypted_content': 'gAAAAAB'}, {'role': 'assistant', 'content': 'x'}]},
     'invalid_encrypted_content', None)])
def test_refusals(weir, stream, members, code, param):
    answer = post(weir, rig.script()[0], stream=stream, **members)
    assert answer.status == 400, answer
    assert (answer.error['type'], answer.error['param']) == ('invalid_request_error', param), answer
    assert code is None or answer.error['code'] == code, answer


@BOTH
@pytest.mark.parametrize('status,seen', [(401, 502), (403, 403), (404, 404), (409, 409), (413, 413), (422, 422), (429, 429), (500, 500),
                                         (503, 503), (504, 504), (520, 502)])
def test_statuses(weir, status, seen, stream):
    answer = post(weir, rig.script(f'status={status},header=retry-after:7')[0], stream=stream)
    assert answer.status == seen and answer.error['message'] and answer.headers['content-type'].startswith('application/json'), answer
    assert status != 429 or answer.headers['retry-after'] == '7'
    assert rig.UPSTREAM not in str(answer.body)


@BOTH
@pytest.mark.parametrize('items', ['html', 'empty', 'badjson', 'nohead', 'nohead=reset', 'headcut=20', 'cut=40'])
def test_no_answer(weir, items, stream):
    answer = post(weir, rig.script(items)[0], stream=stream)
    assert answer.status == 502 and answer.error['type'] == 'server_error', answer


# -- streams that break

def broken(answer):
    """The events up to the failure, and the failure, in all its forms: what typed SDKs read, and what the Node SDK throws."""
    found = events(answer)
    assert answer.body.endswith(b'\n\n') and found[-1]['type'] == 'error', found[-1]
    failure = found[-1]
    assert failure['message'] and failure['error']['message'] == failure['message'], failure
    assert {'code', 'param', 'sequence_number'} <= set(failure)
    numbers = [e['sequence_number'] for e in found]
    assert numbers == sorted(set(numbers)), numbers
    assert rig.UPSTREAM not in answer.body.decode()
    return found


@pytest.mark.parametrize('fault', ['cut', 'reset', 'badchunk', 'end', 'garbage'])
@pytest.mark.parametrize('at', [5000, 6000, 7000])
def test_stream_is_cut(weir, mock, fault, at):
    model, mark = rig.script(f'tokens=40,{fault}={at}')
    found = broken(post(weir, model, stream=True))
    text = ''.join(e['delta'] for e in found if e['type'] == 'response.output_text.delta')
    assert 'The dam is low and the river'.startswith(text[:28]) and found[0]['type'] == 'response.created'
    assert mock.wait_invoice(mark)['outcome'] in (fault, 'complete', 'client left')


@pytest.mark.parametrize('items', ['error-event=3', 'error-event=3,error-shape=flat', 'badjson-event=3', 'done=none'])
def test_stream_fails(weir, items):
    found = broken(post(weir, rig.script(items)[0], stream=True))
    deltas = [e for e in found if e['type'] == 'response.output_text.delta']
    assert len(deltas) == {'error-event=3': 3, 'badjson-event=3': 2, 'done=none': 16}[items.partition(',')[0]]
    assert not any(e['type'] == 'response.completed' for e in found)


def test_stream_of_a_failed_response(weir, client):
    """response.failed is an end like another: it passes, and nothing follows."""
    found = events(post(weir, rig.script('failed-event=3')[0], stream=True))
    assert found[-1]['type'] == 'response.failed' and found[-1]['response']['error']['code'] == 'server_error'
    last = list(client.responses.create(model=rig.script('failed-event=3')[0], input='Hello', stream=True))[-1]
    assert last.response.status == 'failed'


@pytest.mark.parametrize('items', ['tokens=40,cut=6000', 'error-event=3'])
def test_stream_that_breaks_throws(client, items):
    with pytest.raises(openai.APIError):
        list(client.responses.create(model=rig.script(items)[0], input='Hello', stream=True))


def test_client_leaves(client, mock):
    model, mark = rig.script('tokens=4000,interval_us=5000')
    with client.responses.create(model=model, input='Hello', stream=True) as stream:
        for event in stream:
            if event.type == 'response.output_text.delta':
                break
    assert mock.wait_invoice(mark)['outcome'] == 'client left'


# -- ids

def test_by_id(client, mock):
    model, mark = rig.script()
    made = client.responses.create(model=model, input=[{'role': 'user', 'content': 'Hello'}, {'role': 'assistant', 'content': 'x'},
                                                       {'role': 'user', 'content': mark}])
    again = client.responses.retrieve(made.id)
    assert again == made and again.model == model and again.output_text == TEXT
    page = client.responses.input_items.list(made.id, limit=2, order='asc')
    assert [item.role for item in page.data] == ['user', 'assistant'] and page.has_more
    assert [item.role for item in client.responses.input_items.list(made.id, limit=2)] == ['user', 'assistant', 'user']
    for sent in seen_on(mock, made.id, 'GET'):
        assert sent['header']['authorization'] == f'Bearer {rig.UPSTREAM}' and sent['body'] == b''
    with pytest.raises(openai.BadRequestError, match='synchronous'):
        client.responses.cancel(made.id)
    assert client.responses.delete(made.id) is None
    asked = len(mock.seen(made.id))
    for call in (client.responses.retrieve, client.responses.delete, client.responses.cancel, client.responses.input_items.list):
        with pytest.raises(openai.NotFoundError):
            call(made.id)
    assert len(mock.seen(made.id)) == asked, 'weir knows that it is gone'


def test_answers_by_id_pass_through(weir, mock):
    model, _ = rig.script()
    made = post(weir, model)
    direct = rig.request(mock.port, 'GET', f'/v1/responses/{made.json()["id"]}', None, {'Authorization': f'Bearer {rig.UPSTREAM}'})
    got = weir.call('GET', f'/v1/responses/{made.json()["id"]}')
    told = direct.json()['model']
    same(got.body, direct.body.replace(quoted(told), quoted(model)))
    same(got.body, made.body)
    items = weir.call('GET', f'/v1/responses/{made.json()["id"]}/input_items')
    assert items.status == 200 and items.json()['data'][0]['content'] == [{'type': 'input_text', 'text': 'Hello'}]


def test_stream_leaves_an_id_too(client):
    made = list(client.responses.create(model=rig.script()[0], input='Hello', stream=True))[-1].response
    assert client.responses.retrieve(made.id).output_text == TEXT


@pytest.mark.parametrize('method,suffix', [('GET', ''), ('DELETE', ''), ('POST', '/cancel'), ('GET', '/input_items')])
@pytest.mark.parametrize('kind', ['unknown', 'made-without-weir', 'foreign', 'odd'])
def test_ids_that_are_not_ours(weir, mock, method, suffix, kind):
    """They are not found, and no provider is asked."""
    made = rig.request(mock.port, 'POST', '/v1/responses', {'model': 'gpt-4.1', 'input': 'Hello'},
                       {'Authorization': f'Bearer {rig.UPSTREAM}'}).json()['id']
    name = {'unknown': 'resp_nowhere', 'made-without-weir': made, 'foreign': 'chatcmpl-123', 'odd': 'resp_..%2f..%2fmodels'}[kind]
    before = mock.stats()['requests']
    answer = weir.call(method, f'/v1/responses/{name}{suffix}')
    assert answer.status == 404 and answer.error['type'] == 'invalid_request_error', answer
    assert mock.stats()['requests'] == before


def test_ids_without_a_key(weir):
    made = post(weir, rig.script()[0]).json()['id']
    for method, suffix in (('GET', ''), ('DELETE', ''), ('POST', '/cancel'), ('GET', '/input_items')):
        assert weir.call(method, f'/v1/responses/{made}{suffix}', key='sk-of-another').status == 401
        assert weir.call(method, f'/v1/responses/{made}{suffix}', key=None).status == 401
    assert weir.call('GET', f'/v1/responses/{made}').status == 200


def test_what_is_not_stored_is_not_known(weir, mock):
    model, mark = rig.script()
    made = post(weir, model, store=False).json()['id']
    before = len(mock.seen(made))
    assert weir.call('GET', f'/v1/responses/{made}').status == 404 and len(mock.seen(made)) == before
    answer = post(weir, model, previous_response_id=made)
    assert (answer.status, answer.error['code']) == (404, 'previous_response_not_found'), answer
    assert len(mock.seen(mark)) == 1


def test_errors_by_id(weir, mock):
    """Gone at the provider: its own word for it."""
    made = post(weir, rig.script()[0]).json()['id']
    assert rig.request(mock.port, 'DELETE', f'/v1/responses/{made}', None, {'Authorization': f'Bearer {rig.UPSTREAM}'}).status == 200
    answer = weir.call('GET', f'/v1/responses/{made}')
    assert (answer.status, answer.error['message']) == (404, f"Response with id '{made}' not found."), answer


@pytest.mark.parametrize('query,param', [('limit=0', 'limit'), ('limit=101', 'limit'), ('order=up', 'order')])
def test_bad_pages(weir, query, param):
    made = post(weir, rig.script()[0]).json()['id']
    answer = weir.call('GET', f'/v1/responses/{made}/input_items?{query}')
    assert (answer.status, answer.error['type']) == (400, 'invalid_request_error'), answer


@BOTH
def test_each_goes_where_it_was_made(weir, mock, second, stream):
    """Two providers, and ids that look alike: a response is asked for, and deleted, where it is."""
    made = []
    for _ in range(3):
        for prefix, maker in (('mock/', mock), ('there/', second)):
            model = rig.script()[0].replace('mock/', prefix, 1)
            answer = post(weir, model, stream=stream)
            assert answer.status == 200, answer
            made.append((events(answer)[-1]['response'] if stream else answer.json(), model, maker, second if maker is mock else mock))
    for response, model, maker, other in made:
        before = len(seen_on(maker, response['id'], 'GET')), len(other.seen(response['id']))
        got = weir.call('GET', f'/v1/responses/{response["id"]}').json()
        assert (got['output'], got['model']) == (response['output'], model)
        more = post(weir, model, previous_response_id=response['id'])
        assert more.status == 200 and more.json()['previous_response_id'] == response['id'], more
        assert weir.call('DELETE', f'/v1/responses/{response["id"]}').json()['deleted'] is True
        assert (len(seen_on(maker, response['id'], 'GET')), len(other.seen(response['id']))) == (before[0] + 1, before[1])


# -- conversations

@BOTH
def test_a_conversation(weir, client, mock, stream):
    """The provider keeps it; weir passes the id on, byte for byte."""
    model, mark = rig.script()
    first = client.responses.create(model=model, input='Hello', tools=[FUNCTION], **THINK)
    call = [item for item in first.output if item.type == 'function_call'][0]
    text = (b'{"model":@MODEL@, "previous_response_id" : "%s","input":[{"type":"function_call_output","call_id":"%s","output":"r"}],"stream":%s}'
            % (first.id.encode(), call.call_id.encode(), b'true' if stream else b'false'))
    answer = weir.call('POST', '/v1/responses', fill(text, model))
    assert answer.status == 200, answer
    final = events(answer)[-1]['response'] if stream else answer.json()
    assert final['output'][-1]['content'][0]['text'] == TOOLS + 'r' and final['previous_response_id'] == first.id
    same(mock.seen(mark)[-1]['body'], fill(text, model.removeprefix('mock/')))
    third = client.responses.create(model=model, input='And?', previous_response_id=final['id'])
    assert third.previous_response_id == final['id'] and third.usage.input_tokens > final['usage']['input_tokens']


def test_a_conversation_elsewhere(weir, mock, second):
    """The provider has the content, so no other can go on; the message says who can."""
    model, _ = rig.script()
    made = post(weir, model).json()['id']
    script, mark = rig.script()
    answer = post(weir, script.replace('mock/', 'there/', 1), previous_response_id=made)
    assert (answer.status, answer.error['param']) == (400, 'previous_response_id') and model in answer.error['message'], answer
    assert second.seen(mark) == []


def test_reasoning_is_resent(client, mock):
    """Without the store: the state that the provider signed goes back to it as it came."""
    model, mark = rig.script()
    first = client.responses.create(model=model, input='Hello', tools=[FUNCTION], store=False, **THINK)
    call = first.output[-1]
    items = [{'role': 'user', 'content': 'Hello'}, *(item.to_dict() for item in first.output),
             {'type': 'function_call_output', 'call_id': call.call_id, 'output': 'r'}]
    assert client.responses.create(model=model, input=items, store=False).output_text == TOOLS + 'r'
    def written(item):
        return json.dumps(item, separators=(',', ':')).encode()

    sent = json.loads(mock.seen(mark)[-1]['body'])['input']
    assert [untagged(written(item)) if item.get('encrypted_content') else written(item) for item in items] == list(map(written, sent))


def test_item_references(weir, client):
    """Ids of the provider's own are the provider's affair."""
    model, _ = rig.script()
    call = client.responses.create(model=model, input='Hello', tools=[FUNCTION]).output[0]
    answer = post(weir, model, input=[{'role': 'user', 'content': 'Hello'}, {'type': 'item_reference', 'id': call.id},
                                      {'type': 'function_call_output', 'call_id': call.call_id, 'output': 'r'}])
    assert answer.status == 200 and answer.json()['output'][0]['content'][0]['text'] == TOOLS + 'r', answer
    assert post(weir, model, input=[{'type': 'item_reference', 'id': 'fc_nowhere'}]).status == 404


# -- in the background

def test_background(client):
    model, _ = rig.script()
    made = client.responses.create(model=model, input='Hello', background=True)
    assert (made.status, made.output, made.model) == ('queued', [], model)
    assert [client.responses.retrieve(made.id).status for _ in range(3)] == ['in_progress', 'completed', 'completed']
    assert client.responses.retrieve(made.id).output_text == TEXT
    made = client.responses.create(model=model, input='Hello', background=True)
    assert [client.responses.cancel(made.id).status for _ in range(2)] == ['cancelled', 'cancelled']
    assert client.responses.retrieve(made.id).status == 'cancelled'


def test_background_stream_goes_on(weir, client):
    model, _ = rig.script()
    found = list(client.responses.create(model=model, input='Hello', background=True, stream=True))
    assert [e.type for e in found[:3]] == ['response.created', 'response.queued', 'response.in_progress']
    made = found[0].response.id
    for after in (0, 4, len(found) - 2):
        rest = list(client.responses.retrieve(made, stream=True, starting_after=after))
        assert [e.to_dict() for e in rest] == [e.to_dict() for e in found[after + 1:]]
    assert len(list(client.responses.retrieve(made, stream=True))) == len(found)
    answer = weir.call('GET', f'/v1/responses/{made}?stream=true&starting_after=x')
    assert answer.status == 400, answer


def test_a_stream_that_was_cut_goes_on(weir, mock, replay, client):
    """What a client does whose connection broke: it asks for the rest."""
    model, _ = rig.script('tokens=40,cut=6000')
    answer = post(weir, model, background=True, stream=True)
    found = broken(answer)[:-1]
    rest = list(client.responses.retrieve(found[0]['response']['id'], stream=True, starting_after=found[-1]['sequence_number']))
    text = ''.join(e['delta'] for e in found if e['type'] == 'response.output_text.delta') + \
        ''.join(e.delta for e in rest if e.type == 'response.output_text.delta')
    assert rest[-1].type == 'response.completed' and text == rest[-1].response.output_text


# -- the other routes

def test_counting_and_compaction(weir, client, mock):
    model, mark = rig.script()
    assert client.responses.input_tokens.count(model=model, input='Hello there').input_tokens == 5
    assert mock.one(mark)['target'] == '/v1/responses/input_tokens'
    assert json.loads(mock.one(mark)['body']) == {'model': model.removeprefix('mock/'), 'input': 'Hello there'}
    made = weir.call('POST', '/v1/responses/compact', {'model': model, 'input': 'Hello'}).json()
    assert [item['type'] for item in made['output']] == ['message', 'compaction']
    assert post(weir, model, input=[*made['output'], {'role': 'user', 'content': 'x'}]).status == 200
    answer = weir.call('POST', '/v1/responses/input_tokens', {'model': model, 'input': 'x', 'temperature': 1})
    assert (answer.status, answer.error['param']) == (400, 'temperature'), answer


def test_azure(weir, mock):
    script, mark = rig.script()
    answer = post(weir, script.replace('mock/', 'azure/', 1))
    assert answer.status == 200, answer
    sent = mock.one(mark)
    assert re.fullmatch(r'/openai/(v1/)?responses(\?api-version=.+)?', sent['target']) and sent['header']['api-key'] == rig.UPSTREAM
    made = answer.json()['id']
    assert weir.call('GET', f'/v1/responses/{made}').json()['output'] == answer.json()['output']
    assert seen_on(mock, made, 'GET')[-1]['target'].startswith('/openai/')


def test_usage_is_told(weir):
    """Once for the response; looking at it again costs nothing."""
    def logged(answer):
        line = weir.wait_log(r'^.*\bid=' + answer.headers['x-litellm-call-id'] + r'\b.*$').group(0)
        return dict(re.findall(r'(\w+)=("[^"]*"|\S+)', line))
    model, _ = rig.script('cached=5')
    answer = post(weir, model, **THINK)
    line = logged(answer)
    assert (line['prompt_tokens'], line['completion_tokens']) == ('9', '22'), line
    assert logged(post(weir, model, stream=True, **THINK))['completion_tokens'] == '22'
    line = logged(weir.call('GET', f'/v1/responses/{answer.json()["id"]}'))
    assert line.get('completion_tokens', '0') == '0', line


def test_it_is_found_after_a_restart(folder, start, mock, second):
    config = rig.config(rows(mock, second), weir_settings={'drain_timeout': 5})
    one = start(config)
    made = post(one, 'gpt-4.1').json()
    one.stop()
    two = start(config, '--data', one.data)
    assert two.call('GET', f'/v1/responses/{made["id"]}').json()['output'] == made['output']
    assert post(two, 'gpt-4.1', previous_response_id=made['id']).status == 200
