"""The cases of the benchmark, as data."""
import measure

OPEN_LOOP_RATE = 4000   # a second: well below what one core of any of the proxies takes


class Case:
    """targets: servers measured in turn, the first one is the base of the ratios. bar: of the ratio that
    `weir` may have; None: shown only. unit: what the CPU time is divided by."""

    def __init__(self, name, about, unit, bar, targets, measure_round):
        self.name, self.about, self.unit, self.bar = name, about, unit, bar
        self.targets, self.measure_round = targets, measure_round


CASES = (
    Case('chat_1k5', 'closed loop, 32 connections, 1.5 kB request', 'request', 1.0,
         ('nginx', 'weir', 'weir_log'),
         lambda server, bodies, seconds: measure.closed_loop(server, bodies['1k5'], seconds)),
    Case('chat_26k', 'closed loop, 32 connections, 26 kB request', 'request', 1.2,
         ('nginx', 'weir'),
         lambda server, bodies, seconds: measure.closed_loop(server, bodies['26k'], seconds)),
    Case('stream', '64 streams of 200 events, 330 bytes, 2 ms apart', 'event', 1.0,
         ('nginx', 'weir', 'direct'),
         lambda server, bodies, seconds: measure.streams(server, bodies['stream'], seconds)),
    Case('rate_1k5', f'open loop, {OPEN_LOOP_RATE} a second, 1.5 kB request', 'request', None,
         ('nginx', 'weir', 'direct'),
         lambda server, bodies, seconds: measure.open_loop(server, bodies['1k5'], seconds, OPEN_LOOP_RATE)),
)

# Measured once: name, what, unit, bar.
MEMORY_BARS_MIB = {1: 5.0, 2: 6.0}
START_BAR_MS = 40.0
SIZE_BAR_MIB = 2.0
