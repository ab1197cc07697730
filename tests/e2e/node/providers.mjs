// The providers that translate.test.mjs walks over: what stands between a row and its simulator, and where rows differ.
// The simulators agree on what they say; the constants here are theirs.
import assert from 'node:assert/strict';
import { generateKeyPairSync, randomUUID } from 'node:crypto';

import { UPSTREAM, script } from './rig.mjs';

export const TEXT = 'The dam is low and the river runs over it; what passes is measured, not held.';
export const THOUGHT = 'Let me think about the river.';
export const REFUSAL = 'I cannot help with that.';

// What a simulator says of ['image/png', 8], ...: media type and bytes of each.
export const received = (...media) => `I was sent ${media.map(([kind, size]) => `${kind} of ${size} bytes`).join(', ')}.`;

// A service account that the simulator knows, as litellm_params of a deployment on Vertex AI.
async function vertex(mock) {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' }, privateKeyEncoding: { type: 'pkcs8', format: 'pem' } });
  const email = `${randomUUID().slice(0, 12)}@mock-project.iam.gserviceaccount.com`;
  const answer = await fetch(`http://127.0.0.1:${mock.port}/__mock/google/accounts/${email}?kid=k1`,
    { method: 'PUT', body: publicKey });
  assert.equal(answer.status, 200);
  return { api_key: undefined, vertex_project: 'mock-project', vertex_location: 'europe-west4',
    vertex_credentials: JSON.stringify({ type: 'service_account', project_id: 'mock-project', private_key_id: 'k1',
      private_key: privateKey, client_email: email, client_id: '1', token_uri: `http://127.0.0.1:${mock.port}/google/token` }) };
}

// `prefix` begins the name that a client asks for, and `upstream` is the deployment's model; `model` and `thinker` (reasons when
// asked) stand between the prefix and the script. `target` is a part of the path that the provider sees, `header` carries the
// credential. `member`: where signed reasoning stands, in the message or in its tool calls; null: it is not told.
const claude = { member: 'thinking_blocks', blocked: 'content_filter', overloaded: 529 };
const gemini = { member: 'extra_content', blocked: 'content_filter', overloaded: 503 };
export const PROVIDERS = [
  { name: 'openai', prefix: 'openai/', upstream: 'openai/*', model: 'gpt-4.1', thinker: 'gpt-5.2', base: '/v1',
    target: '/v1/chat/completions', header: 'authorization', member: null, blocked: 'stop', overloaded: 503, unsupported: [] },
  { name: 'anthropic', prefix: 'anthropic/', upstream: 'anthropic/*', model: 'claude-sonnet-4-5', thinker: 'claude-sonnet-4-6',
    base: '', target: '/v1/messages', header: 'x-api-key', ...claude, unsupported: ['logit_bias', 'seed'] },
  { name: 'gemini', prefix: 'gemini/', upstream: 'gemini/*', model: 'gemini-2.5-flash', thinker: 'gemini-3-flash',
    base: '', target: 'enerateContent', header: 'x-goog-api-key', ...gemini, unsupported: ['logit_bias'] },
  { name: 'vertex gemini', prefix: 'vertex_ai/gemini-', upstream: 'vertex_ai/gemini-*', model: '2.5-flash', thinker: '3-flash',
    base: '', target: '/publishers/google/', header: 'authorization', params: vertex, ...gemini, unsupported: ['logit_bias'] },
  { name: 'vertex claude', prefix: 'vertex_ai/claude-', upstream: 'vertex_ai/claude-*', model: 'sonnet-4-5', thinker: 'sonnet-4-6',
    base: '', target: '/publishers/anthropic/', header: 'authorization', params: vertex, ...claude, unsupported: ['logit_bias'] },
];

// The rows of model_list.
export function deployments(mock) {
  return Promise.all(PROVIDERS.map(async (p) => ({ model_name: `${p.prefix}*`, litellm_params: {
    model: p.upstream, api_base: `http://127.0.0.1:${mock.port}${p.base}`, api_key: UPSTREAM,
    ...(p.params ? await p.params(mock) : {}) } })));
}

// [model, mark]: see script() of rig.mjs.
export function ask(p, items = '', model = p.model) {
  const [name, mark] = script(items);
  return [`${p.prefix}${model}-${name.slice('mock/'.length)}`, mark];
}

// The deltas of a stream put together, as an application does it that sends the answer back.
export async function fold(stream) {
  const message = { role: 'assistant', content: null };
  let finish, usage, chunks = 0;
  for await (const chunk of stream) {
    usage = chunk.usage ?? usage;
    chunks += 1;
    const { delta, finish_reason } = chunk.choices[0] ?? { delta: {} };
    finish = finish_reason ?? finish;
    for (const name of ['content', 'reasoning_content', 'refusal'])
      if (delta[name]) message[name] = (message[name] ?? '') + delta[name];
    if (delta.thinking_blocks) message.thinking_blocks = [...(message.thinking_blocks ?? []), ...delta.thinking_blocks];
    if (delta.extra_content) message.extra_content = delta.extra_content;
    for (const { index, ...call } of delta.tool_calls ?? []) {
      message.tool_calls ??= [];
      if (call.id) message.tool_calls[index] = call;
      else message.tool_calls[index].function.arguments += call.function.arguments;
    }
  }
  return { message, finish, usage, chunks };
}
