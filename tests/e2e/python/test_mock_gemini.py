"""The simulated Gemini, without weir: it refuses what the real one refuses, and answers in its words."""
import json

import pytest

import rig
from google_accounts import TOKEN_MARK, person
from providers import TEXT, THOUGHT, TOOLS, received

FLASH, THREE, OLD = 'gemini-2.5-flash', 'gemini-3-flash', 'gemini-2.0-flash'
HELLO = {'role': 'user', 'parts': [{'text': 'Hello'}]}
CALL = {'functionCall': {'name': 'f', 'args': {'a': 1}}}
RESPONSE = {'functionResponse': {'name': 'f', 'response': {'output': 'x'}}}
DUMMY = {'thoughtSignature': 'skip_thought_signature_validator'}
PIXEL = {'inlineData': {'mimeType': 'image/png', 'data': 'iVBORw0KGgo='}}


def model(*parts):
    return {'role': 'model', 'parts': list(parts)}


def user(*parts):
    return {'role': 'user', 'parts': list(parts)}


def tools(**function):
    return {'tools': [{'functionDeclarations': [{'name': 'f', **function}]}]}


def config(**members):
    return {'generationConfig': members}


def ask(mock, body=None, name=FLASH, call='generateContent', headers=None, path='/v1beta/models/'):
    body = {'contents': [HELLO], **(body or {})}
    return rig.request(mock.port, 'POST', f'{path}{name}:{call}', body,
                       {'x-goog-api-key': rig.UPSTREAM} if headers is None else headers)


@pytest.mark.parametrize('name,body', [
    (FLASH, {'contents': []}), (FLASH, {'model': 'x'}), (FLASH, {'contents': [{'role': 'assistant', 'parts': [{'text': 'x'}]}]}),
    (FLASH, {'contents': [user()]}), (FLASH, {'contents': [user({'text': ''})]}), (FLASH, {'contents': [user({'text': 'x', **PIXEL})]}),
    (FLASH, {'contents': [user({'txt': 'x'})]}), (FLASH, {'contents': [user({'inlineData': {'mimeType': 'image/gif', 'data': 'R0lG'}})]}),
    (FLASH, {'contents': [user({'inlineData': {'mimeType': 'image/png', 'data': '%%'}})]}),
    (FLASH, {'contents': [user({'fileData': {'fileUri': 'gs://x/y', 'mimeType': 'image/png'}})]}),
    (FLASH, {'contents': [HELLO, model(CALL)]}), (FLASH, {'contents': [HELLO, model(CALL), HELLO]}),
    (FLASH, {'contents': [HELLO, model(CALL, CALL), user(RESPONSE)]}), (FLASH, {'contents': [HELLO, user(RESPONSE)]}),
    (FLASH, {'contents': [HELLO, model(CALL), user(RESPONSE, {'text': 'x'})]}),
    (FLASH, {'contents': [HELLO, model(CALL), user({'functionResponse': {'name': 'g', 'response': {}}})]}),
    (FLASH, {'contents': [HELLO, model(CALL), user({'functionResponse': {'name': 'f', 'response': 'x'}})]}),
    (FLASH, {'contents': [model(CALL), user(RESPONSE)]}), (FLASH, {'contents': [HELLO, model({'text': 'x'}), model(CALL), user(RESPONSE)]}),
    (FLASH, {'contents': [HELLO, model({'text': 'x', 'thoughtSignature': 'QUJD'}), HELLO]}),
    (THREE, {'contents': [HELLO, model(CALL), user(RESPONSE)]}), (THREE, {'contents': [HELLO, model({'text': 'x'})]}),
    (THREE, {'contents': [HELLO, model({'functionCall': {'name': 'f', 'id': '1'}, **DUMMY}), user(RESPONSE)]}),
    (FLASH, {'systemInstruction': {'parts': []}}), (FLASH, {'systemInstruction': {'parts': [PIXEL]}}),
    (FLASH, config(maxTokens=1)), (FLASH, config(temperature=2.1)), (FLASH, config(topP=-1)), (FLASH, config(candidateCount=9)),
    (FLASH, config(stopSequences=list('abcdef'))), (FLASH, config(stopSequences=[''])), (FLASH, config(seed=2**31)),
    (FLASH, config(presencePenalty=1)), (OLD, config(presencePenalty=2)), (FLASH, config(logprobs=2)),
    (FLASH, config(responseJsonSchema={'type': 'object'})), (FLASH, config(responseMimeType='application/xml')),
    (FLASH, {**config(responseMimeType='application/json'), **tools()}),
    (OLD, config(responseMimeType='application/json', responseJsonSchema={'type': 'object'})),
    (FLASH, config(responseMimeType='application/json', responseSchema={'type': 'ARRAY'})),
    (FLASH, config(responseMimeType='application/json', responseSchema={'type': 'OBJECT', 'additionalProperties': False})),
    (FLASH, config(responseMimeType='application/json', responseSchema={'type': 'STRING', 'enum': [1]})),
    (FLASH, config(responseMimeType='application/json', responseJsonSchema={'type': 'string', 'minLength': 2})),
    (FLASH, config(responseMimeType='application/json', responseJsonSchema={'type': 'object', 'required': ['x']})),
    (OLD, config(thinkingConfig={'thinkingBudget': 5})), (FLASH, config(thinkingConfig={'thinkingBudget': 24577})),
    (FLASH, config(thinkingConfig={'thinkingLevel': 'LOW'})), (THREE, config(thinkingConfig={'thinkingLevel': 'NONE'})),
    (THREE, config(thinkingConfig={'thinkingLevel': 'LOW', 'thinkingBudget': 5})),
    (FLASH, {'tools': [{}]}), (FLASH, {'tools': [{'functionDeclarations': []}]}), (FLASH, {'tools': [{'webSearch': {}}]}),
    (FLASH, tools(name='1x')), (FLASH, tools(strict=True)), (FLASH, tools(parameters={'type': 'OBJECT', 'properties': {}})),
    (FLASH, tools(parameters={'type': 'object'})), (OLD, tools(parametersJsonSchema={'type': 'object'})),
    (FLASH, {'tools': [*tools()['tools'], *tools()['tools']]}), (FLASH, {'tools': [*tools()['tools'], {'googleSearch': {}}]}),
    (THREE, {'tools': [*tools()['tools'], {'googleSearch': {}}]}),
    (FLASH, {**tools(), 'toolConfig': {'functionCallingConfig': {'mode': 'REQUIRED'}}}),
    (FLASH, {**tools(), 'toolConfig': {'functionCallingConfig': {'mode': 'ANY', 'allowedFunctionNames': ['g']}}}),
    (FLASH, {**tools(), 'toolConfig': {'functionCallingConfig': {'mode': 'AUTO', 'allowedFunctionNames': ['f']}}}),
    (FLASH, {'toolConfig': {'functionCallingConfig': {'mode': 'ANY'}}}), (FLASH, {'safetySettings': [{'category': 'HATE'}]}),
    (FLASH, {'cachedContent': 'cachedContents/x', **tools()}), (FLASH, {'serviceTier': 'auto'}),
    (FLASH, {'contents': [user({'inlineData': {'mimeType': 'audio/pcm16', 'data': 'AAAA'}})]}),
    (FLASH, config(responseMimeType='application/json', responseJsonSchema={'enum': ['a', None]})),
    (FLASH, config(responseModalities=['TEXT', 'IMAGE'])), (FLASH, config(responseModalities=['text'])),
])
def test_refuses(mock, name, body):
    answer = ask(mock, body, name)
    assert answer.status == 400 and answer.error['status'] == 'INVALID_ARGUMENT' and answer.error['code'] == 400, answer


@pytest.mark.parametrize('name,body', [
    (FLASH, {}), (FLASH, {'contents': [HELLO, HELLO]}), (FLASH, {'contents': [HELLO, model({'text': 'x'})]}),
    (FLASH, {'contents': [user({'inlineData': {'mimeType': 'audio/flac', 'data': 'AAAA'}}), HELLO]}),
    ('gemini-2.5-flash-image', config(responseModalities=['TEXT', 'IMAGE'])),
    (OLD, config(presencePenalty=1.9)), (FLASH, config(thinkingConfig={'thinkingBudget': 0})),
    (THREE, {'contents': [HELLO, model({**CALL, **DUMMY}, CALL), user(RESPONSE, RESPONSE), HELLO]}),
    (THREE, {'contents': [HELLO, model(CALL), user(RESPONSE), model({'text': 'x'}), HELLO]}),
])
def test_takes(mock, name, body):
    answer = ask(mock, body, name)
    assert answer.json()['candidates'][0]['content']['parts'][-1]['text'] == TEXT


def test_says(mock):
    answer = ask(mock, {'contents': [user(PIXEL)]}).json()
    assert answer['candidates'][0]['content']['parts'] == [{'text': received(('image/png', 8))}]
    assert 'index' not in answer['candidates'][0] and answer['candidates'][0]['finishReason'] == 'STOP'
    answer = ask(mock, {'contents': [HELLO, model(CALL), user(RESPONSE)]}).json()
    assert answer['candidates'][0]['content']['parts'][0]['text'] == TOOLS + 'x'
    answer = ask(mock, config(thinkingConfig={'thinkingBudget': 99, 'includeThoughts': True})).json()
    assert answer['candidates'][0]['content']['parts'] == [{'text': THOUGHT, 'thought': True}, {'text': TEXT}]
    usage = answer['usageMetadata']
    assert (usage['candidatesTokenCount'], usage['thoughtsTokenCount']) == (16, 6)
    assert usage['totalTokenCount'] == usage['promptTokenCount'] + 22


def test_signatures(mock):
    """Made for a call, and good for that call alone."""
    content = ask(mock, tools(), THREE).json()['candidates'][0]['content']
    call = content['parts'][0]
    response = {'functionResponse': {**RESPONSE['functionResponse'], 'id': call['functionCall']['id']}}
    assert ask(mock, {'contents': [HELLO, content, user(response)]}, THREE).status == 200
    call['functionCall']['args'] = {'b': 2}
    answer = ask(mock, {'contents': [HELLO, content, user(response)]}, THREE)
    assert answer.status == 400 and 'signature' in answer.error['message']


def test_stream(mock):
    answer = ask(mock, name=THREE, call='streamGenerateContent?alt=sse')
    assert b'\r\n\r\n' in answer.body and answer.headers['content-type'] == 'text/event-stream'
    chunks = [json.loads(e) for e in rig.events(answer.body)]
    assert ''.join(c['candidates'][0]['content']['parts'][0]['text'] for c in chunks) == TEXT
    assert chunks[-1]['candidates'][0]['finishReason'] == 'STOP'
    assert chunks[-1]['candidates'][0]['content']['parts'][0]['thoughtSignature']
    assert [c['usageMetadata'].get('candidatesTokenCount', 0) for c in chunks[:3]] == [1, 2, 3]


@pytest.mark.parametrize('headers,status', [
    ({}, 403), ({'x-goog-api-key': 'wrong'}, 400), ({'Authorization': f'Bearer {rig.UPSTREAM}'}, 401),
    ({'x-goog-api-key': rig.UPSTREAM, 'Authorization': 'Bearer x'}, 401)])
def test_key(mock, headers, status):
    assert ask(mock, headers=headers).status == status


VERTEX = '/v1/projects/p/locations/l/publishers/google/models/'


def test_token(mock):
    """Made by the token endpoint; not one that only looks like it."""
    who = person(mock)
    form = '&'.join(f'{k}={v}' for k, v in {'grant_type': 'refresh_token', **{
        k: who[k] for k in ('client_id', 'client_secret', 'refresh_token')}}.items())
    answer = rig.request(mock.port, 'POST', '/google/token', form.replace('//', '%2F%2F').encode(),
                         {'Content-Type': 'application/x-www-form-urlencoded'})
    token = answer.json()['access_token']
    assert token.startswith(TOKEN_MARK) and answer.json()['expires_in'] == 3599
    assert ask(mock, path=VERTEX, headers={'Authorization': f'Bearer {token}'}).status == 200
    with_id = {'contents': [HELLO, model({'functionCall': {'name': 'f', 'id': '1'}}), user(RESPONSE)]}
    refused = ask(mock, with_id, path=VERTEX, headers={'Authorization': f'Bearer {token}'})
    assert refused.status == 400 and 'Unknown name "id"' in refused.error['message']
    for wrong in (token[:-1], token.replace('-0-', '-1-'), rig.UPSTREAM):
        answer = ask(mock, path=VERTEX, headers={'Authorization': f'Bearer {wrong}'})
        assert answer.status == 401 and answer.error['status'] == 'UNAUTHENTICATED'
    streamed = ask(mock, path=VERTEX, call='streamGenerateContent?alt=sse', headers={})
    assert streamed.status == 401 and streamed.json()[0]['error']['code'] == 401, 'in an array'


def test_metadata_wants_its_header(mock):
    path = '/computeMetadata/v1/instance/service-accounts/default/token'
    assert rig.request(mock.port, 'GET', path).status == 403
    assert rig.request(mock.port, 'GET', path, headers={'Metadata-Flavor': 'Google', 'X-Forwarded-For': '1.1.1.1'}).status == 403
    assert rig.request(mock.port, 'GET', path, headers={'Metadata-Flavor': 'Google'}).json()['token_type'] == 'Bearer'


# -- embeddings

E1, E2, E4 = 'gemini-embedding-001', 'gemini-embedding-2-preview', 'text-embedding-004'


def embed(text='Hello there', name=E1, **more):
    return {'model': f'models/{name}', 'content': {'parts': [{'text': text}]}, **more}


def vertex(mock, body, name, call):
    token = rig.request(mock.port, 'GET', '/computeMetadata/v1/instance/service-accounts/default/token', None,
                        {'Metadata-Flavor': 'Google'}).json()['access_token']
    return rig.request(mock.port, 'POST', f'/v1/projects/p/locations/l/publishers/google/models/{name}:{call}', body,
                       {'Authorization': f'Bearer {token}'})


def embed_gapi(mock, body, name=E1, call='batchEmbedContents'):
    return rig.request(mock.port, 'POST', f'/v1beta/models/{name}:{call}', body, {'x-goog-api-key': rig.UPSTREAM})


@pytest.mark.parametrize('body', [
    {}, {'requests': []}, {'requests': [embed()] * 101}, {'requests': [embed(name=E4)]}, {'requests': [{'content': {'parts': [{'text': 'x'}]}}]},
    {'requests': [embed('')]}, {'requests': [embed(taskType='SEARCH')]}, {'requests': [embed(title='x')]},
    {'requests': [embed(outputDimensionality=0)]}, {'requests': [embed(outputDimensionality='5')]}, {'requests': [embed(dimensions=5)]},
    {'requests': [{'model': f'models/{E1}', 'content': {'parts': []}}]}, {'requests': [embed()], 'model': E1},
    {'requests': [{'model': f'models/{E1}', 'content': {'parts': [PIXEL]}}]},
])
def test_embedding_refuses(mock, body):
    answer = embed_gapi(mock, body)
    assert answer.status == 400 and answer.error['status'] == 'INVALID_ARGUMENT', answer


@pytest.mark.parametrize('name,call,body', [
    (E1, 'predict', {'instances': []}), (E1, 'predict', {'instances': [{'content': 'a'}, {'content': 'b'}]}),
    (E4, 'predict', {'instances': [{'content': 'a'}] * 251}), (E4, 'predict', {'instances': [{'content': ''}]}),
    (E4, 'predict', {'instances': [{'text': 'a'}]}), (E4, 'predict', {'instances': [{'content': 'a', 'taskType': 'CLUSTERING'}]}),
    (E4, 'predict', {'instances': [{'content': 'a'}], 'parameters': {'dimensions': 3}}),
    (E4, 'predict', {'instances': [{'content': 'a ' * 2049}], 'parameters': {'autoTruncate': False}}),
    (E2, 'embedContent', {'content': {'parts': [{'text': 'a'}]}, 'taskType': 'CLUSTERING'}), (E2, 'embedContent', {'content': {'parts': []}}),
])
def test_embedding_of_vertex_refuses(mock, name, call, body):
    answer = vertex(mock, body, name, call)
    assert answer.status == 400 and answer.error['status'] == 'INVALID_ARGUMENT', answer


def test_embeddings(mock):
    got = embed_gapi(mock, {'requests': [embed('a'), embed('b', taskType='RETRIEVAL_DOCUMENT', title='x'), embed('a')]}).json()
    a, b, again = (row['values'] for row in got['embeddings'])
    assert a == again != b and sum(x * x for x in a) == 1 and 'usageMetadata' not in got
    assert embed_gapi(mock, embed('a'), call='embedContent').json() == {'embedding': {'values': a}}
    got = embed_gapi(mock, {'requests': [embed('a b', E2, outputDimensionality=3)]}, E2).json()
    assert len(got['embeddings'][0]['values']) == 3 and got['usageMetadata'] == {'promptTokenCount': 2}
    got = vertex(mock, {'instances': [{'content': 'a'}, {'content': 'b c', 'task_type': 'CLUSTERING'}]}, E4, 'predict').json()
    assert [p['embeddings']['statistics']['token_count'] for p in got['predictions']] == [1, 2]
    assert got['predictions'][0]['embeddings']['values'] == a
    assert vertex(mock, {'instances': [{'content': 'a ' * 2049}]}, E4, 'predict').json()['predictions'][0]['embeddings']['statistics']['truncated']
    got = vertex(mock, {'content': {'parts': [{'text': 'a'}]}, 'embedContentConfig': {'autoTruncate': False}}, E2, 'embedContent').json()
    assert got['embedding']['values'] == a and got['usageMetadata'] == {'promptTokenCount': 1}
    for name, call, ask_of in ((E2, 'predict', vertex), (E1, 'embedContent', vertex), (FLASH, 'batchEmbedContents', embed_gapi)):
        assert ask_of(mock, {}, name, call).status == 404


# -- counting

def whole(**more):
    return {'generateContentRequest': {'model': f'models/{FLASH}', 'contents': [HELLO], **more}}


@pytest.mark.parametrize('body', [
    {}, whole(model=FLASH), whole(model=f'models/{THREE}'), whole(max_tokens=1), whole(contents=[]), whole(tools=[{}]),
    {**whole(), 'contents': [HELLO]}, {'contents': [HELLO], 'systemInstruction': {'parts': [{'text': 'x'}]}}, {'contents': [HELLO], 'tools': []},
    {'generateContentRequest': {'contents': [HELLO]}}, {'generate_content_request': {}}, {'generateContentRequest': []},
])
def test_count_refuses(mock, body):
    answer = embed_gapi(mock, body, FLASH, 'countTokens')
    assert answer.status == 400 and answer.error['status'] == 'INVALID_ARGUMENT', answer


@pytest.mark.parametrize('body', [
    {}, whole(), {'contents': [HELLO], 'toolConfig': {}}, {'contents': [HELLO], 'safetySettings': []}, {'contents': [HELLO], 'cachedContent': 'c'},
    {'contents': [HELLO], 'labels': {}}, {'contents': [HELLO], 'generationConfig': {'maxTokens': 1}}, {'contents': [HELLO], 'model': FLASH},
])
def test_count_of_vertex_refuses(mock, body):
    answer = vertex(mock, body, FLASH, 'countTokens')
    assert answer.status == 400 and answer.error['status'] == 'INVALID_ARGUMENT', answer


def test_counts(mock):
    system = {'systemInstruction': {'parts': [{'text': 'Be brief.'}]}}
    assert embed_gapi(mock, {'contents': [HELLO]}, FLASH, 'countTokens').json()['totalTokens'] == 4
    assert embed_gapi(mock, whole(), FLASH, 'countTokens').json()['totalTokens'] == 4
    more = embed_gapi(mock, whole(**system, **tools(), toolConfig={'functionCallingConfig': {'mode': 'ANY'}}), FLASH, 'countTokens').json()
    assert more['totalTokens'] > 6 and more['promptTokensDetails'][0]['modality'] == 'TEXT'
    got = vertex(mock, {'contents': [HELLO], **system, **tools(), **config(temperature=1)}, FLASH, 'countTokens').json()
    assert got['totalTokens'] == more['totalTokens'] and got['totalBillableCharacters'] > 0
    assert ask(mock, {}, call='countTokens', headers={}).status == 403
