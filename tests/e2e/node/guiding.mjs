// The guiding case: four names behind one Responses API, each of them another format upstream. The gateway passes on `x-mock`,
// so that a client may keep the plain names and still give the simulator its script.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { MASTER, Rig, startMock, startWeir, UPSTREAM } from './rig.mjs';

export const TEXT = 'The dam is low and the river runs over it; what passes is measured, not held.';
export const THOUGHT = 'Let me think about the river.';
export const TOOLS = 'The tools answered: ';
export const REFUSAL = 'I cannot help with that.';

// What differs: the names, a model that reasons, the path upstream.
const gemini = '/v1/projects/p/locations/us-central1/publishers/google/models/gemini-2.5-flash';
export const aliases = [
  { name: 'openai-default', thinker: 'openai-thinker', path: '/v1/responses', native: true },
  { name: 'claude-default', thinker: 'claude-thinker', path: '/v1/messages' },
  { name: 'gemini-default', thinker: 'gemini-thinker', path: `${gemini}:generateContent`,
    streamPath: `${gemini}:streamGenerateContent?alt=sse` },
  { name: 'groq-default', path: '/v1/chat/completions' },
];
export const thinkers = aliases.filter((alias) => alias.thinker);

// A service account that the simulator knows.
async function account(mock) {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' }, privateKeyEncoding: { type: 'pkcs8', format: 'pem' } });
  const email = 'node@mock-project.iam.gserviceaccount.com';
  const known = await fetch(`http://127.0.0.1:${mock.port}/__mock/google/accounts/${email}?kid=kid-node`, { method: 'PUT', body: publicKey });
  assert.equal(known.status, 200);
  return JSON.stringify({ type: 'service_account', project_id: 'p', private_key_id: 'kid-node', private_key: privateKey,
    client_email: email, client_id: '1', token_uri: `http://127.0.0.1:${mock.port}/google/token` });
}

export class Guiding extends Rig {
  static async start() {
    const rig = new Guiding();
    rig.folder = mkdtempSync(join(tmpdir(), 'weir-e2e-'));
    rig.mock = await startMock(rig.folder);
    const root = `http://127.0.0.1:${rig.mock.port}`;
    const key = { api_key: UPSTREAM };
    const vertex = { vertex_project: 'p', vertex_location: 'us-central1', vertex_credentials: await account(rig.mock) };
    const row = (model_name, model, api_base, more) => ({ model_name, litellm_params: { model, api_base, ...more } });
    rig.weir = await startWeir(rig.folder, [
      row('openai-default', 'openai/gpt-4.1', rig.mock.base, key),
      row('openai-thinker', 'openai/gpt-5.2', rig.mock.base, key),
      row('claude-default', 'anthropic/claude-sonnet-4-5', root, key),
      row('claude-thinker', 'anthropic/claude-sonnet-4-6', root, key),
      row('gemini-default', 'vertex_ai/gemini-2.5-flash', root, vertex),
      row('gemini-thinker', 'vertex_ai/gemini-3-flash', root, vertex),
      row('groq-default', 'groq/llama-3.3-70b-versatile', rig.mock.base, key),
    ], { forward_client_headers_to_llm_api: true });
    return rig;
  }

  async one(mark) {
    const rows = await this.seen(mark);
    assert.equal(rows.length, 1, `requests with ${mark}: ${JSON.stringify(rows.map((row) => row.target))}`);
    return { ...rows[0], body: Buffer.from(rows[0].body_base64, 'base64').toString() };
  }

  async stop() {
    await this.weir.stop();
    await this.mock.stop();
    rmSync(this.folder, { recursive: true });
  }
}

export function noCanary(text) {
  for (const canary of [MASTER, UPSTREAM, 'ya29.mock-']) assert.ok(!text.includes(canary), 'a credential is shown');
}

let marks = 0;

// [headers, mark]: the simulator's script as a header, and a text by which its requests are found.
export function script(items = '') {
  const mark = `guiding-${process.pid}-${++marks}-end`;
  return [{ 'x-mock': `${items}${items && ','}key=${mark}` }, mark];
}

// The same for one request, whose invoice is found too.
export function billed(items = '') {
  const [headers, mark] = script(items);
  return [{ ...headers, 'x-litellm-call-id': mark }, mark];
}
