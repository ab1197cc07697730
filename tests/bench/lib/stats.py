"""Medians and quartiles, by linear interpolation between the sorted values; what a soak run may grow."""

SOAK_GROWTH_KIB, SOAK_GROWTH_SHARE = 512, 0.05
SOAK_DESCRIPTORS = 8


def quantile(values, q):
    ordered = sorted(values)
    at = q * (len(ordered) - 1)
    low = int(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (at - low)


class Summary:
    def __init__(self, values):
        self.values = list(values)
        self.low, self.median, self.high = (quantile(self.values, q) for q in (0.25, 0.5, 0.75))

    def text(self, digits=1):
        return f'{self.median:.{digits}f} ({self.low:.{digits}f}-{self.high:.{digits}f})'


def paired_ratio(rounds, base):
    """The ratio of each round to the round of the base next to it: what drifts on the machine drifts in both."""
    return Summary([a / b for a, b in zip(rounds, base)])


def judge_soak(samples):
    """samples: (KiB of memory, open descriptors) of each cycle. -> problem with memory, with descriptors;
    None: none."""
    if len(samples) < 3:
        return (f'only {len(samples)} cycles',) * 2
    third = len(samples) // 3
    before = Summary([kib for kib, _ in samples[third:2 * third]]).median
    after = Summary([kib for kib, _ in samples[-third:]]).median
    limit = before * (1 + SOAK_GROWTH_SHARE) + SOAK_GROWTH_KIB
    memory = None if after <= limit else f'{before:.0f} KiB grew to {after:.0f} KiB; the limit is {limit:.0f} KiB'
    first, last = max(n for _, n in samples[:third]), samples[-1][1]
    lost = None if last <= first + SOAK_DESCRIPTORS else f'{first} descriptors became {last}'
    return memory, lost
