"""What a follow-up of the Responses API goes back to: chains within and across providers, reasoning, references to items."""
import json
import re

import pytest

import rig
from providers import TEXT, TOOLS
from responses_rig import ALIASES, CHAT, CLAUDE, GEMINI, OPENAI, THINKERS, script
from responses_state import (BOTH, BRIDGED, PAIRS, WEATHER, config, each, events, in_order, made, names, outputs, post, refused, said,
                             sent)


@pytest.fixture(scope='module')
def weir(folder, mock):
    server = rig.Weir(folder, config(folder, mock))
    yield server
    server.stop()


# -- chains

@BOTH
@each('a', ALIASES)
def test_five_turns(weir, mock, a, stream):
    """Each turn finds all those before it, however the others came."""
    made_by = []
    for n in range(5):
        headers, mark = script(f'text=Answer{n}')
        more = {'previous_response_id': made_by[-1]['id']} if made_by else {}
        made_by.append(made(weir, a.name, f'Turn{n}', headers, stream=stream == (n % 2 == 0), **more))
        assert made_by[-1]['previous_response_id'] == more.get('previous_response_id')
    text = sent(mock, mark)
    if a.native:
        assert json.loads(text)['previous_response_id'] == made_by[3]['id'] and 'Turn3' not in text
    else:
        in_order(text, *(word for n in range(4) for word in (f'Turn{n}', f'Answer{n}')), 'Turn4')
        assert not re.search(r'(msg|resp)_[0-9a-f]{32}', text), "ids of weir's went to a provider"
    assert len({r['id'] for r in made_by}) == 5


@BOTH
@PAIRS
def test_a_chain_moves(weir, mock, pair, stream):
    """Two turns at one provider, then the other, then back; what a provider keeps itself stays there."""
    one, other = pair
    first = made(weir, one.name, 'Alpha', stream=stream)
    second = made(weir, one.name, 'Beta', stream=stream, previous_response_id=first['id'])
    headers, mark = script()
    answer = post(weir, other.name, 'Gamma', headers, stream=stream, previous_response_id=second['id'])
    if one.native:
        error = refused(400, answer, 'previous_response_id', text=f'the model {other.name} is served elsewhere')
        assert one.name in error['message'] and mock.seen(mark) == []
        return
    text = sent(mock, mark)
    in_order(text, 'Alpha', 'Beta', 'Gamma')
    assert answer.status == 200 and text.count('The dam is low') == 2 and 'previous_response_id' not in text
    third = events(answer)[-1]['response'] if stream else answer.json()
    headers, mark = script()
    answer = post(weir, one.name, 'Delta', headers, stream=stream, previous_response_id=third['id'])
    if other.native:
        refused(400, answer, 'previous_response_id', text=f'the model {one.name} is served elsewhere')
        assert mock.seen(mark) == []
        assert said(made(weir, other.name, 'Delta', previous_response_id=third['id'])) == TEXT
        return
    in_order(sent(mock, mark), 'Alpha', 'Beta', 'Gamma', 'Delta')
    assert answer.status == 200 and answer.headers['x-weir-fidelity'] == 'exact', answer


@BOTH
def test_a_native_chain_moves_within_its_account(start, folder, mock, stream):
    """Another model at the same address with the same key goes on; one with another key, or elsewhere, has not what it takes."""
    made_of = config(folder, mock)
    made_of['model_list'] += [rig.deployment('other-key', 'openai/gpt-4.1', mock.base, api_key='sk-of-another-account'),
                              rig.deployment('other-place', 'openai/gpt-4.1', f'http://127.0.0.1:{rig.refusing_port()}/v1'),
                              rig.deployment('other-organization', 'openai/gpt-4.1', mock.base, organization='org-2'),
                              rig.deployment('mixed', 'openai/gpt-4.1', f'http://127.0.0.1:{rig.refusing_port()}/v1'),
                              rig.deployment('mixed', 'openai/gpt-5.2', mock.base)]
    weir = start(made_of)
    first = made(weir, OPENAI.name, 'One', stream=stream)
    for model in (OPENAI.thinker, OPENAI.name, 'mixed', 'mixed', 'mixed'):
        headers, mark = script()
        more = made(weir, model, 'Two', headers, stream=stream, previous_response_id=first['id'])
        assert json.loads(sent(mock, mark))['previous_response_id'] == first['id'] == more['previous_response_id']
    for model in ('other-key', 'other-place', 'other-organization', CLAUDE.name):
        headers, mark = script()
        refused(400, post(weir, model, 'Two', headers, stream=stream, previous_response_id=first['id']), 'previous_response_id',
                text=f'{model} is served elsewhere')
        assert mock.seen(mark) == []


@BOTH
@PAIRS
def test_a_tool_loop_moves(weir, mock, pair, stream):
    """Only the results are new; the calls that they answer were made by another provider."""
    one, other = pair
    headers, _ = script('tools=2')
    first = made(weir, one.name, 'How is it?', headers, stream=stream, tools=[WEATHER])
    results = outputs(first, 'sunny', 'rainy')
    headers, mark = script()
    answer = post(weir, other.name, results, headers, tools=[WEATHER], previous_response_id=first['id'])
    if one.native:
        refused(400, answer, 'previous_response_id')
        assert mock.seen(mark) == []
        return
    assert answer.status == 200 and said(answer.json()) == TOOLS + 'sunny rainy', answer
    in_order(sent(mock, mark), 'How is it?', 'sunny', 'rainy')


@each('a', ALIASES)
def test_results_without_their_calls(weir, a):
    """A result whose call is in no turn of the conversation, and a conversation that waits for results."""
    first = made(weir, a.name, 'How is it?', tools=[WEATHER])
    stray = [{'type': 'function_call_output', 'call_id': 'call_of_nobody', 'output': 'x'}]
    for input in (stray, 'Never mind.'):
        answer = post(weir, a.name, input, tools=[WEATHER], previous_response_id=first['id'])
        assert answer.status == 400 and answer.error['param'].startswith('input'), answer


SIGNATURE = {CLAUDE.name: r'"signature" ?: ?"([^"]{20,})"', GEMINI.name: r'"thoughtSignature" ?: ?"([^"]{20,})"'}


@BOTH
@each('a', [CLAUDE, GEMINI])
def test_reasoning_goes_on(weir, mock, a, stream):
    """The provider gets back what it signed, although the client never saw it."""
    asked = {'reasoning': {'effort': 'low'}, 'tools': [WEATHER], 'stream': stream}
    first = made(weir, a.thinker, 'How is it?', script()[0], **asked)
    assert 'encrypted_content' not in str(first) or not any(i.get('encrypted_content') for i in first['output'])
    headers, mark = script()
    second = made(weir, a.thinker, outputs(first, 'sunny'), headers, previous_response_id=first['id'], **asked)
    signature, = set(re.findall(SIGNATURE[a.name], sent(mock, mark)))
    assert said(second) == TOOLS + 'sunny' and signature not in json.dumps([first, second])
    assert signature not in weir.call('GET', f'/v1/responses/{first["id"]}').body.decode()
    items = weir.call('GET', f'/v1/responses/{second["id"]}/input_items').body.decode()
    assert signature not in items and 'weir1.' not in items


@each('pair', [(a, b) for a in (CLAUDE, GEMINI) for b in THINKERS if a is not b], ids=names)
def test_signatures_stay_at_home(weir, mock, pair):
    """What one provider signed is not shown to another, and is still there when the conversation comes back."""
    one, other = pair
    asked = {'reasoning': {'effort': 'low'}, 'tools': [WEATHER]}
    first = made(weir, one.thinker, 'How is it?', **asked)
    headers, mark = script()
    second = made(weir, one.thinker, outputs(first, 'sunny'), headers, previous_response_id=first['id'], **asked)
    signatures = set(re.findall(SIGNATURE[one.name], sent(mock, mark)))
    assert signatures
    headers, mark = script()
    third = made(weir, other.thinker, 'And there?', headers, previous_response_id=second['id'], reasoning={'effort': 'low'},
                 tools=[WEATHER])
    text = sent(mock, mark)
    assert 'weir1.' not in text and not any(s in text for s in signatures)
    if other.native:
        return
    headers, mark = script()
    made(weir, one.thinker, outputs(third, *['cold'] * len(outputs(third, 'x'))), headers, previous_response_id=third['id'], **asked)
    text = sent(mock, mark)
    assert signatures <= set(re.findall(SIGNATURE[one.name], text)) and 'weir1.' not in text


def test_strict(weir, mock):
    """A caller who wants no loss is told of the one that a move costs, before it is made."""
    first = made(weir, CLAUDE.thinker, 'How is it?', reasoning={'effort': 'low'}, tools=[WEATHER])
    headers, mark = script()
    answer = post(weir, GEMINI.thinker, outputs(first, 'sunny'), {**headers, 'x-weir-strict': '1'}, tools=[WEATHER],
                  previous_response_id=first['id'])
    assert answer.status == 400 and 'reasoning' in answer.error['message'] and mock.seen(mark) == [], answer
    answer = post(weir, GEMINI.thinker, outputs(first, 'sunny'), tools=[WEATHER], previous_response_id=first['id'])
    assert answer.status == 200 and 'reasoning_state' in answer.headers['x-weir-fidelity'], answer


# -- item references

def reference(item):
    return {'type': 'item_reference', 'id': item['id']}


@each('a', BRIDGED)
@each('b', ALIASES)
def test_references(weir, mock, a, b):
    """Items of an answer that weir keeps, by their ids: the calls of a tool loop, a message, one of the input."""
    first = made(weir, a.name, 'How is it?', tools=[WEATHER])
    headers, mark = script()
    got = made(weir, b.name, [{'role': 'user', 'content': 'How is it?'}, *map(reference, first['output']), *outputs(first, 'sunny')],
               headers, tools=[WEATHER])
    assert said(got) == TOOLS + 'sunny' and 'item_reference' not in sent(mock, mark)
    message = made(weir, a.name, 'Marked-question', script('text=Marked-answer')[0])
    listed, = weir.call('GET', f'/v1/responses/{message["id"]}/input_items').json()['data']
    headers, mark = script()
    made(weir, b.name, [reference(listed), reference(message['output'][0]), {'role': 'user', 'content': 'Go'}], headers)
    text = sent(mock, mark)
    in_order(text, 'Marked-question', 'Marked-answer', 'Go')
    assert not re.search(r'_[0-9a-f]{32}', text.replace(mark, '')), "ids of weir's went to a provider"


@each('a', BRIDGED)
@each('b', ALIASES)
def test_references_beside_a_chain(weir, mock, a, b):
    """The conversation of the one, and an item of another answer in the input."""
    aside = made(weir, a.name, 'Aside', script('text=Marked-aside')[0])
    first = made(weir, b.name, 'Main', script('text=Marked-main')[0])
    headers, mark = script()
    second = made(weir, b.name, [reference(aside['output'][0]), {'role': 'user', 'content': 'Go'}], headers,
                  previous_response_id=first['id'])
    text = sent(mock, mark)
    in_order(text, 'Marked-aside', 'Go')
    if b.native:
        assert json.loads(text)['previous_response_id'] == first['id'] and 'Main' not in text
    else:
        in_order(text, 'Main', 'Marked-main', 'Marked-aside')
    # What was referred to is a part of this turn now, whatever becomes of where it was.
    assert weir.call('DELETE', f'/v1/responses/{aside["id"]}').status == 200
    headers, mark = script()
    made(weir, b.name, 'On', headers, previous_response_id=second['id'])
    if not b.native:
        in_order(sent(mock, mark), 'Marked-main', 'Marked-aside', 'Go', 'On')
        listed = weir.call('GET', f'/v1/responses/{second["id"]}/input_items?order=asc').json()['data']
        assert [item['type'] for item in listed] == ['message', 'message'] and 'Marked-aside' in str(listed[0])


@each('a', BRIDGED)
def test_references_within_a_chain(weir, mock, a):
    """An item of the conversation itself, which the client sends once more by its id, is there."""
    first = made(weir, a.name, 'How is it?', tools=[WEATHER])
    second = made(weir, a.name, outputs(first, 'sunny'), tools=[WEATHER], previous_response_id=first['id'])
    headers, mark = script()
    answer = post(weir, a.name, [reference(second['output'][0]), {'role': 'user', 'content': 'Go'}], headers,
                  previous_response_id=second['id'])
    assert answer.status == 200 and sent(mock, mark).count('The tools answered') == 2, answer


def test_references_that_lead_nowhere(weir, mock):
    native = made(weir, OPENAI.name)['output'][0]['id']
    hexes = '0123456789abcdef' * 2
    for a in ALIASES:
        headers, mark = script()
        for id, status in ((f'msg_{hexes}0000', 404), (f'fc_{hexes}ffff', 404), (f'msg_{hexes}i0000', 404)):
            answer = post(weir, a.name, [{'type': 'item_reference', 'id': id}], headers)
            assert answer.status == status and answer.error['param'] == 'input' and hexes in answer.error['message'], answer
        if not a.native:
            for id in (native, 'msg_x', 'x' * 10000, 'é', ''):
                answer = post(weir, a.name, [{'type': 'item_reference', 'id': id}], headers)
                assert answer.status == 400 and answer.error['param'].startswith('input[0]'), answer
            for id in (7, None, [], {'a': 1}):
                answer = post(weir, a.name, [{'type': 'item_reference', 'id': id}], headers)
                assert answer.status == 400 and answer.error['param'].startswith('input'), answer
        assert mock.seen(mark) == []
    kept = made(weir, CLAUDE.name)
    answer = post(weir, CLAUDE.name, [{'type': 'item_reference', 'id': kept['output'][0]['id'][:-4] + '00ff'}])
    assert answer.status == 400 and answer.error['param'] == 'input[0].id', answer


def test_many_references(weir):
    ids = [f'msg_{n:032x}0000' for n in range(65)]
    refused(400, post(weir, CLAUDE.name, [{'type': 'item_reference', 'id': i} for i in ids]), 'input', text='64')
    kept = [made(weir, CHAT.name, f'Q{n}')['output'][0] for n in range(3)]
    again = [reference(kept[n % 3]) for n in range(300)]
    assert post(weir, CLAUDE.name, [*again, {'role': 'user', 'content': 'Go'}]).status == 200


def test_words_that_are_no_references(weir, mock):
    """Text that speaks of references is text."""
    headers, mark = script()
    text = 'What is {"type":"item_reference","id":"msg_1"}?'
    assert made(weir, CLAUDE.name, text, headers) and 'item_reference' in sent(mock, mark)


@BOTH
@pytest.mark.parametrize('one,other', [
    ('anthropic/claude-sonnet-4-6', 'anthropic/claude-sonnet-4-5'), ('anthropic/claude-sonnet-4-5', 'anthropic/claude-sonnet-4-6'),
    ('gemini/gemini-3-flash', 'gemini/gemini-2.5-flash')])
def test_state_of_another_model(start, mock, one, other, stream):
    """Signatures are their model's: another one of the family refuses them, and is asked once more without."""
    root = f'http://127.0.0.1:{mock.port}'
    weir = start(rig.config([rig.deployment('one', one, root), rig.deployment('other', other, root)]))
    asked = {'reasoning': {'effort': 'high'}, 'tools': [WEATHER]}
    first = made(weir, 'one', 'How is it?', **asked)
    given = outputs(first, 'sunny')
    strict = post(weir, 'other', given, {'x-weir-strict': '1'}, previous_response_id=first['id'], **asked)
    assert strict.status == 400 and strict.error['code'] in ('invalid_reasoning_state', 'unsupported_parameter'), strict
    answer = post(weir, 'other', given, previous_response_id=first['id'], stream=stream, **asked)
    assert answer.status == 200 and 'reasoning_state' in answer.headers['x-weir-fidelity'], answer
    last = events(answer)[-1]['response'] if stream else answer.json()
    assert said(last) == TOOLS + 'sunny'
    assert said(made(weir, 'one', 'And there?', previous_response_id=last['id'], **asked)) is not None
