// The simulator and weir as processes, for the suites of this folder. Programs come from WEIR_BIN and MOCK_BIN; each is
// stopped by its own id, must end with status 0, and its log must hold neither a sanitizer's report nor a credential.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const MASTER = 'sk-canary-master-77e0b5a1c9d3f426';
export const UPSTREAM = 'sk-canary-upstream-1b8d60f7e2a4c935';
const REPORTS = /ERROR: (Address|Leak)Sanitizer|WARNING: ThreadSanitizer|runtime error:|Assertion .* failed/;

export async function waitFor(what, seconds = 20) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const value = await what();
    if (value) return value;
    if (Date.now() > end) throw new Error(`waited ${seconds} s in vain for ${what}`);
    await sleep(10);
  }
}

class Server {
  constructor(folder, name, variable, options) {
    const program = process.env[variable];
    assert.ok(program, `${variable} must hold the path of the program`);
    this.path = join(folder, `${name}.log`);
    const log = openSync(this.path, 'w');
    const env = Object.fromEntries(Object.entries(process.env).filter(
      ([key]) => !/^(LITELLM_|OPENAI_|(https?|all|no)_proxy$)/i.test(key)));
    this.process = spawn(program, options, { stdio: ['ignore', log, log], env, cwd: folder });
    this.ended = new Promise((resolve) => this.process.once('exit', (code, signal) => resolve(code ?? signal)));
    closeSync(log);
  }

  log() {
    return readFileSync(this.path, 'utf8');
  }

  async listening(pattern) {
    const match = await waitFor(() => {
      assert.equal(this.process.exitCode, null, this.log());
      return this.log().match(pattern);
    });
    this.port = Number(match[1]);
    this.base = `http://127.0.0.1:${this.port}/v1`;
    return this;
  }

  async stop() {
    this.process.kill('SIGTERM');
    const timer = setTimeout(() => this.process.kill('SIGKILL'), 40000);
    const status = await this.ended;
    clearTimeout(timer);
    const log = this.log();
    assert.doesNotMatch(log, REPORTS);
    assert.equal(status, 0, log.slice(-3000));
    assert.ok(!log.includes(MASTER) && !log.includes(UPSTREAM), 'a credential stands in the log');
  }
}

export function startMock(folder) {
  return new Server(folder, 'mock', 'MOCK_BIN', ['--port', '0', '--key', UPSTREAM]).listening(/^listening on (\d+)/m);
}

// weir with these deployments, on a port of its own; its files are kept in `folder`.
export function startWeir(folder, model_list, general_settings = {}) {
  const config = join(folder, 'config.yaml');
  writeFileSync(config, JSON.stringify({
    model_list,
    general_settings: { master_key: MASTER, ...general_settings },
    router_settings: { num_retries: 0 },
    weir_settings: { drain_timeout: 5 },
  }));
  return new Server(folder, 'weir', 'WEIR_BIN',
    ['--config', config, '--host', '127.0.0.1', '--port', '0', '--data', join(folder, 'data')])
    .listening(/listening on https?:\/\/[^ ]*:(\d+)/);
}

export class Rig {
  // `more`: rows of model_list beside the ones below; a function of the simulator.
  static async start(more = async () => []) {
    const rig = new Rig();
    rig.folder = mkdtempSync(join(tmpdir(), 'weir-e2e-'));
    rig.mock = await startMock(rig.folder);
    const deployment = (model_name, model) => ({
      model_name, litellm_params: { model, api_base: rig.mock.base, api_key: UPSTREAM } });
    rig.weir = await startWeir(rig.folder, [deployment('mock/*', 'openai/*'), deployment('gpt-4.1', 'openai/gpt-4.1'),
      deployment('text-embedding-3-small', 'openai/text-embedding-3-small'),
      deployment('gpt-3.5-turbo-instruct', 'openai/gpt-3.5-turbo-instruct'),
      ...await more(rig.mock)]);
    return rig;
  }

  async get(path) {
    return (await fetch(`http://127.0.0.1:${this.mock.port}${path}`)).json();
  }

  seen(mark) {
    return this.get(`/__mock/requests?grep=${mark}`);
  }

  async invoice(mark) {
    return (await waitFor(async () => {
      const rows = await this.get(`/__mock/invoices?grep=${mark}`);
      return rows.length && rows;
    })).at(-1);
  }

  async stop() {
    await this.weir.stop();
    await this.mock.stop();
    rmSync(this.folder, { recursive: true });
  }
}

let marks = 0;

// [model, mark]: a model name that gives the simulator its script, and a text by which its requests are found.
export function script(items = '') {
  const mark = `node-${process.pid}-${++marks}-end`;
  return [`mock/mock:${items}${items && ','}key=${mark}`, mark];
}
