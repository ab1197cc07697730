"""The guiding case, and what its suites share: four names behind one Responses API, each of them another format upstream.

The gateway passes on `x-mock`, so that a client may keep the plain names and still give the simulator its script.
"""
import dataclasses
import json
import os
import uuid

import google_accounts
import rig

# What a guide tells its reader to write; served to this machine alone.
GUIDE_KEY = 'sk-your-litellm-master-key'


@dataclasses.dataclass(frozen=True)
class Alias:
    # As the client names it, and a model of the same provider that reasons.
    name: str
    thinker: str
    # Where the provider is posted to, whole and streamed.
    path: str
    stream_path: str
    # Both sides speak Responses.
    native: bool = False
    # Parameters with a meaning in Responses that this provider has no place for: value and fidelity tag.
    unsupported: dict = dataclasses.field(default_factory=dict)


OPENAI = Alias('openai-default', 'openai-thinker', '/v1/responses', '/v1/responses', native=True)
CLAUDE = Alias('claude-default', 'claude-thinker', '/v1/messages', '/v1/messages')
GEMINI = Alias('gemini-default', 'gemini-thinker',
               '/v1/projects/p/locations/us-central1/publishers/google/models/gemini-2.5-flash:generateContent',
               '/v1/projects/p/locations/us-central1/publishers/google/models/gemini-2.5-flash:streamGenerateContent?alt=sse')
CHAT = Alias('groq-default', '', '/v1/chat/completions', '/v1/chat/completions')
ALIASES = (OPENAI, CLAUDE, GEMINI, CHAT)
THINKERS = (OPENAI, CLAUDE, GEMINI)


def account_file(folder, mock, **members):
    """A service account's key, as a file."""
    path = os.path.join(folder, f'account-{uuid.uuid4().hex[:8]}.json')
    with open(path, 'w', encoding='utf-8') as file:
        json.dump(google_accounts.service_account(mock, **members), file)
    return path


def rows(folder, mock, **params):
    """The deployments of the guiding case and those beside them, all at the simulator."""
    root = f'http://127.0.0.1:{mock.port}'
    vertex = {'api_key': None, 'vertex_project': 'p', 'vertex_location': 'us-central1',
              'vertex_credentials': account_file(folder, mock)}
    made = []
    for name, model, base, more in (
            ('openai-default', 'openai/gpt-4.1', mock.base, {}),
            ('openai-thinker', 'openai/gpt-5.2', mock.base, {}),
            ('claude-default', 'anthropic/claude-sonnet-4-5', root, {}),
            ('claude-thinker', 'anthropic/claude-sonnet-4-6', root, {}),
            ('gemini-default', 'vertex_ai/gemini-2.5-flash', root, vertex),
            ('gemini-thinker', 'vertex_ai/gemini-3-flash', root, vertex),
            ('groq-default', 'groq/llama-3.3-70b-versatile', mock.base, {})):
        made.append(rig.deployment(name, model, base, **more, **params))
    return made


def start(folder, mock, *options, params=None, **sections):
    general = {'forward_client_headers_to_llm_api': True, **sections.pop('general_settings', {})}
    return rig.Weir(folder, rig.config(rows(folder, mock, **(params or {})), general_settings=general,
                                       weir_settings={'drain_timeout': 5}, **sections), *options)


def script(items=''):
    """(headers, mark): the simulator's script as a header, and a text by which the requests are found."""
    mark = uuid.uuid4().hex
    return {'x-mock': f'{items}{"," if items else ""}key={mark}'}, mark


def billed(items=''):
    """The same for one request, whose invoice is found too."""
    headers, mark = script(items)
    return {**headers, 'x-litellm-call-id': mark}, mark


def no_canary(text):
    for canary in rig.CANARIES:
        at = text.find(canary)
        assert at < 0, f'a credential: ...{text[max(0, at - 200):at]}<here>'
