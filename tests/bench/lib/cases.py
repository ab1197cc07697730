"""The cases of the benchmark, as data."""
import measure
from calls import CALLS

OPEN_LOOP_RATE = 4000   # a second: well below what one core of any of the proxies takes


class Case:
    """targets: servers measured in turn, the first one is the base of the ratios. bar: of the ratio that
    `weir` may have; None: shown only. rate: of an open loop."""

    def __init__(self, name, about, call, bar, targets=('nginx', 'weir'), rate=None):
        self.name, self.about, self.call, self.bar, self.targets = name, about, CALLS[call], bar, targets
        self.unit, self.rate = self.call.unit, rate

    def measure_round(self, server, body_paths, seconds):
        body = body_paths[self.call.name]
        if self.rate:
            return measure.open_loop(server, self.call, body, seconds, self.rate)
        return (measure.streams if self.call.stream else measure.closed_loop)(server, self.call, body, seconds)


LOOP = 'closed loop, 32 connections, '
STREAMS = '64 streams of 200 events, 330 bytes, 2 ms apart'
CASES = (
    Case('chat_1k5', LOOP + '1.5 kB request', '1k5', 1.0, ('nginx', 'weir', 'weir_log')),
    Case('chat_26k', LOOP + '26 kB request', '26k', 1.2),
    Case('stream', STREAMS, 'stream', 1.0, ('nginx', 'weir', 'direct')),
    Case('rate_1k5', f'open loop, {OPEN_LOOP_RATE} a second, 1.5 kB request', '1k5', None,
         ('nginx', 'weir', 'direct'), rate=OPEN_LOOP_RATE),
    Case('anthropic_1k5', LOOP + '1.5 kB chat request to Anthropic', 'anthropic_1k5', 1.3),
    Case('gemini_1k5', LOOP + '1.5 kB chat request to Gemini', 'gemini_1k5', 1.3),
    Case('anthropic_stream', STREAMS + ', chat from Anthropic', 'anthropic_stream', 1.2),
    Case('gemini_stream', STREAMS + ', chat from Gemini', 'gemini_stream', 1.2),
    Case('responses_stream', STREAMS + ', Responses', 'responses_stream', 1.2),
    Case('responses_anthropic_stream', STREAMS + ', Responses from Anthropic', 'responses_anthropic_stream', 1.2),
)

# Measured once: name, what, unit, bar.
MEMORY_BARS_MIB = {1: 5.0, 2: 6.0}
START_BAR_MS = 40.0
SIZE_BAR_MIB = 2.0
# What a request may hold above idle, as a share of its body: a chat with an image of IMAGE_MIB of base64. What, model, sent in
# chunks, bar.
IMAGE_MIB = 60
IMAGES = (
    ('to OpenAI', 'bench', False, 1.2),
    ('to OpenAI, sent in chunks', 'bench', True, 1.2),
    ('to Anthropic', 'bench-anthropic', False, 2.2),
    ('to Gemini', 'bench-gemini', False, 2.2),
)
