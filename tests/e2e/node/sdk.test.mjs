// The official Node SDK against weir: an application keeps it and changes baseURL.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import OpenAI, { AzureOpenAI } from 'openai';
import { zodFunction, zodResponseFormat } from 'openai/helpers/zod';
import { z } from 'zod';

import { MASTER, Rig, script } from './rig.mjs';

const TEXT = 'The dam is low and the river runs over it; what passes is measured, not held.';
const messages = [{ role: 'user', content: 'Hello' }];
const WEATHER = { type: 'function', function: { name: 'get_weather', parameters: {
  type: 'object', properties: { city: { type: 'string' }, days: { type: 'integer' } }, required: ['city', 'days'] } } };
const TIME = { type: 'function', function: { name: 'get_time', parameters: { type: 'object', properties: {} } } };

let rig, client;

before(async () => {
  rig = await Rig.start();
  client = new OpenAI({ apiKey: MASTER, baseURL: rig.weir.base, maxRetries: 0 });
});
after(() => rig.stop());

async function textOf(stream) {
  let text = '';
  for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
  return text;
}

describe('chat', () => {
  for (const path of ['/v1', '/', '']) {
    test(`with the base path '${path}'`, async () => {
      const other = new OpenAI({ apiKey: MASTER, baseURL: `http://127.0.0.1:${rig.weir.port}${path}`, maxRetries: 0 });
      const answer = await other.chat.completions.create({ model: 'gpt-4.1', messages });
      assert.equal(answer.choices[0].message.content, TEXT);
      assert.equal(answer.model, 'gpt-4.1');
      assert.equal(await textOf(await other.chat.completions.create({ model: 'gpt-4.1', messages, stream: true })), TEXT);
    });
  }

  test('usage, headers, and what the provider received', async () => {
    const [model, mark] = script('tokens=5');
    const { data, response } = await client.chat.completions.create({ model, messages, seed: 7, user: 'u' }).withResponse();
    assert.deepEqual([data.usage.prompt_tokens, data.usage.completion_tokens, data.usage.total_tokens], [4, 5, 9]);
    assert.equal(response.headers.get('x-litellm-model-group'), 'mock/*');
    assert.equal(response.headers.get('x-weir-fidelity'), 'exact');
    assert.ok(response.headers.get('x-litellm-call-id'));
    const [seen] = await rig.seen(mark);
    assert.deepEqual(JSON.parse(seen.body), { model: model.slice('mock/'.length), messages, seed: 7, user: 'u' });
    const invoice = await rig.invoice(mark);
    assert.deepEqual([invoice.prompt_tokens, invoice.completion_tokens, invoice.outcome], [4, 5, 'complete']);
  });

  test('n, max_tokens, logprobs, stop', async () => {
    const answer = await client.chat.completions.create({
      model: 'gpt-4.1', messages, n: 2, max_tokens: 3, logprobs: true });
    assert.deepEqual(answer.choices.map((c) => c.message.content), ['The dam is', 'The dam is']);
    assert.deepEqual(answer.choices.map((c) => c.finish_reason), ['length', 'length']);
    assert.equal(answer.choices[1].logprobs.content.length, 3);
    const stopped = await client.chat.completions.create({ model: 'gpt-4.1', messages, stop: [' river'] });
    assert.equal(stopped.choices[0].message.content, 'The dam is low and the');
  });

  test('32 streams at once', async () => {
    const all = await Promise.all(Array.from({ length: 32 }, async (_, i) => {
      const [model] = script(`interval_us=2000,text=stream_${i}_of_many`);
      return textOf(await client.chat.completions.create({ model, messages, stream: true }));
    }));
    assert.deepEqual(all, Array.from({ length: 32 }, (_, i) => `stream ${i} of many`));
  });
});

describe('streams', () => {
  test('no usage unless it was asked for', async () => {
    for await (const chunk of await client.chat.completions.create({ model: 'gpt-4.1', messages, stream: true })) {
      assert.ok(!('usage' in chunk) && chunk.choices.length === 1);
      assert.equal(chunk.model, 'gpt-4.1');
    }
    const chunks = [];
    for await (const chunk of await client.chat.completions.create({
      model: 'gpt-4.1', messages, stream: true, stream_options: { include_usage: true } })) chunks.push(chunk);
    assert.equal(chunks.at(-1).usage.completion_tokens, 16);
    assert.ok(chunks.slice(0, -1).every((chunk) => chunk.usage === null));
  });

  test('the stream helper', async () => {
    const stream = client.chat.completions.stream({ model: 'gpt-4.1', messages });
    const deltas = [];
    stream.on('content', (delta) => deltas.push(delta));
    assert.equal((await stream.finalChatCompletion()).choices[0].message.content, TEXT);
    assert.equal(deltas.join(''), TEXT);
  });

  for (const items of ['dribble=1', 'crlf', 'comments', 'done=none', 'norole', 'usage=finish', 'obfuscate', 'framing=close']) {
    test(`a provider that streams with ${items}`, async () => {
      const [model] = script(items);
      assert.equal(await textOf(await client.chat.completions.create({ model, messages, stream: true })), TEXT);
    });
  }

  test('an error behind content', async () => {
    const [model] = script('error-event=3,interval_us=3000');
    let text = '';
    await assert.rejects(async () => {
      for await (const chunk of await client.chat.completions.create({ model, messages, stream: true }))
        text += chunk.choices[0]?.delta.content ?? '';
    }, OpenAI.APIError);
    assert.equal(text, 'The dam is');
  });

  test('a cut behind content is an error, never an end', async () => {
    for (const how of ['cut', 'reset', 'end', 'badchunk', 'garbage']) {
      const [model] = script(`${how}=1800,interval_us=3000`);
      let text = '';
      await assert.rejects(async () => {
        for await (const chunk of await client.chat.completions.create({ model, messages, stream: true }))
          text += chunk.choices[0]?.delta.content ?? '';
      }, OpenAI.APIError, how);
      assert.ok(text && TEXT.startsWith(text), how);
    }
  });

  test('abort: the provider sees the client leave', async () => {
    const [model, mark] = script('tokens=500,interval_us=20000');
    const stream = await client.chat.completions.create({ model, messages, stream: true });
    let n = 0;
    for await (const chunk of stream) if (chunk && ++n === 4) break;
    stream.controller.abort();
    const start = Date.now();
    assert.equal((await rig.invoice(mark)).outcome, 'client left');
    assert.ok(Date.now() - start < 8000);
  });

  test('abort with a signal, before the answer', async () => {
    const [model, mark] = script('latency=20000');
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 200);
    await assert.rejects(client.chat.completions.create({ model, messages }, { signal: controller.signal }),
      OpenAI.APIUserAbortError);
    const start = Date.now();
    assert.equal((await rig.invoice(mark)).outcome, 'client left');
    assert.ok(Date.now() - start < 8000);
  });
});

describe('tools', () => {
  test('a call, its result, the answer', async () => {
    const first = await client.chat.completions.create({ model: 'gpt-4.1', messages, tools: [WEATHER] });
    const { message, finish_reason } = first.choices[0];
    assert.equal(finish_reason, 'tool_calls');
    assert.equal(message.content, null);
    assert.deepEqual(JSON.parse(message.tool_calls[0].function.arguments), { city: 'text', days: 1 });
    const second = await client.chat.completions.create({ model: 'gpt-4.1', tools: [WEATHER], messages: [
      ...messages, message, { role: 'tool', tool_call_id: message.tool_calls[0].id, content: 'rain' }] });
    assert.equal(second.choices[0].message.content, 'The tools answered: rain');
  });

  test('parallel calls, whole and streamed', async () => {
    const [model] = script('tools=2');
    const names = (calls) => calls.map((call) => call.function.name);
    const whole = await client.chat.completions.create({ model, messages, tools: [WEATHER, TIME] });
    assert.deepEqual(names(whole.choices[0].message.tool_calls), ['get_weather', 'get_time']);
    const one = await client.chat.completions.create({ model, messages, tools: [WEATHER, TIME], parallel_tool_calls: false });
    assert.equal(one.choices[0].message.tool_calls.length, 1);
    const final = await client.chat.completions.stream({ model, messages, tools: [WEATHER, TIME] }).finalChatCompletion();
    const calls = final.choices[0].message.tool_calls;
    assert.deepEqual(names(calls), ['get_weather', 'get_time']);
    assert.deepEqual(calls.map((call) => JSON.parse(call.function.arguments)), [{ city: 'text', days: 1 }, {}]);
  });

  for (const stream of [false, true]) {
    test(`runTools, stream: ${stream}`, async () => {
      const asked = [];
      const runner = client.chat.completions.runTools({ model: 'gpt-4.1', messages, stream, tools: [{
        type: 'function', function: {
          name: 'get_weather', parameters: WEATHER.function.parameters, parse: JSON.parse,
          function: (given) => { asked.push(given); return 'sunny'; } } }] });
      assert.equal(await runner.finalContent(), 'The tools answered: sunny');
      assert.deepEqual(asked, [{ city: 'text', days: 1 }]);
    });
  }

  test('zodFunction', async () => {
    const tool = zodFunction({ name: 'lookup', parameters: z.object({ id: z.number().int(), kind: z.enum(['a', 'b']) }) });
    const answer = await client.chat.completions.parse({ model: 'gpt-4.1', messages, tools: [tool] });
    assert.deepEqual(answer.choices[0].message.tool_calls[0].function.parsed_arguments, { id: 1, kind: 'a' });
  });
});

describe('the rest', () => {
  test('structured output', async () => {
    const Person = z.object({ name: z.string(), age: z.number().int(), tags: z.array(z.string()), note: z.string().nullable() });
    const answer = await client.chat.completions.parse({
      model: 'gpt-4.1', messages, response_format: zodResponseFormat(Person, 'person') });
    assert.equal(answer.choices[0].message.parsed.name, 'text');
    assert.equal(answer.choices[0].message.parsed.age, 1);
  });

  test('an image', async () => {
    const [model, mark] = script();
    const content = [{ type: 'text', text: 'What?' },
      { type: 'image_url', image_url: { url: `data:image/png;base64,${Buffer.alloc(300000, 7).toString('base64')}` } }];
    const answer = await client.chat.completions.create({ model, messages: [{ role: 'user', content }] });
    assert.equal(answer.usage.prompt_tokens, 3 + 1 + 85);
    const [seen] = await rig.seen(mark);
    assert.deepEqual(JSON.parse(seen.body).messages[0].content, content);
  });

  test('embeddings', async () => {
    const model = 'text-embedding-3-small';
    const answer = await client.embeddings.create({ model, input: ['a', 'b c'] });
    assert.deepEqual(answer.data.map((row) => row.embedding.length), [16, 16]);
    assert.deepEqual(answer.data[0].embedding.slice(0, 2), [-0.78125, -0.4921875]);
    const floats = await client.embeddings.create({ model, input: 'a', encoding_format: 'float', dimensions: 2 });
    assert.deepEqual(floats.data[0].embedding, [-0.78125, -0.4921875]);
  });

  test('legacy completions', async () => {
    const answer = await client.completions.create({ model: 'gpt-3.5-turbo-instruct', prompt: 'x', max_tokens: 3 });
    assert.equal(answer.choices[0].text, 'The dam is');
    let text = '';
    for await (const chunk of await client.completions.create({
      model: 'gpt-3.5-turbo-instruct', prompt: 'x', max_tokens: 4, stream: true })) text += chunk.choices[0].text;
    assert.equal(text, 'The dam is low');
  });

  test('models', async () => {
    const ids = [];
    for await (const model of client.models.list()) ids.push(model.id);
    assert.ok(ids.includes('gpt-4.1') && ids.includes('text-embedding-3-small'));
    assert.equal((await client.models.retrieve('gpt-4.1')).id, 'gpt-4.1');
  });

  test('the Azure client', async () => {
    const azure = new AzureOpenAI({ endpoint: `http://127.0.0.1:${rig.weir.port}`, apiKey: MASTER,
      apiVersion: '2024-10-21', deployment: 'gpt-4.1', maxRetries: 0 });
    const answer = await azure.chat.completions.create({ model: 'ignored', messages });
    assert.equal(answer.choices[0].message.content, TEXT);
    assert.equal(await textOf(await azure.chat.completions.create({ model: 'ignored', messages, stream: true })), TEXT);
  });
});

describe('errors', () => {
  const classes = [[400, OpenAI.BadRequestError], [403, OpenAI.PermissionDeniedError], [404, OpenAI.NotFoundError],
    [409, OpenAI.ConflictError], [422, OpenAI.UnprocessableEntityError], [429, OpenAI.RateLimitError],
    [500, OpenAI.InternalServerError], [503, OpenAI.InternalServerError]];
  for (const [status, kind] of classes) {
    test(`status ${status}`, async () => {
      const [model] = script(`status=${status}`);
      for (const stream of [false, true]) {
        await assert.rejects(client.chat.completions.create({ model, messages, stream }), (error) => {
          assert.ok(error instanceof kind, error);
          assert.equal(error.status, status);
          assert.equal(typeof error.code, 'string');
          return true;
        });
      }
    });
  }

  test('a wrong key, an unknown model, no messages', async () => {
    const stranger = new OpenAI({ apiKey: 'sk-of-a-stranger-0000', baseURL: rig.weir.base, maxRetries: 0 });
    await assert.rejects(stranger.chat.completions.create({ model: 'gpt-4.1', messages }), OpenAI.AuthenticationError);
    await assert.rejects(client.chat.completions.create({ model: 'no-such', messages }),
      (error) => error instanceof OpenAI.BadRequestError && error.param === 'model');
    await assert.rejects(client.chat.completions.create({ model: 'gpt-4.1', messages: [] }),
      (error) => error instanceof OpenAI.BadRequestError && error.param === 'messages');
  });

  test('the retries of the SDK', async () => {
    const [model, mark] = script('status=503,times=2,header=retry-after-ms:5');
    const patient = new OpenAI({ apiKey: MASTER, baseURL: rig.weir.base, maxRetries: 2 });
    const answer = await patient.chat.completions.create({ model, messages });
    assert.equal(answer.choices[0].message.content, TEXT);
    assert.equal((await rig.seen(mark)).length, 3);
  });

  test('timeouts: of the SDK, and of weir by header', async () => {
    const [model] = script('latency=20000');
    await assert.rejects(client.chat.completions.create({ model, messages }, { timeout: 300 }), OpenAI.APIConnectionTimeoutError);
    await assert.rejects(client.chat.completions.create({ model, messages }, { headers: { 'x-litellm-timeout': '0.3' } }),
      (error) => error.status === 408 && error.type === 'timeout_error');
  });
});
