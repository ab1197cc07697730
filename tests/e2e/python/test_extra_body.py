"""The deployment's extra_body across dialects: in the provider's own words, laid over what was translated."""
import json

import pytest

import rig

DEEP = {'vendor': {'a': [1, 'x']}}


@pytest.fixture(scope='module')
def weir(folder, mock):
    root = f'http://127.0.0.1:{mock.port}'
    server = rig.Weir(folder, rig.config([
        rig.deployment('claude/*', 'anthropic/*', root, extra_body={
            'metadata': {'user_id': 'cfg'}, 'max_tokens': 77, 'model': 'no', 'stream': True, 'inference_geo': 'us'}),
        rig.deployment('gemini/*', 'gemini/*', root, extra_body={'generationConfig': {'topK': 3}, 'labels': {'a': 'b'}}),
        rig.deployment('chat/*', 'openai/*', mock.base, use_chat_completions_api=True, extra_body=DEEP)]))
    yield server
    server.stop()


def sent(weir, mock, model, path='/v1/chat/completions', **members):
    script, mark = rig.script()
    body = {'model': model.replace('*', script.removeprefix('mock/')), **members}
    answer = weir.call('POST', path, body)
    assert answer.status == 200 and answer.headers['x-weir-fidelity'] == 'exact', answer
    return json.loads(mock.one(mark)['body'])


HELLO = [{'role': 'user', 'content': 'Hello'}]


def test_claude(weir, mock):
    body = sent(weir, mock, 'claude/claude-sonnet-4-5-*', messages=HELLO, max_tokens=9, temperature=.5)
    assert body.pop('model').startswith('claude-sonnet-4-5') and not body.pop('stream', False)
    assert body.pop('messages')[0]['role'] == 'user'
    assert body == {'max_tokens': 77, 'temperature': .5, 'metadata': {'user_id': 'cfg'}, 'inference_geo': 'us'}


def test_gemini(weir, mock):
    body = sent(weir, mock, 'gemini/gemini-2.5-flash-*', messages=HELLO, max_tokens=9)
    assert body['generationConfig'] == {'maxOutputTokens': 9, 'topK': 3} and body['labels'] == {'a': 'b'}


def test_responses_over_chat(weir, mock):
    body = sent(weir, mock, 'chat/*', '/v1/responses', input='Hello')
    assert body['vendor'] == DEEP['vendor'] and body['messages'][0]['content'] == 'Hello'


def test_a_count_is_of_the_rest(weir, mock):
    script, mark = rig.script()
    answer = weir.call('POST', '/v1/responses/input_tokens',
                       {'model': f'claude/claude-sonnet-4-5-{script.removeprefix("mock/")}', 'input': 'Hello'})
    assert answer.status == 200 and not {'metadata', 'max_tokens'} & set(json.loads(mock.one(mark)['body'])), answer
