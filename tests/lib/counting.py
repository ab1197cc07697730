"""Counts the cases in what test programs print: TAP of cmocka, JUnit XML of pytest, TAP of Node's runner."""
import json
import re
import xml.etree.ElementTree


class Failure:
    def __init__(self, name, output=''):
        self.name = name
        self.output = output


class Counts:
    def __init__(self):
        self.passed = 0
        self.skipped = 0
        self.failures = []

    def add(self, other):
        self.passed += other.passed
        self.skipped += other.skipped
        self.failures += other.failures


POINT = re.compile(r'^(not )?ok\b\s*(\d+)?\s*-?\s*(.*)$')
PLAN = re.compile(r'^1\.\.(\d+)')


def tap_program(name, text, returncode, errors=''):
    """One program's TAP. Points that the plan promises and that are missing, and an exit status that no
    failed point explains (a sanitizer's report at exit), count as failures."""
    counts, planned, seen, current = Counts(), None, 0, None
    for line in text.splitlines():
        plan, point = PLAN.match(line), POINT.match(line)
        if plan:
            planned = (planned or 0) + int(plan.group(1))
        elif point:
            seen, current = seen + 1, None
            title = point.group(3)
            if re.match(r'^#?\s*SKIP\b', title, re.I) or re.search(r'#\s*SKIP\b', title, re.I):
                counts.skipped += 1
            elif point.group(1):
                current = Failure(f'{name}: {title}')
                counts.failures.append(current)
            else:
                counts.passed += 1
        elif line.startswith('#') and current is not None:
            current.output += line + '\n'
    tail = '\n'.join(errors.splitlines()[:80])
    if planned is None:
        counts.failures.append(Failure(f'{name}: printed no TAP plan (exit status {returncode})',
                                       '\n'.join(text.splitlines()[-40:]) + '\n' + tail))
    elif seen < planned:
        counts.failures.append(Failure(f'{name}: ended after {seen} of {planned} cases '
                                       f'(exit status {returncode})', tail))
    elif returncode != 0 and not counts.failures:
        counts.failures.append(Failure(f'{name}: exit status {returncode}', tail))
    return counts


def meson_log(path, returncode=0):
    """meson-logs/testlog.json: one JSON object a line, one line a program. Meson's exit status, the number of
    programs that it holds for failed, must agree with that log; cmocka's way of writing a skipped case (`not
    ok 1 # SKIP`) is a failure for Meson, but none here."""
    counts, held = Counts(), 0
    with open(path, encoding='utf-8') as file:
        for line in file:
            row = json.loads(line)
            held += row['result'] not in ('OK', 'SKIP', 'EXPECTEDFAIL')
            name = row['name'].split(' / ', 1)[-1]
            if row['result'] == 'TIMEOUT':
                counts.failures.append(Failure(f'{name}: timed out', row.get('stdout', '')[-4000:]))
                continue
            counts.add(tap_program(name, row.get('stdout', ''), row['returncode'],
                                   row.get('stderr', '')))
    if returncode != held % 256 and not counts.failures:
        counts.failures.append(Failure(f'meson test ended with exit status {returncode}, but its log has '
                                       f'{held} failed programs'))
    return counts


def junit(path, returncode):
    """pytest's --junitxml. Exit status 5 (nothing collected) and a missing file are failures."""
    counts = Counts()
    try:
        root = xml.etree.ElementTree.parse(path).getroot()
    except (OSError, xml.etree.ElementTree.ParseError) as error:
        counts.failures.append(Failure(f'no result file: {error}'))
        return counts
    for case in root.iter('testcase'):
        bad = [e for e in case if e.tag in ('failure', 'error')]
        if bad:
            text = '\n'.join(e.text or e.get('message', '') for e in case
                             if e.tag in ('failure', 'error', 'system-out', 'system-err'))
            counts.failures.append(Failure(f"{case.get('classname')}::{case.get('name')}", text))
        elif any(e.tag == 'skipped' for e in case):
            counts.skipped += 1
        else:
            counts.passed += 1
    if returncode not in (0, 1) or (returncode and not counts.failures):
        counts.failures.append(Failure(f'pytest ended with exit status {returncode}'))
    return counts


def node_tap(text, returncode, errors=''):
    """`node --test --test-reporter=tap`: its closing summary counts leaf tests."""
    counts = Counts()
    total = {m.group(1): int(m.group(2))
             for m in re.finditer(r'^# (tests|pass|fail|cancelled|skipped|todo) (\d+)$', text, re.M)}
    if 'pass' not in total:
        counts.failures.append(Failure(f'the runner printed no summary (exit status {returncode})',
                                       text[-4000:] + errors[-4000:]))
        return counts
    counts.passed, counts.skipped = total['pass'], total.get('skipped', 0) + total.get('todo', 0)
    failed = total.get('fail', 0) + total.get('cancelled', 0)
    lines = text.splitlines()
    for index, line in enumerate(lines):
        point = POINT.match(line.strip())
        if point and point.group(1) and len(counts.failures) < failed:
            detail = '\n'.join(lines[index + 1:index + 30])
            if "'subtestsFailed'" in detail.split('...', 1)[0]:
                continue            # the parent of one already listed
            counts.failures.append(Failure(point.group(3), detail))
    while len(counts.failures) < failed:
        counts.failures.append(Failure('a test that was cancelled', errors[-2000:]))
    if returncode != 0 and not counts.failures:
        counts.failures.append(Failure(f'the runner ended with exit status {returncode}', errors[-4000:]))
    return counts
