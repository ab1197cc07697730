"""How a fuzz target is run, and what a failure of one is shown as.

The runs of `make test-long` repeat: a fixed seed, a fixed number of runs, the seeds in the order of their names, nothing
learned before, the same addresses (setarch -R, a small environment: what is compared steers libFuzzer, and addresses are
compared too). So a target that fails does so each time, and one that passes is not a matter of luck or of the machine's
speed. With WEIR_FUZZ_SECONDS=N each target explores instead: a random seed, N seconds, and what it learns kept
under build/fuzz-corpus for the next time. What is found is kept under build/fuzz-found either way."""
import base64
import glob
import os
import re

SEED = 1
# As many as take 10 to 20 s on one slow core.
RUNS = {'json_scan': 250_000, 'openai_ir': 300_000, 'request': 200_000, 'anthropic': 200_000, 'gemini': 250_000,
        'responses_answer': 120_000, 'h1': 200_000, 'sse': 80_000, 'yaml': 70_000, 'responses': 15_000}
GUARD_SECONDS = 180
ARTIFACT_SHOWN_BYTES = 12_000


class FuzzError(Exception):
    """The suite cannot run as it is asked to."""


def explore_seconds(environ):
    """The value of WEIR_FUZZ_SECONDS; None: not exploring."""
    text = environ.get('WEIR_FUZZ_SECONDS', '')
    if not text:
        return None
    if not re.fullmatch(r'[1-9][0-9]{0,5}', text):
        raise FuzzError(f'WEIR_FUZZ_SECONDS is {text!r}; it takes a number of seconds for each target, from 1 to '
                        '999999; without it the runs are fixed')
    return int(text)


def environment(env):
    """What the target's process sees: the size of the environment moves the stack."""
    return {name: env[name] for name in ('ASAN_OPTIONS', 'UBSAN_OPTIONS')} | {'PATH': '/usr/bin:/bin'}


def command(program, name, seconds):
    """The arguments of a run; seconds as from explore_seconds."""
    if name not in RUNS:
        raise FuzzError(f'{name}: no number of runs; add it to RUNS in tests/lib/fuzzing.py')
    found = os.path.join('build', 'fuzz-found')
    os.makedirs(found, exist_ok=True)
    words = [program, '-timeout=5', '-rss_limit_mb=2048', f'-artifact_prefix={found}/{name}-']
    if os.path.exists(f'tests/fuzz/{name}.dict'):
        words.append(f'-dict=tests/fuzz/{name}.dict')
    seeds = os.path.join('tests', 'fuzz', 'corpus', name)
    if seconds is not None:
        learned = os.path.join('build', 'fuzz-corpus', name)
        os.makedirs(learned, exist_ok=True)
        return words + [f'-max_total_time={seconds}', learned] + ([seeds] if os.path.isdir(seeds) else [])
    listed = sorted(glob.glob(os.path.join(seeds, '*')))
    if not listed:
        raise FuzzError(f'{name}: tests/fuzz/corpus/{name} holds no seed')
    # No folder is given: what is learned stays in memory, and no clock decides when it is read again. The list of seeds
    # is a file, in the order of names, where a folder would have the order of its file system.
    listing = os.path.join('build', 'fuzz', f'seeds-{name}.txt')
    with open(listing, 'w', encoding='utf-8') as file:
        file.write(','.join(listed))
    return words + [f'-seed={SEED}', f'-runs={RUNS[name]}', f'-max_total_time={GUARD_SECONDS}', '-reload=0',
                    f'-seed_inputs=@{listing}']


def shortfall(name, errors):
    """Of a fixed run that found nothing: a sentence if it did not make its runs, else None."""
    done = re.search(r'^Done (\d+) runs', errors, re.M)
    made = int(done.group(1)) if done else 0
    if made >= RUNS[name]:
        return None
    return f'made {made} of {RUNS[name]} runs in the {GUARD_SECONDS} s it may take'


# libFuzzer's account of its progress and of the input in other spellings, and ASan's map of the memory around a fault. A stack's
# frames (`    #0 ...`) are indented.
HEX = re.compile(r'^0x[0-9a-f]{1,2},')
DROPPED = re.compile(r'^(#\d+\b|INFO:(?! Seed)|Done \d+ runs|stat::|MS: |artifact_prefix=|Base64: |Dictionary: |'
                     r'###### |\t?NEW_(FUNC|PC)\b|0x[0-9a-f]{1,2},|'
                     r'Shadow byte|  Shadow gap|  0x[0-9a-f]+: |=>0x|  [A-Z][A-Za-z0-9 -]+: +[0-9a-f]{2}\b)')
TESTED = re.compile(r'Test unit written to (\S+)')


def report(errors, program, root='.'):
    """What matters of libFuzzer's output on a failure: what does not hold and where, the input, the way to try it again."""
    lines, before = [], ''
    for line in errors.splitlines():
        spelled_again = HEX.match(before)
        before = line
        if not spelled_again and not DROPPED.match(line):
            lines.append(line)
    seeds = [line for line in lines if line.startswith('INFO: Seed')]
    lines = [line for line in lines if line.strip() and not line.startswith('INFO: Seed')]
    for path in TESTED.findall(errors):
        lines += artifact(path, program, root)
    return '\n'.join(lines + seeds) + '\n'


def artifact(path, program, root):
    """An input that was found: its name, its bytes, the command."""
    try:
        with open(os.path.join(root, path), 'rb') as file:
            content = file.read()
    except OSError as error:
        return [f'input: {path} ({error.strerror})']
    lines = [f'input: {path} ({len(content)} bytes); again: {program} {path}']
    part = '' if len(content) <= ARTIFACT_SHOWN_BYTES else f', the first {ARTIFACT_SHOWN_BYTES} bytes'
    lines.append(f'base64{part}: ' + base64.b64encode(content[:ARTIFACT_SHOWN_BYTES]).decode())
    return lines
