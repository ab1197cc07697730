"""What Gemini alone does, in OpenAI's words; the rest is in test_translate.py."""
import json

import pytest

import rig
from providers import TEXT

BOTH = pytest.mark.parametrize('stream', [False, True], ids=['whole', 'stream'])


@pytest.fixture(scope='module')
def weir(folder, mock):
    server = rig.Weir(folder, rig.config([rig.deployment('gemini/*', 'gemini/*', f'http://127.0.0.1:{mock.port}')]))
    yield server
    server.stop()


@pytest.fixture
def ask(weir, mock):
    """(answer, what was sent)"""
    def asker(items='', model='gemini-2.5-flash', **members):
        script, mark = rig.script(items)
        answer = weir.chat(f'gemini/{model}-{script.removeprefix("mock/")}', **members)
        return answer, [json.loads(r['body']) for r in mock.seen(mark)]
    return asker


def choices(answer, stream):
    """index -> (text, refusal, finish reason)"""
    assert answer.status == 200, answer
    rows = {}
    bodies = [json.loads(e) for e in rig.events(answer.body) if e != '[DONE]'] if stream else [answer.json()]
    for choice in (c for body in bodies for c in body['choices']):
        part = choice['delta' if stream else 'message']
        text, refusal, finish = rows.get(choice['index'], ('', '', None))
        rows[choice['index']] = (text + (part.get('content') or ''), refusal + (part.get('refusal') or ''),
                                 choice['finish_reason'] or finish)
    return rows


@BOTH
@pytest.mark.parametrize('items,want', [
    ('refusal,finish=PROHIBITED_CONTENT', ('', 'Prompt blocked: PROHIBITED_CONTENT', 'content_filter')),
    ('finish=SAFETY', ('', '', 'content_filter')), ('finish=RECITATION,text=half_a', ('half a', '', 'content_filter')),
    ('finish=MAX_TOKENS', ('', '', 'length')), ('finish=OTHER,text=so', ('so', '', 'stop')),
    ('finish=SOMETHING_NEW,text=so', ('so', '', 'stop'))])
def test_endings(ask, stream, items, want):
    answer, _ = ask(items, stream=stream)
    assert choices(answer, stream) == {0: want}


@BOTH
@pytest.mark.parametrize('reason', ['MALFORMED_FUNCTION_CALL', 'UNEXPECTED_TOOL_CALL', 'OTHER'])
def test_no_use(ask, stream, reason):
    """An answer without content that the model broke itself is an error, not an empty success."""
    answer, _ = ask(f'finish={reason}', stream=stream)
    assert answer.status == 502 and answer.error['code'] == 'upstream_invalid_response', answer


@BOTH
def test_choices(ask, stream):
    answer, (sent,) = ask(stream=stream, n=3, max_tokens=2)
    assert choices(answer, stream) == {i: ('The dam', '', 'length') for i in range(3)}
    assert sent['generationConfig'] == {'candidateCount': 3, 'maxOutputTokens': 2}


def test_offsets_are_of_characters(ask):
    """Gemini counts bytes, OpenAI characters."""
    answer, _ = ask('citations,text=Zürich_日本', web_search_options={})
    cited, = answer.json()['choices'][0]['message']['annotations']
    assert (cited['url_citation']['start_index'], cited['url_citation']['end_index']) == (0, len('Zürich 日本'))


def test_logprobs(ask):
    answer, _ = ask(logprobs=True, top_logprobs=1, max_tokens=2)
    rows = answer.json()['choices'][0]['logprobs']['content']
    assert [(r['token'], r['logprob'], bytes(r['bytes'])) for r in rows] == [('The', -.25, b'The'), (' dam', -.25, b' dam')]


def test_seed(ask):
    answer, (sent,) = ask(seed=7)
    assert sent['generationConfig']['seed'] == 7 and answer.headers['x-weir-fidelity'] == 'exact'
    answer, (sent,) = ask(seed=2**33 + 7)
    assert answer.headers['x-weir-fidelity'] == 'degraded=seed' and sent['generationConfig']['seed'] == 7


def test_retry_info(ask):
    """Google says when to try again in the body, not in a header."""
    answer, _ = ask('status=429')
    assert answer.status == 429 and answer.headers['retry-after'] == '7' and answer.headers['retry-after-ms'] == '6400'


def test_wrong_key(start, mock):
    """400 API_KEY_INVALID is the gateway's fault, not the client's."""
    weir = start(rig.config([rig.deployment('m', 'gemini/gemini-2.5-flash', f'http://127.0.0.1:{mock.port}', api_key='wrong')]))
    answer = weir.chat('m')
    assert (answer.status, answer.error['code']) == (502, 'upstream_auth')


@pytest.mark.parametrize('model,effort,want', [
    ('gemini-2.5-flash', 'low', {'thinkingBudget': 1024, 'includeThoughts': True}), ('gemini-2.5-flash', 'none', {'thinkingBudget': 0}),
    ('gemini-2.5-pro', 'none', {'thinkingBudget': 128}), ('gemini-3-flash', 'minimal', {'thinkingLevel': 'MINIMAL', 'includeThoughts': True}),
    ('gemini-3-pro', 'medium', {'thinkingLevel': 'HIGH', 'includeThoughts': True})])
def test_effort(ask, model, effort, want):
    answer, (sent,) = ask(model=model, reasoning_effort=effort)
    assert answer.json()['choices'][0]['message']['content'] == TEXT
    assert sent['generationConfig']['thinkingConfig'] == want


def test_stream_without_its_end(ask):
    answer, _ = ask('done=none', stream=True)
    assert b'[DONE]' not in answer.body.split(b'"error"')[0] and b'"error"' in answer.body
    assert b'"finish_reason":"stop"' not in answer.body
