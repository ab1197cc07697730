// The official Node SDK in front of a provider that speaks another format: what JavaScript sees of a translation.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import OpenAI from 'openai';
import { zodResponseFormat } from 'openai/helpers/zod';
import { z } from 'zod';

import { MASTER, Rig, UPSTREAM, script } from './rig.mjs';

const TEXT = 'The dam is low and the river runs over it; what passes is measured, not held.';
const THOUGHT = 'Let me think about the river.';
const messages = [{ role: 'user', content: 'Hello' }];
const tool = (name, properties = {}) => ({ type: 'function', function: { name, parameters: { type: 'object', properties } } });
const tools = [tool('get_weather', { city: { type: 'string' } }), tool('get_time')];

let rig, client;

before(async () => {
  rig = await Rig.start([['anthropic/*', 'anthropic/*']]);
  client = new OpenAI({ apiKey: MASTER, baseURL: rig.weir.base, maxRetries: 0 });
});
after(() => rig.stop());

// [model, mark]
function claude(items = '', model = 'claude-sonnet-4-5') {
  const [name, mark] = script(items);
  return [`anthropic/${model}-${name.slice('mock/'.length)}`, mark];
}

// The deltas of a stream put together, as an application does it that sends the answer back.
async function fold(stream) {
  const message = { role: 'assistant', content: null };
  let finish, usage;
  for await (const chunk of stream) {
    usage = chunk.usage ?? usage;
    const { delta, finish_reason } = chunk.choices[0] ?? { delta: {} };
    finish = finish_reason ?? finish;
    if (delta.content) message.content = (message.content ?? '') + delta.content;
    if (delta.reasoning_content) message.reasoning_content = (message.reasoning_content ?? '') + delta.reasoning_content;
    if (delta.thinking_blocks) message.thinking_blocks = [...(message.thinking_blocks ?? []), ...delta.thinking_blocks];
    for (const { index, ...call } of delta.tool_calls ?? []) {
      message.tool_calls ??= [];
      if (call.id) message.tool_calls[index] = call;
      else message.tool_calls[index].function.arguments += call.function.arguments;
    }
  }
  return { message, finish, usage };
}

describe('anthropic', () => {
  test('whole, its model and what the provider received', async () => {
    const [model, mark] = claude();
    const { data, response } = await client.chat.completions.create({ model, messages }).withResponse();
    assert.equal(data.choices[0].message.content, TEXT);
    assert.equal(data.model, model);
    assert.equal(response.headers.get('x-weir-fidelity'), 'exact');
    const [seen] = await rig.seen(mark);
    assert.equal(seen.target, '/v1/messages');
    const sent = Object.fromEntries(seen.headers.map(([name, value]) => [name.toLowerCase(), value]));
    assert.equal(sent['x-api-key'], UPSTREAM);
    assert.ok(!('authorization' in sent));
  });

  test('stream with usage', async () => {
    const [model] = claude('cached=100');
    const got = await fold(await client.chat.completions.create({
      model, messages, stream: true, stream_options: { include_usage: true } }));
    assert.deepEqual([got.message.content, got.finish], [TEXT, 'stop']);
    assert.deepEqual([got.usage.completion_tokens, got.usage.prompt_tokens_details.cached_tokens], [16, 100]);
  });

  for (const stream of [false, true]) {
    test(`reasoning, parallel tools and their results, ${stream ? 'stream' : 'whole'}`, async () => {
      const [model] = claude('tools=2,redacted', 'claude-sonnet-4-6');
      const ask = async (list) => {
        const answer = await client.chat.completions.create({ model, messages: list, tools, reasoning_effort: 'low', stream });
        return stream ? fold(answer) : { message: answer.choices[0].message, finish: answer.choices[0].finish_reason };
      };
      const first = await ask(messages);
      assert.equal(first.finish, 'tool_calls');
      assert.equal(first.message.reasoning_content, THOUGHT);
      assert.deepEqual(first.message.thinking_blocks.map((b) => b.type), ['thinking', 'redacted_thinking']);
      assert.deepEqual(first.message.tool_calls.map((c) => [c.function.name, JSON.parse(c.function.arguments)]),
        [['get_weather', { city: 'text' }], ['get_time', {}]]);
      const results = first.message.tool_calls.map((c, i) => ({ role: 'tool', tool_call_id: c.id, content: `r${i}` }));
      const second = await ask([...messages, first.message, ...results]);
      assert.deepEqual([second.message.content, second.finish], ['The tools answered: r0 r1', 'stop']);
    });
  }

  test('structured output, whole and with the stream helper', async () => {
    const shape = zodResponseFormat(z.object({ name: z.string(), age: z.number() }), 'person');
    const [model] = claude();
    const whole = await client.chat.completions.parse({ model, messages, response_format: shape });
    assert.deepEqual(whole.choices[0].message.parsed, { name: 'text', age: 1 });
    const stream = client.chat.completions.stream({ model, messages, response_format: shape });
    assert.deepEqual((await stream.finalChatCompletion()).choices[0].message.parsed, { name: 'text', age: 1 });
  });

  test('an answer with citations, given back as it came', async () => {
    const [model] = claude('citations');
    const answer = await client.chat.completions.create({ model, messages, web_search_options: {} });
    const { message } = answer.choices[0];
    assert.equal(message.annotations[0].url_citation.url, 'https://example.com/river');
    const again = await client.chat.completions.create({ model: claude()[0], messages: [...messages, message, ...messages] });
    assert.equal(again.choices[0].message.content, TEXT);
  });

  test('a refusal', async () => {
    const answer = await client.chat.completions.create({ model: claude('refusal')[0], messages });
    assert.deepEqual([answer.choices[0].finish_reason, answer.choices[0].message.refusal],
      ['content_filter', 'I cannot help with that.']);
  });

  test('a parameter without a place is refused by name', async () => {
    const [model, mark] = claude();
    await assert.rejects(client.chat.completions.create({ model, messages, logit_bias: { 1: 1 } }), (error) => {
      assert.deepEqual([error.status, error.code, error.param], [400, 'unsupported_parameter', 'logit_bias']);
      return true;
    });
    assert.deepEqual(await rig.seen(mark), []);
  });

  for (const [status, seen] of [[401, 502], [404, 404], [429, 429], [529, 503]]) {
    test(`status ${status} is seen as ${seen}`, async () => {
      const [model] = claude(`status=${status},header=retry-after:7`);
      await assert.rejects(client.chat.completions.create({ model, messages }), (error) => {
        assert.equal(error.status, seen);
        assert.ok(!error.message.includes(UPSTREAM));
        if (seen === 429) assert.equal(error.headers.get('retry-after'), '7');
        return true;
      });
    });
  }

  for (const fault of ['cut=1500', 'error-event=3']) {
    test(`a stream with ${fault} throws`, async () => {
      const stream = await client.chat.completions.create({ model: claude(fault)[0], messages, stream: true });
      await assert.rejects(fold(stream));
    });
  }
});
