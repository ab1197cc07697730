"""What is measured, and how: one function a kind of round."""
import json
import os
import shutil
import socket
import subprocess
import time

from servers import (BenchError, LOAD_CORE, MASTER_KEY, PROXY_CORE, find_program, fresh_folder, post,
                     share_priority, spawn, tool, weir_command, weir_program)
from stats import Summary

TICK_NS = 1_000_000_000 // os.sysconf('SC_CLK_TCK')


def cpu_ns(pid):
    """CPU time of all threads of a process so far."""
    total = 0
    for task in os.listdir(f'/proc/{pid}/task'):
        try:
            with open(f'/proc/{pid}/task/{task}/schedstat', encoding='ascii') as file:
                total += int(file.read().split()[0])
        except FileNotFoundError:
            pass                      # the thread has ended since
    return total


def core_busy_ns(core):
    """-> time that a core was busy so far, and of it the time stolen by the host."""
    with open('/proc/stat', encoding='ascii') as file:
        for line in file:
            if line.startswith(f'cpu{core} '):
                user, nice, system, _, _, irq, softirq, steal = map(int, line.split()[1:9])
                return (user + nice + system + irq + softirq + steal) * TICK_NS, steal * TICK_NS
    raise BenchError(f'/proc/stat has no core {core}; the benchmark needs two cores')


class Round:
    """What one server did and cost in some slices of time.
    units: requests or events; pace: units a second; quantiles: of the latency in us, by name;
    foreign: share of the proxies' core that was used by others; together: events that came in one read."""

    def __init__(self, cpu_ns_used, units, pace, foreign, quantiles=None, together=0):
        self.cpu_ns_used, self.units, self.pace, self.foreign = cpu_ns_used, units, pace, foreign
        self.quantiles, self.together = quantiles or {}, together

    @property
    def cpu_us(self):
        return self.cpu_ns_used / self.units / 1000

    @staticmethod
    def merge(slices):
        middle = {q: Summary([s.quantiles[q] for s in slices]).median for q in slices[0].quantiles}
        return Round(sum(s.cpu_ns_used for s in slices), sum(s.units for s in slices),
                     *(sum(getattr(s, name) for s in slices) / len(slices) for name in ('pace', 'foreign')),
                     middle, sum(s.together for s in slices) / len(slices))


class Watch:
    """What else ran on the proxy's core during a round."""

    def __enter__(self):
        self.start, self.busy = time.monotonic_ns(), core_busy_ns(PROXY_CORE)[0]
        return self

    def __exit__(self, *_):
        self.wall = time.monotonic_ns() - self.start
        self.busy = core_busy_ns(PROXY_CORE)[0] - self.busy

    def foreign(self, own_ns):
        return max(0.0, (self.busy - own_ns) / self.wall)


def on_load_core(command, env=None):
    """Runs a program to its end. -> exit status, standard output, standard error."""
    process = subprocess.Popen(['taskset', '-c', str(LOAD_CORE), *command], stdin=subprocess.DEVNULL, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, start_new_session=True)
    share_priority(process.pid)
    try:
        out, err = process.communicate()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    return process.returncode, out, err


def closed_loop(server, call, body, seconds, connections=32):
    """wrk: as many requests as the server takes."""
    port, path = call.port_and_path(server)
    env = dict(os.environ, BENCH_BODY=body, BENCH_KEY=MASTER_KEY)
    script = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'wrk.lua')
    before = cpu_ns(server.pid)
    with Watch() as watch:
        status, out, err = on_load_core([find_program('wrk'), '-t1', f'-c{connections}', f'-d{seconds}s',
                                         '-s', script,
                                         f'http://127.0.0.1:{port}{path}'], env)
    used = cpu_ns(server.pid) - before
    lines = [line[7:] for line in out.splitlines() if line.startswith('RESULT ')]
    if status or not lines:
        raise BenchError(f'wrk failed on {server.name}:\n{out}{err}')
    details = json.loads(lines[0])
    if details['bad_status'] or details['failed'] or not details['completed']:
        raise BenchError(f'{server.name}: of {details["completed"]} requests {details["bad_status"]} were answered '
                         f'with an error status, {details["failed"]} failed')
    return Round(used, details['completed'], details['completed'] / (details['duration_us'] / 1e6),
                 watch.foreign(used))


def load(mode, server, call, body, seconds, **options):
    """tests/bench/load.c -> its results; raises when an answer was missing or not as expected."""
    port, path = call.port_and_path(server)
    command = [tool('load'), mode, '--body', body, '--pid', str(server.pid), '--seconds', str(seconds),
               '--port', str(port), '--path', path,
               '--header', f'Authorization: Bearer {MASTER_KEY}']
    for name, value in options.items():
        command += ['--' + name.replace('_', '-'), str(value)]
    with Watch() as watch:
        status, out, err = on_load_core(command)
    if status:
        raise BenchError(f'load {mode} on {server.name}: answers were missing or wrong: {out}{err}')
    results = json.loads(out)
    results['foreign'] = watch.foreign(results['cpu_ns'])
    return results


def open_loop(server, call, body, seconds, rate, connections=64):
    r = load('rate', server, call, body, seconds, rate=rate, connections=connections, warmup_ms=200)
    return Round(r['cpu_ns'], r['completed'], r['completed'] / (r['window_ns'] / 1e9), r['foreign'],
                 r['latency_us'])


def streams(server, call, body, seconds, connections=64):
    r = load('stream', server, call, body, seconds, connections=connections)
    return Round(r['cpu_ns'], r['events'], r['events'] / (r['window_ns'] / 1e9), r['foreign'],
                 r['first_event_us'], r['events'] / max(1, r['reads_with_events']))


# ---- what is measured once -------------------------------------------------------------------------------

def status_kib(pid, name):
    with open(f'/proc/{pid}/status', encoding='utf-8') as file:
        for line in file:
            if line.startswith(name + ':'):
                return int(line.split()[1])
    raise BenchError(f'/proc/{pid}/status has no {name}')


def rss_anon_kib(pid):
    return status_kib(pid, 'RssAnon')


def held_share(server, body, chunked):
    """The most memory that one request made a fresh server hold, above what it held idle, as a share of its body."""
    idle = status_kib(server.pid, 'VmRSS')
    status, text = post(server, '/v1/chat/completions', body, chunked=chunked)
    if status != 200:
        raise BenchError(f'{server.name} answers {status} to a request of {len(body)} bytes:\n{text[-2000:]}')
    return (status_kib(server.pid, 'VmHWM') - idle) * 1024 / len(body)


def first_answer_ms(folder, limit_seconds=10):
    """From just before the process is made to its first 200, tried every 0.5 ms."""
    command, port = weir_command(None, folder)
    request = b'GET /health/liveliness HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n'
    log_path = os.path.join(folder, 'log')
    start = time.monotonic()
    process = spawn(command, None, log_path)
    try:
        while True:
            try:
                with socket.create_connection(('127.0.0.1', port), timeout=limit_seconds) as s:
                    s.sendall(request)
                    if s.recv(4096).startswith(b'HTTP/1.1 200'):
                        return (time.monotonic() - start) * 1000
            except OSError:
                pass
            if process.poll() is not None or time.monotonic() - start > limit_seconds:
                with open(log_path, encoding='utf-8', errors='replace') as log:
                    raise BenchError('weir does not answer GET /health/liveliness with 200:\n' + log.read()[-2000:])
            time.sleep(0.0005)
    finally:
        process.kill()
        process.wait()


def start_times_ms(count, fresh):
    """fresh: each start finds an empty data directory; else the one that the start before left."""
    times = []
    folder = fresh_folder('weir-start')
    if not fresh:
        first_answer_ms(folder)
    for _ in range(count):
        if fresh:
            folder = fresh_folder('weir-start')
        times.append(first_answer_ms(folder))
    return times


def stripped_bytes():
    path = os.path.join(fresh_folder('stripped'), 'weir')
    shutil.copyfile(weir_program(), path)
    if subprocess.run(['strip', path], check=False).returncode:
        raise BenchError('strip failed')
    return os.path.getsize(path)

