"""The file of instruction counts: one line a row, `name instructions system-calls`, `#` starts a comment."""

LIMIT_PERCENT = 3.0


def dump(rows, compiler):
    lines = ['# What one unit of work costs weir: instructions in user space, system calls. A request; of the',
             '# rows ..._event, one event of a stream. Written by tests/bench/instructions --update.',
             f'# {compiler}', '#', '# name              instructions  system calls']
    lines += [f'{name:<18} {row["instructions"]:>13.0f} {row["system_calls"]:>13.2f}' for name, row in rows.items()]
    return '\n'.join(lines) + '\n'


def parse(text):
    rows = {}
    for number, line in enumerate(text.splitlines(), 1):
        fields = line.split('#')[0].split()
        if not fields:
            continue
        try:
            name, instructions, calls = fields
            row = {'instructions': float(instructions), 'system_calls': float(calls)}
        except ValueError:
            raise ValueError(f'line {number}: a name and two numbers are needed') from None
        if name in rows:
            raise ValueError(f'line {number}: {name} is there twice')
        rows[name] = row
    if not rows:
        raise ValueError('no row')
    return rows


def compare(measured, baseline):
    """-> a line for each row that is missing or costs more than the limit allows."""
    problems = [f'{name}: not measured' for name in baseline if name not in measured]
    problems += [f'{name}: not in the baseline; run: tests/bench/instructions --update'
                 for name in measured if name not in baseline]
    for name in measured.keys() & baseline.keys():
        for key, now in measured[name].items():
            before = baseline[name][key]
            change = (now / before - 1) * 100
            if change > LIMIT_PERCENT:
                problems.append(f'{name}: {now:.10g} {key.replace("_", " ")} instead of {before:.10g}: '
                                f'{change:+.1f} %, the limit is {LIMIT_PERCENT:+.0f} %')
    return problems
