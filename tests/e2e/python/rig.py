"""What the suites stand on: the simulator and weir as processes, and plain HTTP to speak to both.

The paths of the programs come from WEIR_BIN and MOCK_BIN. Every process is stopped by its own id; its whole output is
kept, and must hold neither a sanitizer's report nor a credential.
"""
import base64
import http.client
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import threading
import time
import urllib.parse
import uuid

MASTER = 'sk-canary-master-5d2f8c1b7a9e4036'
UPSTREAM = 'sk-canary-upstream-c41e90b37fd2586a'
CANARIES = (MASTER, UPSTREAM)
REPORTS = re.compile(r'ERROR: (Address|Leak|Memory)Sanitizer|WARNING: ThreadSanitizer|runtime error:|Assertion .* failed')
# Under sanitizers everything is slower; nothing that works waits so long.
PATIENCE = 20


def binary(name):
    path = os.environ.get(name)
    if not path or not os.access(path, os.X_OK):
        raise RuntimeError(f'{name} must hold the path of the program; it is {path!r}')
    return path


def wait_for(what, seconds=PATIENCE, step=0.005):
    """Calls `what` until it returns something true; returns that, or fails."""
    end = time.monotonic() + seconds
    while True:
        value = what()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f'waited {seconds} s in vain for {getattr(what, "__name__", what)}')
        time.sleep(step)


def free_port():
    """A port on which nobody listens, for as long as nobody else asks for one; only for a program that must be told its
    port, and may have to be told another."""
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


HELD = []


def refusing_port():
    """A port that refuses: bound to the end of this process, so that it is nobody else's, and never listened on."""
    HELD.append(socket.socket())
    HELD[-1].bind(('127.0.0.1', 0))
    return HELD[-1].getsockname()[1]


class Stalls:
    """For how long this machine stood still, as a thread sees it that wants to run every few milliseconds."""

    def __init__(self):
        self.over, self.lock = threading.Event(), threading.Lock()
        self.thread = threading.Thread(target=self.watch)
        self.total, self.last = 0.0, time.monotonic()

    def watch(self):
        while not self.over.wait(0.005):
            self.seconds()

    def seconds(self):
        with self.lock:
            now = time.monotonic()
            if now - self.last > 0.05:
                self.total += now - self.last
            self.last = now
            return self.total

    def __enter__(self):
        self.last = time.monotonic()
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.seconds()
        self.over.set()
        self.thread.join()


def unless_stalled(once, spare, tries=30):
    """What a deadline must not do to those who keep up can only be seen while the machine keeps up too. Calls `once`, which
    asserts; it may fail only if the machine stood still for `spare` seconds meanwhile, and is called again then."""
    for _ in range(tries):
        with Stalls() as stalls:
            try:
                return once()
            except AssertionError as error:
                failed = error
        if stalls.total < spare:
            raise AssertionError(f'the machine stood still for {stalls.total:.3f} s only') from failed
    raise AssertionError(f'the machine stood still in each of {tries} tries') from failed


class Process:
    """A server under test, its output in a file."""

    def __init__(self, command, log_path, env=None, cwd=None):
        self.command = command
        self.log_path = log_path
        with open(log_path, 'ab') as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env, cwd=cwd)

    def log(self):
        with open(self.log_path, encoding='utf-8', errors='replace') as file:
            return file.read()

    def wait_log(self, pattern, seconds=PATIENCE):
        def seen():
            match = re.search(pattern, self.log(), re.M)
            if not match and self.process.poll() is not None:
                raise AssertionError(f'{self.command[0]} ended with {self.process.returncode}:\n{self.log()}')
            return match
        return wait_for(seen, seconds)

    def signal(self, number):
        os.kill(self.process.pid, number)

    def wait(self, seconds=PATIENCE):
        return self.process.wait(seconds)

    def stop(self, seconds=40):
        """SIGTERM; the exit status must be 0 and the output clean."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f'did not end within {seconds} s of SIGTERM:\n{self.log()[-3000:]}') from None
        self.check()

    def check(self):
        text = self.log()
        report = REPORTS.search(text)
        assert not report, f'a sanitizer or an assertion reports:\n{text[max(0, report.start() - 200):][:8000]}'
        assert self.process.returncode == 0, f'exit status {self.process.returncode}:\n{text[-3000:]}'
        for canary in CANARIES:
            at = text.find(canary)
            assert at < 0, f'a credential stands in the log: ...{text[max(0, at - 300):at]}<here>'


# -- HTTP

class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    @property
    def error(self):
        return self.json()['error']

    def __repr__(self):
        return f'<{self.status} {self.body[:500]!r}>'


def request(port, method, path, body=None, headers=None, host='127.0.0.1', timeout=PATIENCE, tls=None):
    """One request on a connection of its own. `body`: bytes, or what is sent as JSON."""
    headers = dict(headers or {})
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
    if body is not None and not any(h.lower() == 'content-type' for h in headers):
        headers['Content-Type'] = 'application/json'
    kind = http.client.HTTPSConnection if tls else http.client.HTTPConnection
    connection = kind(host, port, timeout=timeout, **({'context': tls} if tls else {}))
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        try:
            content = answer.read()
        except http.client.IncompleteRead as cut:
            raise AssertionError(f'the answer was cut after {len(cut.partial)} bytes: {cut.partial[-300:]!r}') from cut
        return Answer(answer.status, answer.headers, content)
    finally:
        connection.close()


def raw(port, data, seconds=PATIENCE, until=None):
    """Sends bytes, returns what comes until the peer closes or `until` was seen."""
    with socket.create_connection(('127.0.0.1', port), timeout=seconds) as s:
        s.sendall(data)
        return read_raw(s, until)


def read_raw(s, until=None):
    got = b''
    while until is None or until not in got:
        try:
            part = s.recv(65536)
        except (ConnectionResetError, TimeoutError):
            break
        if not part:
            break
        got += part
    return got


def events(body):
    """The data of each event of a stream; comments are left out."""
    return [line[6:] for line in body.decode().replace('\r\n', '\n').split('\n') if line.startswith('data: ')]


def quoted(name):
    """A model's name in a path."""
    return urllib.parse.quote(name, safe='')


# -- the servers

class Mock(Process):
    def __init__(self, folder, *options, key=UPSTREAM, tls=False):
        command = [binary('MOCK_BIN'), '--port', '0', *options] + (['--key', key] if key else [])
        super().__init__(command, os.path.join(folder, f'mock-{uuid.uuid4().hex[:6]}.log'))
        self.port = int(self.wait_log(r'^listening on (\d+)').group(1))
        self.base = f'http{"s" if tls else ""}://127.0.0.1:{self.port}/v1'
        self.tls = None
        if tls:
            self.tls = ssl.create_default_context()
            self.tls.check_hostname, self.tls.verify_mode = False, ssl.CERT_NONE

    def get(self, path):
        return request(self.port, 'GET', path, tls=self.tls).json()

    def seen(self, grep=''):
        """The requests received with `grep` in head or body, oldest first; `body` as bytes."""
        rows = self.get(f'/__mock/requests?grep={grep}')
        for row in rows:
            row['body'] = base64.b64decode(row.pop('body_base64'))
            row['header'] = {name.lower(): value for name, value in row['headers']}
        return rows

    def one(self, grep):
        rows = self.seen(grep)
        assert len(rows) == 1, f'{len(rows)} requests with {grep}: {rows}'
        return rows[0]

    def invoices(self, grep=''):
        return self.get(f'/__mock/invoices?grep={grep}')

    def wait_invoice(self, grep, seconds=PATIENCE):
        return wait_for(lambda: self.invoices(grep), seconds, 0.02)[-1]

    def stats(self):
        return self.get('/__mock/stats')


class Weir(Process):
    """weir with `config` (written as JSON, which is YAML) or with `path`."""

    def __init__(self, folder, config=None, *options, env=None, path=None, host='127.0.0.1', tls=None):
        self.folder = os.path.join(folder, f'weir-{uuid.uuid4().hex[:6]}')
        os.makedirs(self.folder)
        self.path = path or os.path.join(self.folder, 'config.yaml')
        if config is not None:
            self.write(config)
        self.data = os.path.join(self.folder, 'data')
        self.tls = tls
        command = [binary('WEIR_BIN'), '--config', self.path, '--port', '0', '--data', self.data,
                   *(['--host', host] if host else []), *options]
        super().__init__(command, os.path.join(self.folder, 'log'), env=environment(env), cwd=self.folder)
        self.host, port = self.wait_log(r'listening on https?://([^ ]*):(\d+)').groups()
        self.port = int(port)
        self.base = f'http://127.0.0.1:{self.port}/v1'

    def write(self, config):
        with open(self.path, 'w', encoding='utf-8') as file:
            file.write(config if isinstance(config, str) else json.dumps(config, indent=1))

    def call(self, method, path, body=None, headers=None, key=MASTER, **more):
        headers = dict(headers or {})
        if key and not any(h.lower() == 'authorization' for h in headers):
            headers['Authorization'] = f'Bearer {key}'
        return request(self.port, method, path, body, headers, tls=self.tls, **more)

    def chat(self, model, headers=None, path='/v1/chat/completions', **members):
        body = {'model': model, 'messages': [{'role': 'user', 'content': 'Hello'}], **members}
        return self.call('POST', path, body, headers)


def environment(more=None):
    """That of this process without what would reach into a config, and with `more` (None removes)."""
    env = {name: value for name, value in os.environ.items()
           if not re.match(r'(LITELLM_|OPENAI_|ANTHROPIC_|GEMINI_|GOOGLE_|VERTEX|GCE_|CLOUDSDK_|DATABASE_|CONFIG_FILE)', name)
           and name.lower() not in ('http_proxy', 'https_proxy', 'all_proxy', 'no_proxy')}
    for name, value in (more or {}).items():
        if value is None:
            env.pop(name, None)
        else:
            env[name] = value
    return env


def run_weir(*arguments, env=None, cwd=None, seconds=PATIENCE):
    """A run that ends by itself: (status, stdout, stderr)."""
    done = subprocess.run([binary('WEIR_BIN'), *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                          env=environment(env), cwd=cwd, timeout=seconds, check=False)
    out, err = done.stdout.decode(errors='replace'), done.stderr.decode(errors='replace')
    assert not REPORTS.search(out + err), out + err
    return done.returncode, out, err


# -- configs and models

def deployment(name, model, base, info=None, **params):
    row = {'model_name': name, 'litellm_params': {'model': model, 'api_base': base, 'api_key': UPSTREAM, **params}}
    if info:
        row['model_info'] = info
    return row


def config(rows, **sections):
    """A config with these deployments, the master key, and one attempt per request."""
    made = {'model_list': rows, 'general_settings': {'master_key': MASTER}, 'router_settings': {'num_retries': 0}}
    for name, section in sections.items():
        made[name] = {**made.get(name, {}), **section}
    return made


def script(items=''):
    """(model, mark): a model name that gives the simulator its script, and a text by which its requests are found."""
    mark = uuid.uuid4().hex
    return f'mock/mock:{items}{"," if items else ""}key={mark}', mark
