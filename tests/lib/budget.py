"""tests/budget.txt: for each suite the least number of cases and the most seconds."""
import math

HEADER = '''\
# suite        cases  seconds
#
# What each suite must still run, and how long it may take (with a build folder that is up to date). A suite
# with fewer cases than listed fails; so does one that is not listed. In CI one that takes longer fails too.
# After adding cases: tests/run --suites NAME --update-budget, and review the difference.
'''


class BudgetError(Exception):
    """A line of the file that cannot be read."""


def read(path):
    """-> {suite: (cases, seconds)}; an absent file lists nothing."""
    rows = {}
    try:
        with open(path, encoding='utf-8') as file:
            lines = file.read().splitlines()
    except FileNotFoundError:
        return rows
    for number, line in enumerate(lines, 1):
        words = line.split('#', 1)[0].split()
        if not words:
            continue
        if len(words) != 3 or not words[1].isdigit() or not words[2].isdigit():
            raise BudgetError(f'{path}:{number}: expected "suite cases seconds", found: {line}')
        if words[0] in rows:
            raise BudgetError(f'{path}:{number}: suite {words[0]} is listed twice')
        rows[words[0]] = (int(words[1]), int(words[2]))
    return rows


def breaches(rows, result, strict_time, warn):
    """What a suite's result breaks of its row, as sentences."""
    if result.name not in rows:
        return [f'{result.name} is not listed in tests/budget.txt; add it with --update-budget']
    found = []
    cases, seconds = rows[result.name]
    ran = result.passed + len(result.failures)
    if ran < cases:
        found.append(f'{result.name} ran {ran} cases; tests/budget.txt lists {cases}')
    if result.seconds > seconds:
        text = f'{result.name} took {result.seconds:.0f} s; tests/budget.txt allows {seconds}'
        if strict_time:
            found.append(text)
        else:
            warn(f'   warning: {text}')
    return found


def write(path, rows, results):
    """Puts the counts of `results` in. Seconds already listed are kept while they leave room."""
    rows = dict(rows)
    for result in results:
        room = math.ceil(result.seconds * 3 / 10) * 10 + 10
        seconds = rows.get(result.name, (0, 0))[1]
        rows[result.name] = (result.passed, max(room, seconds))
    with open(path, 'w', encoding='utf-8') as file:
        file.write(HEADER)
        for name, (cases, seconds) in sorted(rows.items()):
            file.write(f'{name:14} {cases:5} {seconds:8}\n')
