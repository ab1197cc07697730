"""The providers that test_translate.py walks over: what stands between a row and its simulator, and what the row cannot do.

The simulators agree on what they say, so that a test is written once:
  TEXT            the answer to anything, 16 tokens
  THOUGHT         the reasoning, where it is on and asked to be told
  TOOLS           + the contents of the tool results, in order, separated by spaces
  received(...)   where the last user turn holds images or documents
Script items beside those of weir-mock's README: `cached=N` (tokens of the prompt that came from a cache), `citations`
(the answer quotes a page, after a search), `refusal`.
"""
import dataclasses

import google_accounts
import rig

TEXT = 'The dam is low and the river runs over it; what passes is measured, not held.'
THOUGHT = 'Let me think about the river.'
TOOLS = 'The tools answered: '
REFUSAL = 'I cannot help with that.'
CITED = 'The river is low today.'
CITED_URL, CITED_TITLE = 'https://example.com/river', 'The river'


def received(*media):
    """What a simulator says of ('image/png', 70), ...: media type and bytes of each."""
    return 'I was sent ' + ', '.join(f'{kind} of {size} bytes' for kind, size in media) + '.'


@dataclasses.dataclass(frozen=True)
class Provider:
    name: str
    # What the client asks for begins with this; the rest is the model's name, and the simulator's script.
    prefix: str
    # Parameter `model` of the deployment, with its *.
    upstream: str
    # After the simulator's address.
    base_path: str
    # The header that carries the credential, and how it begins.
    key_header: str
    key_prefix: str
    # The model of most tests, and one that thinks when asked with reasoning_effort.
    model: str
    thinker: str
    # Tokens of the prompt that are too many.
    context: int
    # How the credential begins that the provider is sent.
    credential: str = rig.UPSTREAM
    # More litellm_params; a function of the simulator.
    params: object = lambda mock: {}
    # Parameters that are refused (and dropped with drop_params): name -> (value, tag of x-weir-fidelity).
    unsupported: dict = dataclasses.field(default_factory=dict)
    # x-weir-fidelity by case; "exact" where nothing is said.
    fidelity: dict = dataclasses.field(default_factory=dict)
    # Cases that cannot be had, and are skipped: see test_translate.py.
    without: frozenset = frozenset()
    # How the assistant's reasoning is given back: the member of the message, or of its tool calls.
    reasoning_member: str = 'thinking_blocks'
    # An older model that has no structured outputs (case structured_emulated).
    older: str = ''
    # What the client sees of a refusal.
    refusal: str | None = REFUSAL
    # Changes the JSON text of a message so that its signatures are wrong.
    forge: object = lambda text: text
    # A message of it that the client sees where the request is not valid.
    bad_request: str = 'The request is not valid.'
    # The status with which it says that it is overloaded; the client sees a 503.
    overloaded: int = 503

    def deployments(self, mock):
        """Rows of model_list: the plain one, and under drop/ one with drop_params."""
        base = f'http://127.0.0.1:{mock.port}{self.base_path}'
        params = self.params(mock)
        return [rig.deployment(f'{self.prefix}*', self.upstream, base, **params),
                rig.deployment(f'drop/{self.prefix}*', self.upstream, base, drop_params=True, **params)]

    def script(self, items='', model=None, drop=False):
        """(model, mark) as rig.script, for this provider."""
        script, mark = rig.script(items)
        return f'{"drop/" if drop else ""}{self.prefix}{model or self.model}-{script.removeprefix("mock/")}', mark


# Parameters that no translation has a place for.
NOWHERE = {
    'logit_bias': ({'50256': -100}, 'logit_bias'),
    'verbosity': ('low', 'verbosity'),
    'prediction': ({'type': 'content', 'content': 'The dam'}, 'prediction'),
}

GEMINI = {'older': 'gemini-2.0-flash', 'reasoning_member': 'extra_content', 'without': frozenset({'two_choices'}),
          'forge': lambda text: text.replace('"thought_signature": "', '"thought_signature": "QUJD'),
          'bad_request': 'Request contains an invalid argument.'}
GEMINI_FIDELITY = {'citations': 'exact', 'structured_emulated': 'exact', 'reasoning_lost': 'degraded=reasoning_state'}

PROVIDERS = [
    Provider(
        name='anthropic', prefix='anthropic/', upstream='anthropic/*', base_path='',
        key_header='x-api-key', key_prefix='',
        model='claude-sonnet-4-5', thinker='claude-sonnet-4-6', context=200_000,
        unsupported={**NOWHERE, 'seed': (7, 'seed'), 'logprobs': (True, 'logprobs'),
                     'frequency_penalty': (0.5, 'penalties'), 'presence_penalty': (0.5, 'penalties')},
        fidelity={'json_object': 'degraded=json_mode', 'citations': 'degraded=web_search',
                  'structured_emulated': 'degraded=response_format'},
        older='claude-opus-4-1', forge=lambda text: text.replace('"signature": "', '"signature": "QUJD'),
        overloaded=529),
    Provider(
        name='gemini', prefix='gemini/', upstream='gemini/*', base_path='',
        key_header='x-goog-api-key', key_prefix='',
        model='gemini-2.5-flash', thinker='gemini-3-flash', context=1_048_576,
        unsupported={**NOWHERE, 'frequency_penalty': (0.5, 'penalties'), 'presence_penalty': (0.5, 'penalties')},
        fidelity=GEMINI_FIDELITY, **GEMINI),
    Provider(
        name='vertex_gemini', prefix='vertex_ai/gemini-', upstream='vertex_ai/gemini-*', base_path='',
        key_header='authorization', key_prefix='Bearer ', credential=google_accounts.TOKEN_MARK,
        model='2.5-flash', thinker='3-flash', context=1_048_576, params=google_accounts.vertex_params,
        unsupported=NOWHERE, fidelity=GEMINI_FIDELITY, **{**GEMINI, 'older': '2.0-flash'}),
    Provider(
        name='vertex_claude', prefix='vertex_ai/claude-', upstream='vertex_ai/claude-*', base_path='',
        key_header='authorization', key_prefix='Bearer ', credential=google_accounts.TOKEN_MARK,
        model='sonnet-4-5', thinker='sonnet-4-6', context=200_000, params=google_accounts.vertex_params,
        unsupported=NOWHERE,
        fidelity={'json_object': 'degraded=json_mode', 'citations': 'degraded=web_search',
                  'structured_emulated': 'degraded=response_format'},
        older='opus-4-1', forge=lambda text: text.replace('"signature": "', '"signature": "QUJD'),
        bad_request='Request contains an invalid argument.'),
]
