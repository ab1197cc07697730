"""Where the Responses API meets odd ends: mocked faults, streams whose last line is cut short, items that come from another provider."""
import json
import os
import re
import uuid

import pytest

import rig
from responses_rig import CHAT, CLAUDE, GEMINI, OPENAI, script
from responses_state import BOTH, config, each, events, made, post, sent

CHUNKS = (b'data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,'
          b'"delta":{"role":"assistant","content":"Hi"},"finish_reason":null}]}\n\n'
          b'data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},'
          b'"finish_reason":"stop"}]}\n\n')
BEGUN = (b'event: response.created\ndata: {"type":"response.created","sequence_number":0,"response":{"id":"resp_1","object":"response",'
         b'"created_at":1,"status":"in_progress","model":"m","output":[]}}\n\n'
         b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","sequence_number":1,"item_id":"msg_1",'
         b'"output_index":0,"content_index":0,"delta":"Hi","logprobs":[]}\n\n')


@pytest.fixture(scope='module')
def weir(folder, mock):
    server = rig.Weir(folder, config(folder, mock))
    yield server
    server.stop()


def recorded(replay, content):
    """The script item of a stream that is exactly this."""
    name = f'{uuid.uuid4().hex}.sse'
    with open(os.path.join(replay, name), 'wb') as file:
        file.write(content)
    return f'fixture={name}'


# -- mocks

@BOTH
@each('a', [CLAUDE, OPENAI])
@each('mocked', [{'error': {'message': 'No.'}}, {'error': {'message': 'No.'}, 'choices': []}, {}, {'choices': 'x'}, [], ['x']], ids=str)
def test_mocked_answer_that_is_none(weir, a, mocked, stream):
    """A client may mock what it likes; the next one is served all the same."""
    answer = post(weir, a.name, 'Hello', mock_response=mocked, stream=stream)
    if answer.status == 200:
        assert (events(answer)[-1]['response'] if stream else answer.json())['status'] == 'completed', answer
    else:
        assert answer.status >= 400 and answer.error['message'], answer
    assert made(weir, a.name)['status'] == 'completed'


@each('path', ['input_tokens', 'compact'])
def test_what_a_mock_does_not_answer(weir, path):
    answer = weir.call('POST', f'/v1/responses/{path}', {'model': OPENAI.name, 'input': 'x', 'mock_response': 'y'})
    assert answer.status == 400 and answer.error['param'] == 'mock_response', answer


# -- the end of a stream

@each('end', [b'data: [DONE]\n\n', b'data: [DONE]\n', b'data: [DONE]', b''], ids=['line', 'half', 'bare', 'none'])
@each('framing', ['chunked', 'close'])
def test_last_line_of_chat(weir, replay, end, framing):
    """However the provider's chat completions end, the response has its last event."""
    headers, _ = script(f'framing={framing},{recorded(replay, CHUNKS + end)}')
    answer = post(weir, CHAT.name, 'Hello', headers, stream=True)
    found = events(answer)
    assert found[-1]['type'] == 'response.completed' and found[-1]['response']['output'][0]['content'][0]['text'] == 'Hi', answer
    assert b'[DONE]' not in answer.body


@each('end', [b'data: [DONE]\n\n', b'data: [DONE]', b''], ids=['line', 'bare', 'none'])
def test_done_does_not_complete_a_native_stream(weir, replay, end):
    """[DONE] is no word of this API: without its last event a stream was cut."""
    headers, _ = script(f'framing=close,{recorded(replay, BEGUN + end)}')
    answer = post(weir, OPENAI.name, 'Hello', headers, stream=True)
    assert events(answer)[-1]['type'] == 'error' and b'[DONE]' not in answer.body


def test_an_answer_that_is_too_large_to_be_collected(weir, replay):
    """The last events tell all of it again: where that cannot be held the stream fails, and says so."""
    role, finish = CHUNKS.split(b'\n\n')[:2]
    text = b''.join(role.replace(b'"Hi"', b'"' + b'x' * 1000000 + b'"') + b'\n\n' for _ in range(14))
    headers, _ = script(recorded(replay, text + finish + b'\n\ndata: [DONE]\n\n'))
    answer = post(weir, CHAT.name, 'Hello', headers, stream=True)
    found = events(answer)
    assert [e['type'] for e in found[-2:]] == ['response.failed', 'error'] and len(answer.body) < 30e6
    assert found[-1]['code'] == 'upstream_invalid_response' and 'larger than' in found[-1]['message']
    assert made(weir, CHAT.name)['status'] == 'completed'


# -- sizes

@pytest.fixture(scope='module')
def nobody(folder):
    """A gateway whose providers are not there: what a request costs it until it is sent."""
    base = f'http://127.0.0.1:{rig.refusing_port()}'
    server = rig.Weir(folder, rig.config([
        rig.deployment('claude', 'anthropic/claude-sonnet-4-5', base), rig.deployment('gemini', 'gemini/gemini-2.5-pro', base),
        rig.deployment('chat', 'groq/llama-3.3-70b-versatile', base + '/v1')]))
    yield server
    server.stop()


@each('model', ['claude', 'gemini', 'chat'])
@each('item', [{'role': 'assistant', 'content': 'a', 'x': 1},
               {'type': 'reasoning', 'id': 'r', 'summary': [{'type': 'summary_text', 'text': 'x'}]}], ids=['message', 'reasoning'])
def test_many_items_of_one_turn(nobody, model, item):
    """What a turn costs grows with its items, not with their square, which would take longer than a test waits."""
    call = {'type': 'function_call', 'call_id': 'c', 'name': 'f', 'arguments': '{}'}
    items = [call, *[item] * 200000, {'type': 'function_call_output', 'call_id': 'c', 'output': 'x'}]
    assert post(nobody, model, items, store=False).status == 502


# -- items of another provider's, sent by a client that keeps the conversation itself

@each('a', [CLAUDE, GEMINI])
def test_a_kept_conversation_moves_to_a_native_provider(weir, mock, a):
    """What the other provider signed, and ids of weir's making, do not get there; what was said does."""
    headers, _ = script('reasoning=4,tools=1')
    tool = {'type': 'function', 'name': 'get_weather', 'parameters': {'type': 'object', 'properties': {}}}
    first = made(weir, a.thinker, 'How is it?', headers, store=False, tools=[tool], reasoning={'effort': 'low', 'summary': 'auto'},
                 include=['reasoning.encrypted_content'])
    assert 'weir1.' in json.dumps(first['output'])
    call = next(item for item in first['output'] if item['type'] == 'function_call')
    items = [{'role': 'user', 'content': 'How is it?'}, *first['output'],
             {'type': 'function_call_output', 'call_id': call['call_id'], 'output': 'sunny'}]
    headers, mark = script()
    answer = post(weir, OPENAI.name, items, headers, store=False, tools=[tool])
    assert answer.status == 200 and answer.headers['x-weir-fidelity'] == 'dropped=reasoning_state', answer
    text = sent(mock, mark)
    assert 'weir1.' not in text and first['id'][5:] not in text.replace(call['call_id'], '')
    kinds = [item.get('type', 'message') for item in json.loads(text)['input']]
    assert 'reasoning' not in kinds and kinds[0] == 'message' and kinds[-2:] == ['function_call', 'function_call_output']
    answer = post(weir, OPENAI.name, items, {'x-weir-strict': '1'}, store=False, tools=[tool])
    assert answer.status == 400 and answer.error['param'] == 'input.encrypted_content', answer


def test_a_native_conversation_is_not_touched(weir, mock):
    """The provider gets its items back; the tag of its account, which came with their state, does not go there."""
    headers, _ = script('reasoning=4')
    first = made(weir, OPENAI.thinker, 'Hi', headers, store=False, reasoning={'effort': 'low'}, include=['reasoning.encrypted_content'])
    items = [{'role': 'user', 'content': 'Hi'}, *first['output'], {'role': 'user', 'content': 'And now?'}]
    headers, mark = script()
    answer = post(weir, OPENAI.thinker, items, headers, store=False)
    assert answer.status == 200 and answer.headers['x-weir-fidelity'] == 'exact', answer
    thought, = [item for item in items if item.get('encrypted_content')]
    thought['encrypted_content'] = re.sub(r'^weirn\.[0-9a-f]{8}\.', '', thought['encrypted_content'])
    assert json.loads(sent(mock, mark))['input'] == items and thought['encrypted_content'].startswith('gAAAAAB')
