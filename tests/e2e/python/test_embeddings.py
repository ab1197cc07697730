"""OpenAI's embeddings in front of Gemini and Vertex AI."""
import json
import math

import openai
import pytest

import google_accounts
import rig

DIMENSIONS = 16  # of the simulator's vectors, in full
GEMINI, VERTEX, VERTEX_ONE, VERTEX_NEW = 'gemini', 'vertex', 'vertex-one', 'vertex-new'
ALL = {GEMINI: 'gemini-embedding-001', VERTEX: 'text-embedding-005', VERTEX_ONE: 'gemini-embedding-001',
       VERTEX_NEW: 'gemini-embedding-2-preview'}
# Inputs that one call takes, and where they stand.
BATCH = {GEMINI: (100, 'requests'), VERTEX: (250, 'instances'), VERTEX_ONE: (1, 'instances'), VERTEX_NEW: (1, 'content')}


@pytest.fixture(scope='module')
def weir(folder, mock):
    base = f'http://127.0.0.1:{mock.port}'
    rows = [rig.deployment('gemini/*', 'gemini/*', base),
            rig.deployment('anthropic/*', 'anthropic/*', base),
            rig.deployment('vertex_ai/*', 'vertex_ai/*', base, **google_accounts.vertex_params(mock))]
    server = rig.Weir(folder, rig.config(rows))
    yield server
    server.stop()


@pytest.fixture
def client(weir):
    return openai.OpenAI(api_key=rig.MASTER, base_url=weir.base, max_retries=0)


def script(where, items=''):
    name, mark = rig.script(items)
    return f'{"gemini" if where == GEMINI else "vertex_ai"}/{ALL[where]}-{name.removeprefix("mock/")}', mark


def post(weir, model, headers=None, **members):
    return weir.call('POST', '/v1/embeddings', {'model': model, 'input': 'Hello there', **members}, headers)


def vectors(answer):
    assert answer.status == 200, answer
    assert [row['index'] for row in answer.json()['data']] == list(range(len(answer.json()['data'])))
    return [row['embedding'] for row in answer.json()['data']]


EACH = pytest.mark.parametrize('where', list(ALL))


@EACH
def test_plain(weir, mock, where):
    model, mark = script(where)
    answer = post(weir, model)
    body = answer.json()
    assert len(vectors(answer)[0]) == DIMENSIONS and all(abs(x) == 0.25 for x in vectors(answer)[0])
    assert (body['object'], body['model'], body['data'][0]['object']) == ('list', model, 'embedding')
    assert answer.headers['x-weir-fidelity'] == 'exact'
    sent = mock.one(mark)
    calls = {GEMINI: 'batchEmbedContents', VERTEX_NEW: 'embedContent'}
    assert sent['target'].endswith(':' + calls.get(where, 'predict'))
    assert ('x-goog-api-key' in sent['header']) == (where == GEMINI)
    assert rig.MASTER not in str(sent['headers'])
    if where == GEMINI:  # counted by nobody: four bytes a token
        assert body['usage'] == {'prompt_tokens': 3, 'total_tokens': 3}
    else:
        assert body['usage'] == {'prompt_tokens': 2, 'total_tokens': 2}


@EACH
def test_sdk_asks_for_base64(client, where):
    """The SDK asks for base64 by itself, and decodes it."""
    model, _ = script(where)
    got = client.embeddings.create(model=model, input=['a', 'b', 'a'])
    floats = client.embeddings.create(model=model, input=['a', 'b', 'a'], encoding_format='float')
    assert [d.embedding for d in got.data] == [d.embedding for d in floats.data]
    assert got.data[0].embedding == got.data[2].embedding != got.data[1].embedding
    raw = client.embeddings.create(model=model, input='a', encoding_format='base64')
    assert isinstance(raw.data[0].embedding, str)


@EACH
@pytest.mark.parametrize('encoding', ['float', 'base64'])
def test_dimensions(client, mock, where, encoding):
    """Fewer dimensions come back with length 1, as OpenAI's do."""
    model, mark = script(where)
    got = client.embeddings.create(model=model, input='Hello', dimensions=5,
                                   **({'encoding_format': 'float'} if encoding == 'float' else {}))
    values = got.data[0].embedding
    assert len(values) == 5 and math.isclose(sum(x * x for x in values), 1, rel_tol=1e-6)
    assert mock.one(mark)['body'].count(b'"outputDimensionality":5') == 1


@EACH
@pytest.mark.parametrize('more', [0, 1])
def test_batches(weir, mock, where, more):
    """Inputs above the limit go in several calls, one after another, and come back in order."""
    most, member = BATCH[where]
    n = (most if most > 1 else 3) + more
    texts = [f'text number {i}' for i in range(n)]
    model, mark = script(where)
    got = vectors(post(weir, model, input=texts))
    sizes = [len(json.loads(r['body'])[member]) if member != 'content' else 1 for r in mock.seen(mark)]
    assert sizes == [most] * (n // most) + ([n % most] if n % most else [])
    for i in {0, 1, most - 1, most, n - 1} & set(range(n)):
        assert got[i] == vectors(post(weir, script(where)[0], input=texts[i]))[0], i


@EACH
@pytest.mark.parametrize('value', [[1, 2, 3], [[1, 2], [3]], [], '', ['a', ''], 7, None, {'text': 'x'}, ['a', 1]])
def test_inputs_that_mean_nothing(weir, mock, where, value):
    """Token ids are of OpenAI's tokenizer."""
    model, mark = script(where)
    answer = post(weir, model, input=value)
    assert (answer.status, answer.error['param']) == (400, 'input'), answer
    assert mock.seen(mark) == []


@EACH
@pytest.mark.parametrize('members,param', [({'dimensions': 0}, 'dimensions'), ({'dimensions': 1e9}, 'dimensions'), ({'dimensions': 'x'}, 'dimensions'),
                                           ({'encoding_format': 'int8'}, 'encoding_format')])
def test_bad_members(weir, mock, where, members, param):
    model, mark = script(where)
    answer = post(weir, model, **members)
    assert (answer.status, answer.error['param']) == (400, param), answer
    assert mock.seen(mark) == []


@EACH
def test_task_and_title(weir, mock, where):
    model, mark = script(where)
    assert post(weir, model, input_type='RETRIEVAL_DOCUMENT', title='A "dam"').status == 200
    body = mock.one(mark)['body'].decode()
    assert '"RETRIEVAL_DOCUMENT"' in body and 'A \\"dam\\"' in body


def test_a_user_has_no_place(weir, mock):
    """It is lost and told, or refused where no loss is allowed."""
    model, mark = script(GEMINI)
    answer = post(weir, model, user='someone')
    assert (answer.status, answer.headers['x-weir-fidelity']) == (200, 'dropped=user'), answer
    assert b'someone' not in mock.one(mark)['body']
    model, mark = script(GEMINI)
    answer = post(weir, model, {'x-weir-strict': '1'}, user='someone')
    assert (answer.status, answer.error['param'], mock.seen(mark)) == (400, 'user', []), answer


@EACH
def test_members_that_nobody_knows(weir, mock, where):
    model, mark = script(where)
    answer = post(weir, model, foo=1, metadata={'tags': 'a'}, tags=['mine'])
    assert (answer.status, answer.headers['x-weir-fidelity']) == (200, 'dropped=metadata,unknown(foo)'), answer
    assert b'foo' not in mock.one(mark)['body'] and b'mine' not in mock.one(mark)['body']
    model, mark = script(where)
    answer = post(weir, model, {'x-weir-strict': '1'}, foo=1)
    assert (answer.status, answer.error['param'], mock.seen(mark)) == (400, 'foo', []), answer


def test_a_model_without_embeddings(weir, mock):
    name, mark = rig.script()
    answer = post(weir, 'anthropic/claude-' + name.removeprefix('mock/'))
    assert answer.status == 400 and 'an embedding model of OpenAI, Azure, Gemini' in answer.error['message'], answer
    assert mock.seen(mark) == []


@EACH
@pytest.mark.parametrize('status,seen', [(400, 400), (401, 502), (403, 403), (404, 404), (429, 429), (500, 500), (503, 503)])
def test_errors(weir, where, status, seen):
    answer = post(weir, script(where, f'status={status}')[0])
    assert answer.status == seen, answer
    assert rig.UPSTREAM not in str(answer.body)


@EACH
@pytest.mark.parametrize('fault', ['badjson', 'empty', 'end=30', 'cut=30', 'html'])
def test_answers_that_cannot_be_read(weir, where, fault):
    answer = post(weir, script(where, fault)[0])
    assert answer.status >= 500 and answer.error['message'], answer


def test_the_second_batch_fails(weir, mock):
    """Nothing of a part is given; the simulator refuses an input that is too long."""
    model, mark = script(VERTEX)
    answer = post(weir, model, input=['a'] * 250 + ['a ' * 2049])
    assert answer.status == 400 and 'token count' in answer.error['message'], answer
    assert len(mock.seen(mark)) == 2
