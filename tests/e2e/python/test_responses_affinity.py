"""What a provider has encrypted goes back to the account that made it, and to no other: tags, affinity, and losses that are told."""
import json
import re

import openai
import pytest

import rig
from providers import TEXT
from responses_state import BOTH, WEATHER, events, get, made, outputs, post, refused, said
from test_passthrough import fixture, same

THINK = {'reasoning': {'effort': 'low', 'summary': 'auto'}, 'include': ['reasoning.encrypted_content'], 'store': False}
TAG = re.compile(r'weirn\.[0-9a-f]{8}\.')
KEYS = {'a': 'sk-of-account-a', 'b': 'sk-of-account-b'}
PAUSED = {'blocked': True}


@pytest.fixture(scope='module')
def mock(folder, replay):
    """It takes every key, and what it encrypts for one it refuses from another."""
    server = rig.Mock(folder, '--replay', replay, key=None)
    yield server
    server.stop()


def config(mock, **keys):
    keys = {**KEYS, **keys}
    root = f'http://127.0.0.1:{mock.port}'

    def at(name, key, model='openai/gpt-5.2', info=None, **more):
        return rig.deployment(name, model, more.pop('base', mock.base), info, api_key=keys.get(key, key), **more)
    azure = {'base': root, 'model': 'azure/gpt-5.2', 'api_version': '2025-04-01-preview'}
    return rig.config(
        [at('a', 'a'), at('b', 'b'), at('pair', 'a'), at('pair', 'b'),
         at('paused', 'a', info=PAUSED), at('paused', 'b'),
         at('twins', 'b'), at('twins', 'a', info={'id': 'twin-1'}), at('twins', 'a', info={'id': 'twin-2'}),
         at('mixed', 'sk-of-claude', base=root, model='anthropic/claude-sonnet-4-6'), at('mixed', 'a'),
         at('chat-of-a', 'a', use_chat_completions_api=True), at('also-chat', 'a', use_chat_completions_api=True), at('also-chat', 'b'),
         at('any/*', 'a', model='openai/*'),
         at('organization', 'a', organization='org-7'), at('organization-by-header', 'b', extra_headers={'OpenAI-Organization': 'org-7'}),
         at('organization-of-others', 'a', organization='org-8'),
         at('azure', 'a', **azure), at('azure-other-key', 'b', **azure), at('east-or-a', 'sk-azure', **azure), at('east-or-a', 'a'),
         at('claude', 'sk-of-claude', base=root, model='anthropic/claude-sonnet-4-6'),
         at('gemini', 'sk-of-gemini', base=root, model='gemini/gemini-3-flash'),
         at('groq', 'sk-of-groq', model='groq/llama-3.3-70b-versatile')],
        general_settings={'forward_client_headers_to_llm_api': True}, weir_settings={'drain_timeout': 5})


@pytest.fixture(scope='module')
def weir(folder, mock):
    server = rig.Weir(folder, config(mock))
    yield server
    server.stop()


def script(items=''):
    model, mark = rig.script(items)
    return {'x-mock': model.removeprefix('mock/mock:')}, mark


def states(items):
    return [item['encrypted_content'] for item in items if item.get('encrypted_content')]


def tags(items):
    found = {TAG.match(state).group() for state in states(items)}
    assert found, items
    return found


def thought(weir, model, input='How is it?', stream=False, headers=None, **members):
    """The items of one turn as a client keeps them: the question, what was thought and said."""
    answer = made(weir, model, input, headers or script()[0], stream=stream, **{**THINK, **members})
    return [{'role': 'user', 'content': input}, *answer['output']]


def asked(weir, model, past, **members):
    """(answer, request as the provider got it or None) of the next turn."""
    headers, mark = script()
    headers.update(members.pop('headers', {}))
    answer = post(weir, model, [*past, {'role': 'user', 'content': 'And then?'}], headers, **{**THINK, **members})
    return answer, seen(weir, mark)


def seen(weir, mark):
    found = weir.mock.seen(mark)
    assert len(found) <= 1
    return found[0] if found else None


@pytest.fixture(autouse=True)
def with_mock(weir, mock):
    weir.mock = mock


def key_of(request):
    head = request['header']
    return head.get('api-key') or head['authorization'].removeprefix('Bearer ')


LOST = 'dropped=reasoning_state'


def kept(answer, request, key, past):
    """It went to the holder of the key with its states as the provider made them."""
    assert answer.status == 200 and answer.headers['x-weir-fidelity'] == 'exact', answer
    assert key_of(request) == key
    got = states(json.loads(request['body'])['input'])
    assert got == [TAG.sub('', s) for s in states(past)] and got and 'weirn' not in request['body'].decode()


def lost(answer, request, past, key=None):
    assert answer.status == 200 and answer.headers['x-weir-fidelity'] == LOST, answer
    assert key is None or key_of(request) == key
    text = request['body'].decode()
    assert 'weirn' not in text and not any(TAG.sub('', s) in text for s in states(past)), text
    assert TEXT in text and 'How is it?' in text


# -- answers

@BOTH
def test_what_the_client_gets(weir, mock, stream):
    """Each state has the account's tag, in every place where it stands; all else is as the provider sent it."""
    headers, mark = script()
    answer = post(weir, 'a', headers=headers, stream=stream, **THINK)
    plain = rig.request(mock.port, 'POST', '/v1/responses', {**json.loads(mock.one(mark)['body'])}, {'Authorization': 'Bearer ' + KEYS['a']})
    assert answer.headers['x-weir-fidelity'] == 'exact' and plain.status == 200
    text = answer.body.decode()
    one, = set(TAG.findall(text))
    found = [re.findall('"encrypted_content": ?"([^"]+)', t) for t in (text, plain.body.decode())]
    assert len(found[0]) == len(found[1]) == (3 if stream else 1)
    assert all(s.startswith(one + 'gAAAAA') for s in found[0]) and all(s.startswith('gAAAAA') for s in found[1])
    if stream:
        found = [e for e in events(answer) if 'item' in e and e['item']['type'] == 'reasoning']
        assert [e['type'] for e in found] == ['response.output_item.added', 'response.output_item.done']
        assert found[1]['item'] == events(answer)[-1]['response']['output'][0]


def test_accounts_have_tags_of_their_own(weir):
    of = {name: tags(thought(weir, name)) for name in ('a', 'b', 'azure', 'azure-other-key', 'organization', 'organization-by-header',
                                                        'organization-of-others', 'any/gpt-5.2')}
    assert all(len(t) == 1 for t in of.values())
    assert of['a'] == of['any/gpt-5.2']
    assert of['azure'] == of['azure-other-key'], 'a resource of Azure is one account, whichever of its keys is used'
    assert of['organization'] == of['organization-by-header'], 'an organization is one account, whichever of its keys is used'
    assert len({frozenset(t) for t in of.values()}) == 5, of


@BOTH
def test_deployments_of_any_name(start, mock, stream):
    """Their endpoint follows from the name that is asked for; their organization is their own."""
    other = {'model_name': '*', 'litellm_params': {'model': '*', 'organization': 'org-7'}}
    weir = start(rig.config([{**other, 'litellm_params': {'model': '*'}}, other],
                            general_settings={'forward_client_headers_to_llm_api': True}),
                 env={'OPENAI_API_KEY': KEYS['a'], 'OPENAI_BASE_URL': mock.base})
    weir.mock = mock
    past = [thought(weir, 'openai/gpt-5.2', stream=stream) for _ in range(2)]
    assert tags(past[0]) != tags(past[1])
    for one in past:
        organizations = set()
        for _ in range(3):
            answer, request = asked(weir, 'openai/gpt-5.2', one, stream=stream)
            kept(answer, request, KEYS['a'], one)
            organizations.add(request['header'].get('openai-organization'))
        assert len(organizations) == 1


def test_a_mock_response_of_no_provider(start):
    """There is no account, so there is nothing to prefer."""
    weir = start(rig.config([{'model_name': 'm', 'litellm_params': {'model': 'nobody/x', 'mock_response': 'Hi.'}}]))
    input = [{'type': 'reasoning', 'summary': [], 'encrypted_content': 'weirn.01234567.a'}, {'role': 'user', 'content': 'x'}]
    assert said(made(weir, 'm', input)) == 'Hi.'


@BOTH
def test_tags_are_those_of_the_config(weir, start, mock, stream):
    """Another process with the same accounts, whatever else differs, reads what this one gave out. Another key is another account."""
    past = thought(weir, 'a', stream=stream)
    other = config(mock, b='sk-of-account-c')
    other['model_list'].reverse()
    there = start(other)
    there.mock = mock
    kept(*asked(there, 'a', past, stream=stream), KEYS['a'], past)
    of_b = thought(weir, 'b', stream=stream)
    lost(*asked(there, 'b', of_b, stream=stream), of_b, 'sk-of-account-c')
    by_organization = thought(weir, 'organization', stream=stream)
    answer, request = asked(there, 'organization-by-header', by_organization, stream=stream)
    assert states(json.loads(request['body'])['input']) == [TAG.sub('', s) for s in states(by_organization)]


@BOTH
def test_a_large_answer(weir, replay, stream):
    """What is not held flows through: tagged all the same, and nothing else is."""
    content = 'x' * 1_500_000
    item = '{"id":"rs_1","type":"reasoning","summary":[{"type":"summary_text","text":"\\"encrypted_content\\":\\"no\\""}],"encrypted_content" : "%s"}'
    body = '{"id":"resp_1","object":"response","status":"completed","encrypted_content":"no","text":{"output":[{"encrypted_content":"no"}]},' \
           '"output":[{"type":"message","content":[{"encrypted_content":"no"}],"encrypted_content":""},' + item + '],"model":"m"}'
    if stream:
        text = '\n\n'.join((
            'event: response.created\ndata: {"type":"response.created","sequence_number":0,"response":{"id":"resp_1","output":[]}}',
            'event: response.output_item.done\ndata: {"type":"response.output_item.done","sequence_number":1,"output_index":0,"item":' + item + '}',
            'event: response.completed\ndata: {"type":"response.completed","sequence_number":2,"response":' + body.replace('%s', '%s') + '}', ''))
        sent = text.replace('%s', content).encode()
    else:
        text, sent = body, body.replace('%s', content).encode()
    headers = {'x-mock': 'fixture=' + fixture(replay, '.sse' if stream else '.json', sent)}
    tag, = tags(thought(weir, 'a'))
    answer = post(weir, 'a', headers=headers, stream=stream)
    same(answer.body, text.replace('%s', tag + content).replace('"model":"m"', '"model":"a"').encode())


@pytest.mark.parametrize('dribble', ['', 'dribble=1,', 'dribble=7,', 'framing=close,'])
def test_a_stream_in_pieces(weir, replay, dribble):
    event = 'event: %s\ndata: {"type":"%s","sequence_number":%d,%s}\n\n'
    item = '{"type":"reasoning","encrypted\\u005fcontent":"%sgAA\\/A","summary":[]}'
    text = ''.join((event % ('response.created', 'response.created', 0, '"response":{"model":"@","output":[]}'),
                    event % ('response.output_item.added', 'response.output_item.added', 1, '"item":' + item),
                    event % ('response.output_item.done', 'response.output_item.done', 2, '"item":' + item),
                    event % ('response.incomplete', 'response.incomplete', 3, '"response":{"output":[7,' + item + ',{}],"model":"@"}')))
    tag, = tags(thought(weir, 'a'))
    headers = {'x-mock': dribble + 'fixture=' + fixture(replay, '.sse', text.replace('%s', '').replace('@', 'upstream').encode())}
    same(post(weir, 'a', headers=headers, stream=True).body, text.replace('%s', tag).replace('@', 'a').encode())


@BOTH
def test_a_response_by_its_id(weir, mock, stream):
    """GET, the items of its input, and a stream that is looked at again."""
    headers, _ = script()
    first = made(weir, 'a', headers=headers, stream=stream, **{**THINK, 'store': True})
    second_headers, mark = script()
    made(weir, 'a', [*first['output'], {'role': 'user', 'content': 'On'}], second_headers, stream=stream, **{**THINK, 'store': True})
    assert 'weirn' not in mock.one(mark)['body'].decode()
    tag, = tags(first['output'])
    again = get(weir, first['id'], '?include=reasoning.encrypted_content').json()
    assert again['output'] == first['output'] and tags(again['output']) == {tag}
    found = made(weir, 'a', [*first['output'], {'role': 'user', 'content': 'On'}], script()[0], **{**THINK, 'store': True})
    listed = get(weir, found['id'], '/input_items?include=reasoning.encrypted_content').json()['data']
    assert tags(listed) == {tag} and states(listed) == states(first['output'])
    back = post(weir, 'a', headers=script()[0], background=True, stream=stream, **{**THINK, 'store': True})
    id = events(back)[0]['response']['id'] if stream else back.json()['id']
    if stream:
        seen_again = weir.call('GET', f'/v1/responses/{id}?stream=true')
        assert set(TAG.findall(seen_again.body.decode())) == set(TAG.findall(back.body.decode())) == {tag}


def test_other_routes(weir, mock):
    """A compaction is a state too; where it is counted or made shorter it is the account's as well."""
    past = thought(weir, 'a')
    for path in ('/v1/responses/compact', '/v1/responses/input_tokens'):
        for model, answered in (('pair', 'exact'), ('pair', 'exact'), ('b', LOST)):
            headers, mark = script()
            answer = weir.call('POST', path, {'model': model, 'input': past}, headers)
            assert (answer.status, answer.headers['x-weir-fidelity']) == (200, answered), answer
            request = mock.one(mark)
            assert key_of(request) == (KEYS['b'] if model == 'b' else KEYS['a']) and 'weirn' not in request['body'].decode()
    compact = weir.call('POST', '/v1/responses/compact', {'model': 'a', 'input': past}, script()[0]).json()['output']
    assert [i['type'] for i in compact if i.get('encrypted_content')] == ['compaction'] and tags(compact) == tags(past)
    kept(*asked(weir, 'pair', compact), KEYS['a'], compact)
    answer, request = asked(weir, 'b', compact)
    assert answer.status == 200 and answer.headers['x-weir-fidelity'] == LOST and 'compaction' not in request['body'].decode()


# -- requests

def test_the_bytes_of_a_request(weir, mock):
    past = thought(weir, 'a')
    tag, = tags(past)
    state, = states(past)
    id = next(i['id'] for i in past if i.get('encrypted_content'))
    mark = rig.script()[1]
    template = ('{ "input" : [ {"role":"user","content":"\\u0048 weirn. \\/"} ,\n{"id":"%s", "encrypted\\u005fcontent" :"@%s" ,"summary":[ ],'
                '"type":"reasoning"},{"role":"assistant","content":"x"}],"store":false,"model":"a" ,"user":"%s",'
                '"tags":["x"],"include":["reasoning.encrypted_content"]}\n' % (id, state[len(tag):], mark))
    answer = weir.call('POST', '/v1/responses', template.replace('@', tag).encode())
    assert answer.status == 200 and answer.headers['x-weir-fidelity'] == 'exact', answer
    same(mock.one(mark)['body'], template.replace('@', '').replace('"tags":["x"],', '').replace('"model":"a"', '"model":"gpt-5.2"').encode())


def test_untagged_goes_through(weir, mock):
    """What a client has of old, or from elsewhere, is for the provider to judge."""
    past = [{**item, 'encrypted_content': TAG.sub('', item['encrypted_content'])} if item.get('encrypted_content') else item
            for item in thought(weir, 'a')]
    answer, request = asked(weir, 'a', past)
    assert answer.status == 200 and states(json.loads(request['body'])['input']) == states(past)
    answer, request = asked(weir, 'b', past)
    assert (answer.status, answer.error['code']) == (400, 'invalid_encrypted_content') and key_of(request) == KEYS['b']


@BOTH
def test_affinity(weir, stream):
    """Two accounts take turns; a conversation stays where its reasoning is, and one that comes back finds it."""
    turns = {key_of(asked(weir, 'pair', [])[1]) for _ in range(4)}
    assert turns == set(KEYS.values())
    for name, key in KEYS.items():
        past = thought(weir, name, stream=stream)
        for _ in range(3):
            answer, request = asked(weir, 'pair', past, stream=stream)
            kept(answer, request, key, past)
            past += events(answer)[-1]['response']['output'] if stream else answer.json()['output']
        assert len(states(past)) == 4 and len(tags(past)) == 1


def test_those_of_one_account_take_turns(weir):
    past = thought(weir, 'a')
    served = [asked(weir, 'twins', past)[0].headers['x-litellm-model-id'] for _ in range(9)]
    assert set(served) == {'twin-1', 'twin-2'}, served


def test_the_last_account_counts(weir):
    """A conversation that has moved has reasoning of both."""
    past = thought(weir, 'a')
    answer, request = asked(weir, 'b', past)
    lost(answer, request, past, KEYS['b'])
    both = past + answer.json()['output']
    assert len(tags(both)) == 2
    for _ in range(3):
        answer, request = asked(weir, 'pair', both)
        assert answer.headers['x-weir-fidelity'] == LOST and key_of(request) == KEYS['b']
        assert states(json.loads(request['body'])['input']) == [TAG.sub('', states(both)[1])]
    answer, request = asked(weir, 'east-or-a', both)   # the last one is not there, the one before is
    assert key_of(request) == KEYS['a'] and states(json.loads(request['body'])['input']) == [TAG.sub('', states(both)[0])]


@BOTH
def test_the_preferred_one_cannot_serve(weir, stream):
    """It is paused: another answers, without what only that one could read."""
    past = thought(weir, 'a', stream=stream)
    for _ in range(3):
        lost(*asked(weir, 'paused', past, stream=stream), past, KEYS['b'])
    answer, request = asked(weir, 'paused', past, stream=stream, headers={'x-weir-strict': '1'})
    error = refused(400, answer, 'input.encrypted_content')
    assert request is None and 'input.encrypted_content' in error['message']


@BOTH
def test_the_alias_changes(weir, stream):
    """OpenAI, Azure, Claude, Gemini, chat, and back: each gets the words, and none another's reasoning."""
    past = thought(weir, 'a', stream=stream)
    first = states(past)
    answer, request = asked(weir, 'azure', past, stream=stream)
    lost(answer, request, past)
    assert request['header']['api-key'] == KEYS['a']
    past += events(answer)[-1]['response']['output'] if stream else answer.json()['output']
    assert len(tags(past)) == 2
    for name in ('claude', 'gemini', 'groq', 'chat-of-a'):
        more = {} if name in ('claude', 'gemini') else {'reasoning': None, 'include': None}
        answer, request = asked(weir, name, past, stream=stream, **more)
        assert answer.status == 200 and 'reasoning' in answer.headers['x-weir-fidelity'], (name, answer)
        text = request['body'].decode()
        assert 'weirn' not in text and not any(TAG.sub('', s) in text for s in states(past)), (name, text)
        strict, request = asked(weir, name, past, stream=stream, headers={'x-weir-strict': '1'}, **more)
        assert strict.status == 400 and request is None, (name, strict)
    answer, request = asked(weir, 'a', past, stream=stream)
    assert answer.status == 200 and answer.headers['x-weir-fidelity'] == LOST
    assert states(json.loads(request['body'])['input']) == [TAG.sub('', s) for s in first]


@BOTH
def test_strict(weir, stream):
    past = thought(weir, 'a', stream=stream)
    for name in ('b', 'azure', 'organization'):
        answer, request = asked(weir, name, past, stream=stream, headers={'x-weir-strict': '1'})
        refused(400, answer, 'input.encrypted_content')
        assert request is None
    for name in ('a', 'pair', 'pair', 'mixed', 'mixed', 'also-chat'):
        answer, request = asked(weir, name, past, stream=stream, headers={'x-weir-strict': '1'})
        if name == 'also-chat':   # that account is there, but not by this API
            assert answer.status == 400 and request is None
        else:
            kept(answer, request, KEYS['a'], past)


def test_a_tool_loop(weir):
    """Reasoning before a call, and the result of the call, at the account that thought."""
    past = thought(weir, 'a', tools=[WEATHER])
    past += outputs({'output': past[1:]}, 'sunny')
    for _ in range(3):
        kept(*asked(weir, 'pair', past, tools=[WEATHER]), KEYS['a'], past)
    answer, request = asked(weir, 'b', past, tools=[WEATHER])
    assert answer.status == 200 and answer.headers['x-weir-fidelity'] == LOST and key_of(request) == KEYS['b'], answer
    call, output = json.loads(request['body'])['input'][1:3]
    assert (call['type'], output['type']) == ('function_call', 'function_call_output') and call['call_id'] == output['call_id']
    assert 'id' not in call, "under its id it is refused without the reasoning that led to it"


@pytest.mark.parametrize('broken', ['weirn.', 'weirn.0123abcd', 'weirn.0123ABCD.gAAA', 'weirn.00000000.gAAA', 'weirn.x', 'weirn.0123abcd\\u002egAAA'])
def test_tags_that_are_broken(weir, mock, broken):
    """No account made that: nobody gets it, and it is told."""
    mark = rig.script()[1]
    body = '{"model":"pair","user":"%s","input":[{"type":"reasoning","summary":[],"encrypted_content":"%s"},{"role":"user","content":"x"}]}'
    answer = weir.call('POST', '/v1/responses', (body % (mark, broken)).encode())
    assert answer.status == 200 and answer.headers['x-weir-fidelity'] == LOST, answer
    assert 'weirn' not in mock.one(mark)['body'].decode()


# -- beside what weir keeps

@BOTH
def test_a_kept_conversation(weir, mock, stream):
    """A turn that weir keeps holds what the client sent: replayed, it meets the same rule."""
    past = thought(weir, 'a', stream=stream)
    middle = made(weir, 'claude', [*past, {'role': 'user', 'content': 'Claude?'}], script()[0], stream=stream)
    listed = get(weir, middle['id'], '/input_items').json()['data']
    assert states(listed) == states(past)
    for _ in range(3):
        headers, mark = script()
        answer = post(weir, 'pair', 'And then?', headers, stream=stream, previous_response_id=middle['id'], **THINK)
        request = seen(weir, mark)
        assert answer.status == 200 and key_of(request) == KEYS['a'], answer
        assert states(json.loads(request['body'])['input']) == [TAG.sub('', s) for s in states(past)]
    headers, mark = script()
    answer = post(weir, 'b', 'And then?', headers, stream=stream, previous_response_id=middle['id'], **THINK)
    lost(answer, seen(weir, mark), past, KEYS['b'])
    headers, mark = script()
    refused(400, post(weir, 'b', 'And then?', {**headers, 'x-weir-strict': '1'}, stream=stream, previous_response_id=middle['id'], **THINK),
            'input.encrypted_content')
    assert seen(weir, mark) is None


def test_beside_a_native_chain(weir, mock):
    """previous_response_id decides where it goes; state of another account, which came along, does not go there."""
    of_b = thought(weir, 'b')
    first = made(weir, 'a', 'One', script()[0])
    for _ in range(2):
        headers, mark = script()
        answer = post(weir, 'pair', [*of_b, {'role': 'user', 'content': 'Two'}], headers, previous_response_id=first['id'])
        request = seen(weir, mark)
        assert answer.status == 200 and answer.headers['x-weir-fidelity'] == LOST and key_of(request) == KEYS['a'], answer
        assert json.loads(request['body'])['previous_response_id'] == first['id'] and 'weirn' not in request['body'].decode()


# -- clients

@BOTH
def test_sdk(weir, stream):
    """The official client reads the answers, and sends its own objects back."""
    client = openai.OpenAI(api_key=rig.MASTER, base_url=weir.base, max_retries=0)
    history = [{'role': 'user', 'content': 'How is it?'}]
    owner = None
    for _ in range(3):
        headers, mark = script()
        asking = {'model': 'pair', 'input': history, 'extra_headers': headers, **THINK}
        if stream:
            with client.responses.stream(**asking) as s:
                types = [e.type for e in s]
                answer = s.get_final_response()
            assert types[-1] == 'response.completed'
        else:
            answer = client.responses.create(**asking)
        assert answer.output_text == TEXT
        thinking, = [item for item in answer.output if item.type == 'reasoning']
        assert TAG.match(thinking.encrypted_content)
        history += [item.model_dump(exclude_none=True) for item in answer.output] + [{'role': 'user', 'content': 'On'}]
        owner = owner or key_of(seen(weir, mark))
        assert key_of(seen(weir, mark)) == owner
    client.close()


def test_nothing_is_given_away(weir):
    """The tag is no part of a key, and names no place."""
    for name in ('a', 'b', 'azure'):
        tag, = tags(thought(weir, name))
        assert not any(tag[6:14] in text for text in (*KEYS.values(), 'openai', 'azure', str(weir.port)))
    assert said(made(weir, 'a', headers=script()[0])) == TEXT
