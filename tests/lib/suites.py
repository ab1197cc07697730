"""The table of suites, and how each kind is run."""
import glob
import os
import re
import shutil
import signal
import subprocess
import time

import counting
import fuzzing

# Run as 1:1 as possible with CI where time is short.
FAST = ('tools', 'unit', 'golden', 'fuzz-seeds')
# Meson suites that are rows of their own below; all other Meson tests are the row `unit`.
APART = ('golden', 'fuzz-seeds', 'workers')


class Result(counting.Counts):
    def __init__(self, name):
        super().__init__()
        self.name = name
        self.seconds = 0.0


class Context:
    """Paths, and the environment of what is run."""

    def __init__(self, root):
        self.root = root
        self.python = os.path.join(root, 'build', 'venv', 'bin', 'python')
        # Sanitizers of gcc 12 and clang 14 cannot start where the kernel randomises more address bits
        # than they know; a process without randomisation always can.
        self.prefix = []
        if shutil.which('setarch') and subprocess.run(
                ['setarch', '-R', 'true'], stderr=subprocess.DEVNULL, check=False).returncode == 0:
            self.prefix = ['setarch', '-R']

    def binary(self, kind):
        return os.path.join(self.root, 'build', kind, 'src', 'weir')

    def mock(self, kind):
        return os.path.join(self.root, 'build', kind, 'tests', 'mock', 'weir-mock')

    def environment(self, kind):
        env = dict(os.environ)
        env.update(
            WEIR_BIN=self.binary(kind), MOCK_BIN=self.mock(kind), WEIR_SOURCE_ROOT=self.root,
            PYTHONDONTWRITEBYTECODE='1',
            ASAN_OPTIONS='detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1',
            UBSAN_OPTIONS='print_stacktrace=1:halt_on_error=1',
            TSAN_OPTIONS='halt_on_error=1:second_deadlock_stack=1')
        for name in list(env):       # a proxy of the machine must not see what tests send to loopback
            if name.lower() in ('http_proxy', 'https_proxy', 'all_proxy'):
                del env[name]
        recordings = os.path.join(os.path.dirname(os.path.abspath(self.root)), 'shared', 'recordings')
        if os.path.isdir(recordings):   # recorded answers of providers: not part of the project
            env.setdefault('WEIR_RECORDINGS', recordings)
        return env

    def run(self, command, limit_seconds, env=None, cwd=None):
        """-> (exit status or None if it ran out of time, stdout, stderr). Its process group ends with it."""
        process = subprocess.Popen(self.prefix + command, stdin=subprocess.DEVNULL, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env,
                                   cwd=cwd or self.root, start_new_session=True, errors='replace')
        try:
            out, err = process.communicate(timeout=limit_seconds)
            kill_group(process.pid, signal.SIGKILL)     # servers that a test left behind
            return process.returncode, out, err
        except subprocess.TimeoutExpired:
            return None, *end_group(process)
        except BaseException:
            end_group(process)
            raise


def kill_group(group, number):
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        pass


def end_group(process):
    for number in (signal.SIGTERM, signal.SIGKILL):
        kill_group(process.pid, number)
        try:
            out = process.communicate(timeout=5)
            kill_group(process.pid, signal.SIGKILL)
            return out
        except subprocess.TimeoutExpired:
            continue
    return '', ''


class Suite:
    """name, kind (short or long), the build it needs, its hard limit; subclasses say what to run."""

    def __init__(self, name, kind, about, build=None, limit_seconds=300, **options):
        self.name, self.kind, self.about = name, kind, about
        self.build, self.limit_seconds = build, limit_seconds
        self.options = options

    def present(self, context):
        return True

    def count(self, context):
        raise NotImplementedError


class MesonSuite(Suite):
    """cmocka programs of one build folder. options: only (a Meson suite), else all but APART."""

    def present(self, context):
        only = self.options.get('only')
        if only is None:
            return bool(glob.glob('tests/unit/*/meson.build'))
        listed = glob.glob('tests/**/meson.build', recursive=True)
        pattern = re.compile(r"suite\s*:\s*(\[[^\]]*)?'" + only + "'")
        return any(pattern.search(open(path, encoding='utf-8').read()) and has_sources(path)
                   for path in listed)

    def count(self, context):
        folder = os.path.join('build', self.build)
        log = os.path.join(folder, 'meson-logs', 'testlog.json')
        if os.path.exists(log):
            os.remove(log)
        command = ['meson', 'test', '-C', folder, '--no-rebuild', '--timeout-multiplier', '3']
        only = self.options.get('only')
        if only:
            command += ['--suite', only]
        else:
            for name in APART:
                command += ['--no-suite', name]
        code, out, err = context.run(command, self.limit_seconds, context.environment(self.build))
        if code is None or not os.path.exists(log):
            return failed('meson test', code, out, err)
        return counting.meson_log(log, code)


def has_sources(path):
    """The fuzz table lists targets before their sources are written."""
    return 'fuzz' not in path or bool(glob.glob('tests/fuzz/fuzz_*.c'))


class PytestSuite(Suite):
    """options: folder, marker (an expression for -m)."""

    def present(self, context):
        return bool(glob.glob(os.path.join(self.options['folder'], '**', 'test_*.py'), recursive=True)) \
            and self.has_marked()

    def has_marked(self):
        marker = self.options['marker']
        if marker.startswith('not '):
            return True
        files = glob.glob(os.path.join(self.options['folder'], '**', '*.py'), recursive=True)
        return any(f'mark.{marker}' in open(path, encoding='utf-8').read() for path in files)

    def count(self, context):
        result = os.path.join(context.root, 'build', f'junit-{self.name}.xml')
        if os.path.exists(result):
            os.remove(result)
        command = [context.python, '-m', 'pytest', '-q', '-p', 'no:cacheprovider', '-m',
                   self.options['marker'], f'--junitxml={result}', self.options['folder']]
        code, out, err = context.run(command, self.limit_seconds, context.environment(self.build))
        counts = counting.junit(result, -1 if code is None else code)
        if code is None or not os.path.exists(result):
            counts.add(failed('pytest', code, out, err))
        return counts


class NodeSuite(Suite):
    def present(self, context):
        return bool(self.files())

    def files(self):
        folder = self.options['folder']
        return sorted(os.path.relpath(p, folder)
                      for suffix in ('mjs', 'js', 'cjs')
                      for p in glob.glob(os.path.join(folder, '**', f'*.test.{suffix}'), recursive=True)
                      if 'node_modules' not in p)

    def count(self, context):
        command = [os.path.join(context.root, 'tools', 'node'), '--test', '--test-reporter=tap']
        code, out, err = context.run(command + self.files(), self.limit_seconds,
                                     context.environment(self.build),
                                     cwd=os.path.join(context.root, self.options['folder']))
        if code is None:
            return failed('node --test', code, out, err)
        return counting.node_tap(out, code, err)


class TapSuite(Suite):
    """One program that prints TAP. options: command."""

    def present(self, context):
        return os.path.exists(self.options['command'][0])

    def count(self, context):
        code, out, err = context.run(self.options['command'], self.limit_seconds,
                                     context.environment(self.build or 'asan'))
        if code is None:
            return failed(self.options['command'][0], code, out, err)
        return counting.tap_program(self.options['command'][0], out, code, err)


class ScriptSuite(Suite):
    """Python programs that print TAP, run with build/venv. options: scripts."""

    def present(self, context):
        return any(os.path.exists(script) for script in self.options['scripts'])

    def count(self, context):
        counts = counting.Counts()
        for script in self.options['scripts']:
            code, out, err = context.run([context.python, script], self.limit_seconds,
                                         context.environment('asan'))
            if code is None:
                counts.add(failed(script, code, out, err))
            else:
                counts.add(counting.tap_program(script, out, code, err))
        return counts


class FuzzSuite(Suite):
    """Each libFuzzer program, as tests/lib/fuzzing.py says; one case a target."""

    def present(self, context):
        return bool(glob.glob('tests/fuzz/fuzz_*.c'))

    def count(self, context):
        counts = counting.Counts()
        try:
            seconds = fuzzing.explore_seconds(os.environ)
        except fuzzing.FuzzError as error:
            counts.failures.append(counting.Failure(str(error)))
            return counts
        for source in sorted(glob.glob('tests/fuzz/fuzz_*.c')):
            name = os.path.basename(source)[len('fuzz_'):-len('.c')]
            failure = self.failure_of(name, seconds, context)
            if failure:
                counts.failures.append(failure)
            else:
                counts.passed += 1
        return counts

    def failure_of(self, name, seconds, context):
        program = os.path.join('build', 'fuzz', 'tests', 'fuzz', f'fuzz_{name}')
        if not os.path.exists(program):
            return counting.Failure(f'{name}: no program; add a row for it to tests/fuzz/meson.build')
        try:
            command = fuzzing.command(program, name, seconds)
        except fuzzing.FuzzError as error:
            return counting.Failure(str(error))
        limit = (fuzzing.GUARD_SECONDS if seconds is None else seconds) + 60
        code, _, err = context.run(command, limit, fuzzing.environment(context.environment('fuzz')))
        if code == 0:
            short = None if seconds else fuzzing.shortfall(name, err)
            return counting.Failure(f'fuzz_{name} {short}') if short else None
        how = 'ran out of time' if code is None else f'ended with exit status {code}'
        return counting.Failure(f'fuzz_{name} {how}', fuzzing.report(err, program))


def failed(what, code, out, err):
    counts = counting.Counts()
    how = 'ran out of time' if code is None else f'ended with exit status {code}'
    counts.failures.append(counting.Failure(f'{what} {how}', out[-4000:] + err[-8000:]))
    return counts


def run_suite(suite, context):
    result = Result(suite.name)
    if suite.build:
        build = subprocess.run([os.path.join(context.root, 'tools', 'build'), suite.build],
                               stdin=subprocess.DEVNULL, text=True, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, check=False, errors='replace')
        if build.returncode:
            result.failures.append(counting.Failure(f'build {suite.build}', build.stdout[-8000:]))
            return result
    start = time.monotonic()
    result.add(suite.count(context))
    result.seconds = time.monotonic() - start
    return result


SUITES = (
    TapSuite('tools', 'short', 'the checks of tools/ and the runner, on good and bad input',
             command=['tools/selftest'], limit_seconds=120),
    MesonSuite('unit', 'short', 'C units, ASan and UBSan', 'asan', 600),
    MesonSuite('golden', 'short', 'translations and diagnostics against files', 'asan', 300, only='golden'),
    ScriptSuite('sdk-types', 'short', 'what is sent to providers against the types of their SDKs',
                scripts=['tests/golden/check_anthropic.py', 'tests/golden/check_gemini.py',
                         'tests/golden/check_responses_call.py', 'tests/golden/check_responses.py'],
                limit_seconds=120),
    MesonSuite('fuzz-seeds', 'short', 'the seeds of the fuzz targets, whole and cut', 'asan', 300,
               only='fuzz-seeds'),
    MesonSuite('workers', 'short', 'C units with several threads, TSan', 'tsan', 300, only='workers'),
    PytestSuite('e2e-python', 'short', 'the server and the Python SDKs, ASan and UBSan', 'asan', 900,
                folder='tests/e2e/python', marker='not long'),
    PytestSuite('e2e-workers', 'short', 'the server with several workers, TSan', 'tsan', 420,
                folder='tests/e2e/python', marker='workers'),
    NodeSuite('e2e-node', 'short', 'the server and the Node SDKs, ASan and UBSan', 'asan', 300,
              folder='tests/e2e/node'),
    PytestSuite('e2e-long', 'long', 'the slow end-to-end cases, ASan and UBSan', 'asan', 900,
                folder='tests/e2e/python', marker='long'),
    FuzzSuite('fuzz', 'long', 'libFuzzer, a fixed seed and number of runs; WEIR_FUZZ_SECONDS=N explores', 'fuzz', 1200),
    TapSuite('soak', 'long', 'a load run of a minute: flat memory, no descriptor lost', 'bench',
             command=['tests/bench/soak', '--seconds', '60', '--tap'], limit_seconds=300),
)
