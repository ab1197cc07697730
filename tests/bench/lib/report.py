"""The tables: Markdown, the same on the terminal and in docs/performance.md."""
import datetime
import os
import platform
import re
import subprocess

import servers
from cases import IMAGE_MIB, IMAGES, MEMORY_BARS_MIB, SIZE_BAR_MIB, START_BAR_MS
from stats import Summary, paired_ratio

NAMES = {'nginx': 'nginx', 'weir': 'weir', 'weir_log': 'weir, access log on', 'direct': 'no proxy'}


def table(header, rows):
    lines = ['| ' + ' | '.join(header) + ' |', '|' + '---|' * len(header)]
    return '\n'.join(lines + ['| ' + ' | '.join(row) + ' |' for row in rows])


def verdict(value, bar):
    """What is shown is what is judged: two decimals."""
    return 'met' if round(value, 2) <= bar else '**missed**'


def first_line(command):
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        return done.stdout.splitlines()[0].strip() if done.stdout else '?'
    except OSError:
        return '?'


def machine():
    model = '?'
    with open('/proc/cpuinfo', encoding='utf-8') as file:
        found = re.search(r'model name\s*:\s*(.+)', file.read())
        model = found.group(1) if found else platform.machine()
    return (f'{model}, {os.cpu_count()} cores, Linux {platform.release()}, '
            f'{first_line([servers.find_nginx(), "-v"]).replace("nginx version: nginx/", "nginx ")}, '
            f'{first_line([os.environ.get("CC", "cc"), "--version"])}')


class Report:
    def __init__(self, arguments):
        self.arguments = arguments
        self.names = dict(NAMES, weir='second nginx') if arguments.noise else NAMES
        self.cpu_rows, self.latency_rows, self.static_rows = [], [], []
        self.foreign = []
        self.missed = []

    def judge(self, name, value, bar):
        if bar is None or self.arguments.noise:
            return '', ''
        if verdict(value, bar) != 'met':
            self.missed.append(name)
        return f'<= {bar:.2f}', verdict(value, bar)

    def add_case(self, case, results):
        base = [r.cpu_us for r in results['nginx']]
        for target, rounds in results.items():
            self.foreign += [r.foreign for r in rounds]
            if target == 'direct':
                continue
            cpu = Summary([r.cpu_us for r in rounds])
            row = [case.about if target == 'nginx' else '', self.names[target], f'{cpu.text()} us/{case.unit}']
            if target == 'nginx':
                row += ['1', '', '']
            else:
                ratio = paired_ratio([r.cpu_us for r in rounds], base)
                bar = case.bar if target == 'weir' else None
                row += [ratio.text(2), *self.judge(case.name, ratio.median, bar)]
            self.cpu_rows.append(row + [self.pace(case, rounds)])
        if 'direct' in results:
            self.add_latency(case, results)

    @staticmethod
    def pace(case, rounds):
        pace = Summary([r.pace for r in rounds]).median
        if case.unit == 'event':
            return f'{pace:.0f} events/s, {Summary([r.together for r in rounds]).median:.2f} a read'
        return f'{pace:.0f} requests/s'

    def add_latency(self, case, results):
        what = 'first content event' if case.unit == 'event' else 'whole answer'
        direct = {q: Summary([r.quantiles[q] for r in results['direct']]).median for q in ('p50', 'p99')}
        for target in [t for t in ('direct', 'nginx', 'weir') if t in results]:
            row = [f'{case.about}: {what}' if target == 'direct' else '', self.names[target]]
            for q in ('p50', 'p99'):
                value = Summary([r.quantiles[q] for r in results[target]])
                row.append(value.text(0))
                row.append('' if target == 'direct' else f'{value.median - direct[q]:+.0f}')
            self.latency_rows.append(row)

    def add_static(self, static):
        def row(what, value, unit, bar, shown):
            self.static_rows.append([what, shown, *self.judge(what, value, bar)])
            self.static_rows[-1][2] += f' {unit}'
        for workers, mib in static['memory_mib'].items():
            row(f'anonymous memory (RssAnon), idle, {workers} worker{"s" if workers > 1 else ""}', mib, 'MiB',
                MEMORY_BARS_MIB[workers], f'{mib:.2f} MiB')
        for key, what in (('start_ms', 'start to the first answer'),
                          ('first_start_ms', 'start to the first answer, empty data directory')):
            times = Summary(static[key])
            row(what, times.median, 'ms', START_BAR_MS, f'{times.text()} ms')
        row('program, stripped', static['size_mib'], 'MiB', SIZE_BAR_MIB, f'{static["size_mib"]:.2f} MiB')

    def add_images(self, shares):
        for (name, _, _, bar), share in zip(IMAGES, shares):
            what = f'memory above idle for a chat with an image of {IMAGE_MIB} MiB {name}'
            self.static_rows.append([what, f'{share:.2f} x body', *self.judge(what, share, bar)])
            self.static_rows[-1][2] += ' x'

    def text(self):
        a, parts = self.arguments, []
        today = datetime.date.today().isoformat()
        parts.append(f'Machine: {machine()}. {today}; {a.rounds} rounds of {a.seconds} s; median (quartiles); '
                     'ratio: median of the rounds\' ratios to the nginx round beside them.')
        if self.foreign:
            other = Summary(self.foreign)
            parts.append(f'Other work on the proxies\' core during the rounds: median {other.median * 100:.0f} %, '
                         f'most {max(self.foreign) * 100:.0f} %.' +
                         (' That is not an idle machine: do not trust the ratios.' if other.median > 0.1 else ''))
        if self.cpu_rows:
            parts.append(table(['case', 'proxy', 'CPU', 'ratio', 'bar', '', 'pace'], self.cpu_rows))
        if self.latency_rows:
            parts.append(table(['latency, us', 'proxy', 'p50', 'added', 'p99', 'added'], self.latency_rows))
        if self.static_rows:
            parts.append(table(['weir alone', 'measured', 'bar', ''], self.static_rows))
        if self.missed:
            parts.append('Bars missed: ' + ', '.join(self.missed) + '.')
        return '\n\n'.join(parts) + '\n'


def write_docs(path, section, text):
    """Replaces what is between the markers of a section."""
    begin, end = f'<!-- {section}: begin -->', f'<!-- {section}: end -->'
    with open(path, encoding='utf-8') as file:
        page = file.read()
    if page.count(begin) != 1 or page.count(end) != 1 or page.index(begin) > page.index(end):
        raise servers.BenchError(f'{path} needs the lines "{begin}" and "{end}", once each and in this order')
    head, rest = page.split(begin)
    with open(path, 'w', encoding='utf-8') as file:
        file.write(f'{head}{begin}\n{text}{end}{rest.split(end)[1]}')
