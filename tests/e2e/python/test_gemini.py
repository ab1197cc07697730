"""What Gemini alone does, in OpenAI's words; the rest is in test_translate.py."""
import json
import pathlib
import re

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


def logged(weir, answer):
    """The fields of the answer's log line."""
    line = weir.wait_log(r'^.*\bid=' + answer.headers['x-litellm-call-id'] + r'\b.*$').group(0)
    return {name: value.strip('"') for name, value in re.findall(r'(\w+)=("[^"]*"|\S+)', line)}


def usage(answer, stream):
    bodies = [json.loads(e) for e in rig.events(answer.body) if e != '[DONE]'] if stream else [answer.json()]
    return [b['usage'] for b in bodies if b.get('usage')][-1]


@BOTH
@pytest.mark.parametrize('reason', ['MALFORMED_FUNCTION_CALL', 'MALFORMED_RESPONSE', 'UNEXPECTED_TOOL_CALL'])
def test_second_try(ask, weir, stream, reason):
    """What the model spoils now and then is asked for once more; the tokens of both tries count."""
    options = {'stream': True, 'stream_options': {'include_usage': True}} if stream else {}
    plain, _ = ask(**options)
    answer, sent = ask(f'finish={reason},times=1', **options)
    assert choices(answer, stream) == {0: (TEXT, '', 'stop')}
    assert len(sent) == 2 and sent[0] == sent[1]
    one, both, line = usage(plain, stream), usage(answer, stream), logged(weir, answer)
    assert both['prompt_tokens'] == 2 * one['prompt_tokens'] and both['completion_tokens'] == one['completion_tokens']
    assert line['prompt_tokens'] == str(both['prompt_tokens']) and 'error' not in line, line


@BOTH
def test_second_try_of_responses(weir, mock, stream):
    script, mark = rig.script('finish=MALFORMED_FUNCTION_CALL,times=1')
    model = f'gemini/gemini-2.5-flash-{script.removeprefix("mock/")}'
    answer = weir.call('POST', '/v1/responses', {'model': model, 'input': 'Hello', 'stream': stream, 'store': False})
    assert answer.status == 200 and len(mock.seen(mark)) == 2, answer
    bodies = [json.loads(e) for e in rig.events(answer.body)] if stream else []
    assert [b['type'] for b in bodies].count('response.created') == stream
    made = bodies[-1]['response'] if stream else answer.json()
    assert made['status'] == 'completed' and made['output'][-1]['content'][0]['text'] == TEXT


@BOTH
def test_second_try_fails(ask, weir, stream):
    answer, sent = ask('finish=MALFORMED_FUNCTION_CALL', stream=stream)
    assert answer.status == 502 and 'malformed function call' in answer.error['message'] and len(sent) == 2, answer
    line = logged(weir, answer)
    assert line['error'] == 'ERR_UPSTREAM_BAD' and int(line['prompt_tokens']) > 0, line
    answer, sent = ask('finish=OTHER', stream=stream)
    assert answer.status == 502 and len(sent) == 1, 'another try would end in the same way'


THOUGHT = {'content': {'role': 'model', 'parts': [{'text': 'Hm.', 'thought': True}]}}
SPOILED = {'candidates': [{**THOUGHT, 'finishReason': 'MALFORMED_FUNCTION_CALL'}], 'usageMetadata': {'promptTokenCount': 5, 'totalTokenCount': 5}}


@BOTH
def test_second_try_after_a_thought(folder, stream):
    """A thought that was shown cannot be taken back; a whole answer is shown at its end."""
    replay = pathlib.Path(folder) / f'replay-{stream}'
    replay.mkdir()
    (replay / 'spoiled.json').write_text(json.dumps(SPOILED))
    (replay / 'spoiled.chunks.txt').write_text(json.dumps({'candidates': [THOUGHT]}) + '\n' + json.dumps(SPOILED) + '\n')
    mock = rig.Mock(str(replay), '--replay', str(replay))
    weir = rig.Weir(str(replay), rig.config([rig.deployment('gemini/*', 'gemini/*', f'http://127.0.0.1:{mock.port}')]))
    try:
        script, mark = rig.script(f'fixture=spoiled.{"chunks.txt" if stream else "json"},times=1')
        answer = weir.chat(f'gemini/gemini-2.5-flash-{script.removeprefix("mock/")}', stream=stream)
        assert answer.status == 200 and len(mock.seen(mark)) == (1 if stream else 2), answer
        if stream:
            last = json.loads(rig.events(answer.body)[-1])
            assert last['error']['code'] == 'upstream_invalid_response', last
        else:
            assert choices(answer, stream) == {0: (TEXT, '', 'stop')} and 'Hm.' not in answer.body.decode()
        script, mark = rig.script('fixture=spoiled.json')
        answer = weir.chat(f'gemini/gemini-2.5-flash-{script.removeprefix("mock/")}')
        assert answer.status == 502 and len(mock.seen(mark)) == 2, answer
    finally:
        weir.stop()
        mock.stop()


CALL_BACK = [{'role': 'user', 'content': 'How is Oslo?'},
             {'role': 'assistant', 'tool_calls': [{'id': 'call_1', 'type': 'function', 'function': {'name': 'f', 'arguments': '{}'}}]},
             {'role': 'tool', 'tool_call_id': 'call_1', 'content': 'wet'}]
TOOLS = [{'type': 'function', 'function': {'name': 'f', 'parameters': {'type': 'object', 'properties': {'a': {'type': 'string'}}}}}]


@BOTH
def test_missing_signature(ask, stream):
    """The history is sent once more with the signature that skips the check."""
    reason = 'finish=MISSING_THOUGHT_SIGNATURE'
    answer, sent = ask(f'{reason},times=1', messages=CALL_BACK, tools=TOOLS, stream=stream)
    assert choices(answer, stream)[0][2] in ('stop', 'tool_calls') and answer.headers['x-weir-fidelity'] == 'degraded=reasoning_state'
    signed = [[p.get('thoughtSignature') for c in body['contents'] for p in c['parts'] if 'functionCall' in p] for body in sent]
    assert signed == [[None], ['skip_thought_signature_validator']]
    answer, sent = ask(reason, messages=CALL_BACK, tools=TOOLS, stream=stream)
    assert answer.status == 400 and answer.error['param'] == 'messages' and len(sent) == 2, answer
    answer, sent = ask(reason, messages=CALL_BACK, tools=TOOLS, stream=stream, headers={'x-weir-strict': '1'})
    assert answer.status == 400 and len(sent) == 1, 'the repair is a loss'


@BOTH
def test_answer_fidelity(ask, weir, stream):
    answer, _ = ask('finish=SOMETHING_NEW,text=so', stream=stream)
    assert answer.headers['x-weir-fidelity'] == ('exact' if stream else 'degraded=finish_reason')
    assert logged(weir, answer)['answer_fidelity'] == 'degraded=finish_reason'
    answer, _ = ask('finish=SOMETHING_NEW,text=so', stream=stream, headers={'x-weir-strict': '1'})
    assert answer.status == 200, 'it is paid for'
    answer, _ = ask(stream=stream)
    assert 'answer_fidelity' not in logged(weir, answer)


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
