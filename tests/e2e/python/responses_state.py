"""What the suites of responses' state share: asking, and what answers must be."""
import glob
import json

import pytest

import responses_rig
import rig
from responses_rig import ALIASES, CHAT, CLAUDE, GEMINI, no_canary

WEATHER = {'type': 'function', 'name': 'get_weather', 'parameters': {
    'type': 'object', 'properties': {'city': {'type': 'string'}}, 'required': ['city'], 'additionalProperties': False}}
UNKNOWN = 'resp_' + '0123456789abcdef' * 2
BRIDGED = (CLAUDE, GEMINI, CHAT)
BOTH = pytest.mark.parametrize('stream', [False, True], ids=['whole', 'stream'])


def names(of):
    return '-'.join(a.name.split('-')[0] for a in of)


def each(*argument, ids=lambda a: names([a]) if isinstance(a, responses_rig.Alias) else None):
    return pytest.mark.parametrize(*argument, ids=ids)


PAIRS = each('pair', [(a, b) for a in ALIASES for b in ALIASES if a is not b], ids=names)


def config(folder, mock, **weir):
    """The four providers, with these keys of weir_settings."""
    return rig.config(responses_rig.rows(folder, mock), general_settings={'forward_client_headers_to_llm_api': True},
                      weir_settings={'drain_timeout': 5, **weir})


def post(weir, model, input='Hello', headers=None, **members):
    answer = weir.call('POST', '/v1/responses', {'model': model, 'input': input, **members}, headers)
    no_canary(answer.body.decode() + str(answer.headers))
    return answer


def events(answer):
    found = [json.loads(e) for e in rig.events(answer.body)]
    assert [e['sequence_number'] for e in found] == list(range(len(found))), found
    return found


def made(weir, model, input='Hello', headers=None, **members):
    """The response object, however it comes."""
    answer = post(weir, model, input, headers, **members)
    assert answer.status == 200, answer
    if not members.get('stream'):
        return answer.json()
    last = events(answer)[-1]
    assert last['type'] == 'response.completed', last
    return last['response']


def said(response):
    return ''.join(part['text'] for item in response['output'] if item['type'] == 'message' for part in item['content'])


def outputs(response, *results):
    calls = [item for item in response['output'] if item['type'] == 'function_call']
    return [{'type': 'function_call_output', 'call_id': c['call_id'], 'output': r} for c, r in zip(calls, results, strict=True)]


def refused(status, answer, param=None, code=None, text=''):
    """An error in OpenAI's form, with this member and these words."""
    assert answer.status == status and answer.headers['content-type'].startswith('application/json'), answer
    error = answer.error
    assert (error['type'], error['param']) == ('invalid_request_error' if status < 500 else error['type'], param), answer
    assert (code is None or error['code'] == code) and text in error['message'], answer
    return error


def sent(mock, mark):
    return mock.one(mark)['body'].decode()


def in_order(text, *words):
    places = [text.index(word) for word in words]
    assert places == sorted(places), (words, places)


def get(weir, id, suffix=''):
    return weir.call('GET', f'/v1/responses/{id}{suffix}')


def stored(weir):
    """Everything that stands in the files of the store."""
    return b''.join(open(path, 'rb').read() for path in glob.glob(weir.data + '/sessions.db*'))
