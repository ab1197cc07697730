"""What the benchmark asks for, as data: one row a kind of request."""


class Call:
    """path: of the gateway, for `model`. provider_path: what the gateway then calls; there nginx and "no proxy" are sent the
    same body, so that the upstream answers all of them with the same bytes. unit: what the cost is divided by."""

    def __init__(self, name, size=1500, turns=2, stream=False, model='bench', api='chat', provider_path=None):
        self.name, self.size, self.turns, self.stream = name, size, turns, stream
        self.model, self.api = model, api
        self.path = {'chat': '/v1/chat/completions', 'responses': '/v1/responses'}[api]
        self.provider_path = provider_path or self.path
        self.unit = 'event' if stream else 'request'

    def port_and_path(self, server):
        return server.ports['stream' if self.stream else 'http'], self.path if server.gateway else self.provider_path


GEMINI = '/v1beta/models/gemini-2.5-flash:'
CALLS = {call.name: call for call in (
    Call('1k5'),
    Call('26k', size=26000, turns=13),
    Call('stream', stream=True),
    Call('anthropic_1k5', model='bench-anthropic', provider_path='/v1/messages'),
    Call('gemini_1k5', model='bench-gemini', provider_path=GEMINI + 'generateContent'),
    Call('anthropic_stream', stream=True, model='bench-anthropic', provider_path='/v1/messages'),
    Call('gemini_stream', stream=True, model='bench-gemini',
         provider_path=GEMINI + 'streamGenerateContent?alt=sse'),
    Call('responses_stream', stream=True, api='responses'),
    Call('responses_anthropic_stream', stream=True, api='responses', model='bench-anthropic',
         provider_path='/v1/messages'),
)}
