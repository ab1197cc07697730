"""The programs of a measurement: how they are made, started on their core, and ended."""
import contextlib
import fcntl
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
HERE = os.path.join(ROOT, 'tests', 'bench')
WORK = os.path.join(ROOT, 'build', 'bench-run')
MASTER_KEY = 'sk-bench-4f1c9a7e2d5b8036'
PROXY_CORE, LOAD_CORE = 0, 1


class BenchError(Exception):
    """Something that makes a measurement impossible; the text says what to do."""


class Server:
    """A running program. `ports` by name; gateway: it is weir, with the paths and models of one; the process ends with
    stop()."""

    def __init__(self, name, process, log_path, gateway=False, **ports):
        self.name, self.process, self.log_path, self.ports = name, process, log_path, ports
        self.gateway = gateway

    @property
    def pid(self):
        return self.process.pid

    def log(self):
        with open(self.log_path, encoding='utf-8', errors='replace') as file:
            return file.read()[-4000:]

    def check_alive(self):
        if self.process.poll() is not None:
            raise BenchError(f'{self.name} ended with status {self.process.returncode}:\n{self.log()}')

    def stop(self, wait_seconds=10):
        """-> exit status; None when it had to be killed."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(wait_seconds)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                return None
        return self.process.returncode


class Servers(contextlib.ExitStack):
    """Starts servers; all of them end with the `with` block, the last started first."""

    def add(self, server):
        self.callback(server.stop)
        return server


def lock_machine():
    """Two benchmarks at once would measure each other. The lock goes with this process."""
    lock = os.open(os.path.join(WORK, 'lock'), os.O_RDWR | os.O_CREAT, 0o600)    # closed in children
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print('bench: another benchmark is running; waiting for its end', file=sys.stderr, flush=True)
        fcntl.flock(lock, fcntl.LOCK_EX)


def prepare():
    """The first call of every program here. Compiles upstream and load into build/bench-run when their sources are newer."""
    # A program that is ended ends the servers that it started, too.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    os.makedirs(WORK, exist_ok=True)
    lock_machine()
    programs = {'upstream': ('upstream.c', 'canned.c', 'io.c'), 'load': ('load.c', 'answer.c', 'hist.c', 'io.c')}
    newest = max(os.path.getmtime(os.path.join(HERE, name)) for name in os.listdir(HERE)
                 if name.endswith(('.c', '.h')))
    for name, sources in programs.items():
        program = os.path.join(WORK, name)
        if os.path.exists(program) and os.path.getmtime(program) > newest:
            continue
        command = [os.environ.get('CC', 'cc'), '-std=gnu17', '-D_GNU_SOURCE', '-O2', '-g', '-Wall', '-Wextra',
                   '-o', program + '.new', *(os.path.join(HERE, s) for s in sources)]
        if subprocess.run(command, check=False).returncode:
            raise BenchError(f'{name} does not compile')
        os.replace(program + '.new', program)


def tool(name):
    return os.path.join(WORK, name)


def find_nginx():
    for path in (os.path.join(ROOT, 'build', 'deps', 'bench', 'usr', 'sbin', 'nginx'), shutil.which('nginx'),
                 '/usr/sbin/nginx'):
        if path and os.access(path, os.X_OK):
            return path
    raise BenchError('there is no nginx; run: tools/deps bench')


def find_program(name):
    path = shutil.which(name)
    if not path:
        raise BenchError(f'there is no {name}; run: tools/deps bench')
    return path


def weir_program():
    """WEIR_BIN, or the newer of what `make build` and `make bench` built: the same options, both."""
    given = os.environ.get('WEIR_BIN')
    paths = [given] if given else [os.path.join(ROOT, 'build', *parts) for parts in (('weir',), ('bench', 'src', 'weir'))]
    built = [path for path in paths if os.access(path, os.X_OK)]
    if not built:
        raise BenchError(f'{paths[0]} is no program; run: make build')
    return max(built, key=os.path.getmtime)


def free_ports(count):
    """Ports that nobody listens on at this moment."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for s in sockets:
            s.bind(('127.0.0.1', 0))
        return [s.getsockname()[1] for s in sockets]
    finally:
        for s in sockets:
            s.close()


def fill(template, path, **values):
    with open(os.path.join(HERE, template), encoding='utf-8') as file:
        text = file.read()
    for name, value in values.items():
        text = text.replace(f'@{name}@', str(value))
    with open(path, 'w', encoding='utf-8') as file:
        file.write(text)


def fresh_folder(*parts):
    path = os.path.join(WORK, *parts)
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path)
    return path


def raise_priority():
    """Other work on the machine disturbs less; without the right to do so it stays as it is."""
    try:
        os.nice(-15)
    except PermissionError:
        pass


def share_priority(pid):
    """A process in a session of its own is weighed against the others as a group (autogroup): the group gets
    the priority that this program has."""
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    try:
        if nice < 0:
            with open(f'/proc/{pid}/autogroup', 'w', encoding='ascii') as file:
                file.write(str(nice))
    except OSError:
        pass                          # a kernel without groups, or no right to


def spawn(command, core, log_path, stdout=None):
    if core is not None:
        command = ['taskset', '-c', str(core), *command]
    env = {key: value for key, value in os.environ.items()
           if not key.upper().startswith(('LITELLM_', 'OPENAI_')) and not key.lower().endswith('_proxy')}
    with open(log_path, 'wb') as log:
        # taskset replaces itself: the process id is the program's.
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout or log, stderr=log, env=env,
                                   cwd=WORK, start_new_session=True)
    share_priority(process.pid)
    return process


def start_upstream(core=LOAD_CORE, **options):
    log_path = os.path.join(WORK, 'upstream.log')
    command = [tool('upstream')]
    for name, value in options.items():
        command += ['--' + name.replace('_', '-'), str(value)]
    process = spawn(command, core, log_path, stdout=subprocess.PIPE)
    line = process.stdout.readline().decode().split()
    if len(line) != 3:
        process.wait()
        raise BenchError('the upstream does not start')
    return Server('upstream', process, log_path, http=int(line[2]), stream=int(line[2]))


def start_nginx(upstream, name='nginx', core=PROXY_CORE, prefix=()):
    folder = fresh_folder(name)
    port, stream_port = free_ports(2)
    fill('nginx.conf', os.path.join(folder, 'nginx.conf'), UPSTREAM=upstream.ports['http'], LISTEN=port,
         LISTEN_STREAM=stream_port)
    command = [*prefix, find_nginx(), '-p', folder + '/', '-c', 'nginx.conf', '-e', 'stderr']
    log_path = os.path.join(folder, 'log')
    server = Server(name, spawn(command, core, log_path), log_path, http=port, stream=stream_port)
    wait_answer(server, 30)
    return server


def weir_command(upstream, folder, access_log=False, workers=1):
    """-> command, port. A fresh configuration; the data directory `folder`/data is kept if it is there."""
    [port] = free_ports(1)
    config = os.path.join(folder, 'config.yaml')
    fill('weir.yaml', config, UPSTREAM=upstream.ports['http'] if upstream else 9, MASTER_KEY=MASTER_KEY,
         ACCESS_LOG='true' if access_log else 'false')
    return [weir_program(), '--config', config, '--host', '127.0.0.1', '--port', str(port), '--workers',
            str(workers), '--data', os.path.join(folder, 'data')], port


def start_weir(upstream, name='weir', access_log=False, workers=1, core=PROXY_CORE, prefix=()):
    folder = fresh_folder(name)
    command, port = weir_command(upstream, folder, access_log, workers)
    log_path = os.path.join(folder, 'log')
    process = spawn([*prefix, *command], core, log_path,
                    stdout=subprocess.DEVNULL if access_log else None)
    server = Server(name, process, log_path, gateway=True, http=port, stream=port)
    wait_answer(server, 60 if prefix else 10)
    return server


def wait_answer(server, limit_seconds):
    """Waits for the server to answer anything at all."""
    end = time.monotonic() + limit_seconds
    while True:
        server.check_alive()
        try:
            connection = http.client.HTTPConnection('127.0.0.1', server.ports['http'], timeout=limit_seconds)
            connection.request('GET', '/health/liveliness')
            connection.getresponse().read()
            connection.close()
            return
        except OSError:
            if time.monotonic() > end:
                server.stop()
                raise BenchError(f'{server.name} does not answer after {limit_seconds} s:\n{server.log()}') from None
            time.sleep(0.01)


def post(server, path, body, port=None, chunked=False):
    """-> status, text. chunked: without a Content-Length."""
    connection = http.client.HTTPConnection('127.0.0.1', port or server.ports['http'], timeout=30)
    try:
        headers = {'Content-Type': 'application/json', 'Authorization': f'Bearer {MASTER_KEY}'}
        if chunked:
            headers['Transfer-Encoding'] = 'chunked'
            body = map(lambda at, whole=body: whole[at:at + 65536], range(0, len(body), 65536))
        connection.request('POST', path, body, headers, encode_chunked=chunked)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors='replace')
    finally:
        connection.close()


WHOLE_SIGNS = ('"choices"', '"content"', '"candidates"', '"output"')
STREAM_ENDS = ('data: [DONE]', 'event: message_stop', '"finishReason"', 'event: response.completed')


def check_call(server, call, body_path):
    """One request read whole: a proxy that refuses it must not be measured."""
    port, path = call.port_and_path(server)
    with open(body_path, encoding='utf-8') as file:
        status, text = post(server, path, file.read().encode(), port)
    if status != 200 or not any(sign in text for sign in (STREAM_ENDS if call.stream else WHOLE_SIGNS)):
        raise BenchError(f'{server.name} answers {status} to the request "{call.name}":\n{text[-2000:]}')
