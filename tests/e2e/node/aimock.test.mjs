// A foreign simulator as the provider: aimock builds OpenAI's, Anthropic's and Gemini's answers from its own reading of their
// documents, so that weir's and the suite's own are not the only ones.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';

import { LLMock } from '@copilotkit/aimock';
import OpenAI from 'openai';

import { MASTER, startWeir, UPSTREAM } from './rig.mjs';

const TEXT = 'Water finds the lowest crest, and the gauge above it tells how much has passed.';
const THOUGHT = 'They ask about weirs.';
const WEATHER = { type: 'function', function: { name: 'get_weather', description: 'The weather of a city', parameters: {
  type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } } };
const TIME = { type: 'function', function: { name: 'get_time', parameters: { type: 'object', properties: {} } } };
const tools = [WEATHER, TIME];
const CALLS = [['get_weather', { city: 'Ulm' }], ['get_time', {}]];
const ask = (content) => [{ role: 'system', content: 'Be brief.' }, { role: 'user', content }];

// What differs: the deployment, where it posts to, the header of its key, the names of the usage members.
const providers = [
  { name: 'openai', model: 'openai/gpt-4.1', base: '/v1', header: 'authorization',
    whole: '/v1/chat/completions', streamed: '/v1/chat/completions', usage: ['prompt_tokens', 'completion_tokens'] },
  { name: 'anthropic', model: 'anthropic/claude-sonnet-4-5', base: '', header: 'x-api-key',
    whole: '/v1/messages', streamed: '/v1/messages', usage: ['input_tokens', 'output_tokens'] },
  { name: 'gemini', model: 'gemini/gemini-2.5-flash', base: '', header: 'x-goog-api-key',
    whole: '/v1beta/models/gemini-2.5-flash:generateContent',
    streamed: '/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse',
    usage: ['promptTokenCount', 'candidatesTokenCount'] },
];

let aimock, folder, weir, client;

function script(provider) {
  const model = provider.model.split('/')[1];
  const usage = { [provider.usage[0]]: 11, [provider.usage[1]]: 17 };
  const on = (match, response, options) => aimock.on({ model, ...match }, response, options);
  on({ userMessage: 'cut me' }, { content: TEXT, usage }, { chunkSize: 8, truncateAfterChunks: 3 });
  on({ userMessage: 'slowly' }, { content: TEXT, usage }, { chunkSize: 3, latency: 2 });
  on({ userMessage: 'think' }, { content: TEXT, reasoning: THOUGHT, usage });
  on({ userMessage: 'too long' }, { content: TEXT.slice(0, 11), finishReason: 'length', usage });
  on({ userMessage: 'weather', hasToolResult: false },
    { content: 'I look.', toolCalls: CALLS.map(([name, given]) => ({ name, arguments: JSON.stringify(given) })), usage });
  on({ userMessage: 'weather', hasToolResult: true }, { content: 'It rains at noon.', usage });
  on({ userMessage: 'hello' }, { content: TEXT, usage });
}

before(async () => {
  aimock = await LLMock.create({ host: '127.0.0.1', port: 0, auth: { apiKeys: [UPSTREAM] } });
  providers.forEach(script);
  folder = mkdtempSync(join(tmpdir(), 'weir-e2e-'));
  const deployment = (model_name, { model, base }, api_key) => ({
    model_name, litellm_params: { model, api_base: aimock.baseUrl + base, api_key } });
  weir = await startWeir(folder, providers.flatMap((provider) => [
    deployment(provider.name, provider, UPSTREAM), deployment(`${provider.name}-locked`, provider, 'not-the-key')]));
  client = new OpenAI({ apiKey: MASTER, baseURL: weir.base, maxRetries: 0 });
});
after(async () => {
  try {
    await weir?.stop();
  } finally {
    await aimock.stop();        // it would keep the process alive
    rmSync(folder, { recursive: true });
  }
});
afterEach(() => aimock.clearRequests());

// What a stream says, put together by hand, so that the SDK's own folding is not what is tested.
async function fold(stream) {
  const all = { text: '', calls: [], finish: [], usage: null, ids: new Set(), models: new Set(), chunks: 0, reasoning: '' };
  for await (const chunk of stream) {
    all.ids.add(chunk.id);
    all.models.add(chunk.model);
    all.chunks++;
    all.usage = chunk.usage ?? all.usage;
    for (const { delta, finish_reason } of chunk.choices) {
      all.text += delta.content ?? '';
      all.reasoning += delta.reasoning_content ?? '';
      if (finish_reason) all.finish.push(finish_reason);
      for (const { index, id, function: f } of delta.tool_calls ?? []) {
        all.calls[index] ??= { id, name: f.name, arguments: '' };
        all.calls[index].arguments += f.arguments ?? '';
      }
    }
  }
  return all;
}

const usageOf = (usage) => [usage.prompt_tokens, usage.completion_tokens, usage.total_tokens];
const callsOf = (calls) => calls.map((call) => [call.function.name, JSON.parse(call.function.arguments)]);

for (const provider of providers) {
  const model = provider.name;

  describe(model, () => {
    test('plain', async () => {
      const { data, response } = await client.chat.completions.create({ model, messages: ask('hello') }).withResponse();
      const [{ message, finish_reason }] = data.choices;
      assert.deepEqual([message.role, message.content, finish_reason], ['assistant', TEXT, 'stop']);
      assert.deepEqual([data.object, data.model, usageOf(data.usage)], ['chat.completion', model, [11, 17, 28]]);
      assert.equal(response.headers.get('x-weir-fidelity'), 'exact');
      const [seen] = aimock.getRequests();
      assert.equal(aimock.getRequests().length, 1);
      assert.equal(seen.path, provider.whole);
      const sent = ['authorization', 'x-api-key', 'x-goog-api-key', 'api-key'].filter((name) => name in seen.headers);
      assert.deepEqual(sent, [provider.header]);
    });

    test('stream', async () => {
      const all = await fold(await client.chat.completions.create({
        model, messages: ask('slowly'), stream: true, stream_options: { include_usage: true } }));
      assert.deepEqual([all.text, all.finish, usageOf(all.usage)], [TEXT, ['stop'], [11, 17, 28]]);
      assert.deepEqual([all.ids.size, [...all.models]], [1, [model]]);
      assert.ok(all.chunks > 10, `${all.chunks} chunks`);
      assert.equal(aimock.getLastRequest().path, provider.streamed);
    });

    test('tools: a turn with two calls, their results, the answer', async () => {
      const messages = ask('weather');
      const first = (await client.chat.completions.create({ model, messages, tools })).choices[0];
      assert.equal(first.finish_reason, 'tool_calls');
      assert.equal(first.message.content, 'I look.');
      assert.deepEqual(callsOf(first.message.tool_calls), CALLS);
      const ids = first.message.tool_calls.map((call) => call.id);
      assert.equal(new Set(ids).size, 2);
      const results = ids.map((id, i) => ({ role: 'tool', tool_call_id: id, content: `{"result": ${i}}` }));
      const { data: second, response } = await client.chat.completions.create({
        model, tools, messages: [...messages, first.message, ...results] }).withResponse();
      assert.equal(response.headers.get('x-weir-fidelity'), 'exact');     // an answer goes back as it came
      assert.deepEqual([second.choices[0].message.content, second.choices[0].finish_reason], ['It rains at noon.', 'stop']);
    });

    test('tools, streamed', async () => {
      const all = await fold(await client.chat.completions.create({ model, messages: ask('weather'), tools, stream: true }));
      assert.deepEqual(all.calls.map((call) => [call.name, JSON.parse(call.arguments)]), CALLS);
      assert.equal(new Set(all.calls.map((call) => call.id)).size, 2);
      assert.deepEqual([all.text, all.finish, all.usage], ['I look.', ['tool_calls'], null]);
    });

    test('runTools of the SDK', async () => {
      const asked = [];
      const runner = client.chat.completions.runTools({ model, messages: ask('weather'), stream: true, tools: tools.map((tool) => ({
        type: 'function', function: { ...tool.function, parse: JSON.parse,
          function: (given) => { asked.push([tool.function.name, given]); return 'noted'; } } })) });
      assert.equal(await runner.finalContent(), 'It rains at noon.');
      assert.deepEqual(asked, CALLS);
    });

    test('an answer that ran into its limit', async () => {
      const answer = await client.chat.completions.create({ model, messages: ask('too long'), max_tokens: 17 });
      assert.deepEqual([answer.choices[0].message.content, answer.choices[0].finish_reason], [TEXT.slice(0, 11), 'length']);
    });

    test('a stream that is cut is an error, never an end', async () => {
      let text = '';
      await assert.rejects(async () => {
        for await (const chunk of await client.chat.completions.create({ model, messages: ask('cut me'), stream: true }))
          text += chunk.choices[0]?.delta.content ?? '';
      }, OpenAI.APIError);
      assert.ok(text.length < TEXT.length && TEXT.startsWith(text), text);
    });

    test('errors: too many requests, a key that is refused', async () => {
      for (const stream of [false, true]) {
        aimock.nextRequestError(429, { message: 'slow down', type: 'rate_limit_error' });
        await assert.rejects(client.chat.completions.create({ model, messages: ask('hello'), stream }), OpenAI.RateLimitError);
        await assert.rejects(client.chat.completions.create({ model: `${model}-locked`, messages: ask('hello'), stream }),
          (error) => error.status === 502 && error.code === 'upstream_auth');
      }
    });
  });
}

for (const model of ['anthropic', 'gemini']) {
  test(`${model}: reasoning, whole and streamed`, async () => {
    const { message } = (await client.chat.completions.create({ model, messages: ask('think'), reasoning_effort: 'low' })).choices[0];
    assert.deepEqual([message.reasoning_content, message.content], [THOUGHT, TEXT]);
    const all = await fold(await client.chat.completions.create({
      model, messages: ask('think'), reasoning_effort: 'low', stream: true }));
    assert.deepEqual([all.reasoning, all.text], [THOUGHT, TEXT]);
  });
}
