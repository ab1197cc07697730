// The official Node SDK in front of each provider: what JavaScript sees of chat completions, whatever the provider speaks.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import OpenAI from 'openai';
import { zodResponseFormat } from 'openai/helpers/zod';
import { z } from 'zod';

import { PROVIDERS, REFUSAL, TEXT, THOUGHT, ask, deployments, fold, received } from './providers.mjs';
import { MASTER, Rig, UPSTREAM } from './rig.mjs';

const messages = [{ role: 'user', content: 'Hello' }];
const tool = (name, properties = {}) => ({ type: 'function', function: { name, parameters: { type: 'object', properties } } });
const tools = [tool('get_weather', { city: { type: 'string' } }), tool('get_time')];
const PNG = { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } };
const PDF = { type: 'file', file: { filename: 'river.pdf', file_data: 'data:application/pdf;base64,JVBERi0xLjQ=' } };
const KINDS = [['whole', false], ['stream', true]];

let rig, client;

before(async () => {
  rig = await Rig.start(deployments);
  client = new OpenAI({ apiKey: MASTER, baseURL: rig.weir.base, maxRetries: 0 });
});
after(() => rig.stop());

// One answer, whole or from a stream: { message, finish, usage }.
async function turn(stream, body) {
  const answer = await client.chat.completions.create(
    { messages, ...body, stream, ...(stream ? { stream_options: { include_usage: true } } : {}) });
  if (stream) return fold(answer);
  return { message: answer.choices[0].message, finish: answer.choices[0].finish_reason, usage: answer.usage };
}

const results = (message) => message.tool_calls.map((c, i) => ({ role: 'tool', tool_call_id: c.id, content: `r${i}` }));
const calls = (message) => message.tool_calls.map((c) => [c.function.name, JSON.parse(c.function.arguments)]);

function refused(promise, status, check = () => {}) {
  return assert.rejects(promise, (error) => {
    assert.equal(error.status, status, error.message);
    assert.ok(!error.message.includes(UPSTREAM));
    check(error);
    return true;
  });
}

for (const p of PROVIDERS) {
  describe(p.name, () => {
    test('what the provider receives', async () => {
      const [model, mark] = ask(p);
      const { data, response } = await client.chat.completions.create({ model, messages }).withResponse();
      assert.equal(data.choices[0].message.content, TEXT);
      assert.equal(data.model, model);
      assert.equal(response.headers.get('x-weir-fidelity'), 'exact');
      const [seen] = await rig.seen(mark);
      assert.ok(decodeURIComponent(seen.target).includes(p.target), seen.target);
      const sent = Object.fromEntries(seen.headers.map(([name, value]) => [name.toLowerCase(), value]));
      assert.ok(sent[p.header] && !sent[p.header].includes(MASTER));
      assert.ok(p.header === 'authorization' || !('authorization' in sent));
    });

    for (const [kind, stream] of KINDS) {
      test(`text, ${kind}`, async () => {
        const got = await turn(stream, { model: ask(p)[0] });
        assert.deepEqual([got.message.content, got.finish], [TEXT, 'stop']);
        assert.equal(got.usage.completion_tokens, 16);
        assert.equal(got.usage.total_tokens, got.usage.prompt_tokens + 16);
        assert.ok(!stream || got.chunks > 10);
      });

      test(`the output limit, ${kind}`, async () => {
        const got = await turn(stream, { model: ask(p)[0], max_tokens: 3 });
        assert.deepEqual([got.message.content, got.finish], ['The dam is', 'length']);
      });

      test(`a tool and its result, ${kind}`, async () => {
        const model = ask(p)[0];
        const first = await turn(stream, { model, tools });
        assert.equal(first.finish, 'tool_calls');
        assert.deepEqual(calls(first.message), [['get_weather', { city: 'text' }]]);
        const second = await turn(stream, { model, tools, messages: [...messages, first.message, ...results(first.message)] });
        assert.deepEqual([second.message.content, second.finish], ['The tools answered: r0', 'stop']);
      });

      test(`parallel tools and their results, ${kind}`, async () => {
        const model = ask(p, 'tools=3')[0];
        const first = await turn(stream, { model, tools });
        assert.deepEqual(calls(first.message), [['get_weather', { city: 'text' }], ['get_time', {}], ['get_weather', { city: 'text' }]]);
        assert.equal(new Set(first.message.tool_calls.map((c) => c.id)).size, 3);
        const second = await turn(stream, { model, tools, messages: [...messages, first.message, ...results(first.message)] });
        assert.equal(second.message.content, 'The tools answered: r0 r1 r2');
        const one = await turn(stream, { model, tools, parallel_tool_calls: false }).catch((error) => error);
        if (one.status) assert.deepEqual([one.status, one.param], [400, 'parallel_tool_calls']);
        else assert.equal(one.message.tool_calls.length, 1);
      });

      test(`a scripted conversation of two tool turns, ${kind}`, async () => {
        const model = ask(p, 'call=get_time(),call=get_weather({"city":"Oslo, (N)"})+get_time()')[0];
        const list = [...messages];
        for (const wanted of [[['get_time', {}]], [['get_weather', { city: 'Oslo, (N)' }], ['get_time', {}]]]) {
          const { message } = await turn(stream, { model, tools, messages: list });
          assert.deepEqual(calls(message), wanted);
          list.push(message, ...results(message));
        }
        assert.equal((await turn(stream, { model, tools, messages: list })).message.content, 'The tools answered: r0 r1');
      });

      test(`reasoning goes back with the results, ${kind}`, async () => {
        const body = { model: ask(p, 'tools=2', p.thinker)[0], tools, reasoning_effort: 'low' };
        const { message } = await turn(stream, body);
        if (p.member) {
          assert.equal(message.reasoning_content, THOUGHT);
          assert.ok((message[p.member] ?? message.tool_calls[0][p.member]), JSON.stringify(message));
        }
        const again = await turn(stream, { ...body, messages: [...messages, message, ...results(message)] });
        assert.deepEqual([again.message.content, again.finish], ['The tools answered: r0 r1', 'stop']);
      });

      test(`an image and a PDF, ${kind}`, async () => {
        const content = [{ type: 'text', text: 'Look' }, PNG, PDF];
        const got = await turn(stream, { model: ask(p)[0], messages: [{ role: 'user', content }] });
        assert.equal(got.message.content, received(['image/png', 8], ['application/pdf', 8]));
      });

      test(`a refusal, ${kind}`, async () => {
        const got = await turn(stream, { model: ask(p, 'refusal')[0] });
        assert.deepEqual([got.message.refusal, got.finish, got.message.content ?? ''], [REFUSAL, p.blocked, '']);
      });

      for (const [status, seen] of [[400, 400], [401, 502], [404, 404], [429, 429], [p.overloaded, 503]]) {
        test(`status ${status} is seen as ${seen}, ${kind}`, () => refused(
          turn(stream, { model: ask(p, `status=${status},header=retry-after:7`)[0] }), seen, (error) => {
            if (seen === 429) assert.equal(error.headers.get('retry-after'), '7');
          }));
      }
    }

    test('structured output, whole and with the stream helper', async () => {
      const shape = zodResponseFormat(z.object({ name: z.string(), age: z.number() }), 'person');
      const model = ask(p)[0];
      const whole = await client.chat.completions.parse({ model, messages, response_format: shape });
      assert.deepEqual(whole.choices[0].message.parsed, { name: 'text', age: 1 });
      const stream = client.chat.completions.stream({ model, messages, response_format: shape });
      assert.deepEqual((await stream.finalChatCompletion()).choices[0].message.parsed, { name: 'text', age: 1 });
    });

    test('the SDK runs the tools', async () => {
      const runner = client.chat.completions.runTools({ model: ask(p)[0], messages, tools: [{ type: 'function', function: {
        name: 'get_weather', parameters: { type: 'object', properties: { city: { type: 'string' } } },
        parse: JSON.parse, function: ({ city }) => `sunny in ${city}` } }] });
      assert.equal(await runner.finalContent(), 'The tools answered: sunny in text');
    });

    for (const name of p.unsupported) {
      test(`${name} has no place and is refused`, async () => {
        const [model, mark] = ask(p);
        await refused(turn(false, { model, [name]: name === 'seed' ? 7 : { 1: 1 } }), 400, (error) => {
          assert.deepEqual([error.code, error.param], ['unsupported_parameter', name]);
        });
        assert.deepEqual(await rig.seen(mark), []);
      });
    }

    for (const fault of ['cut=1500', 'reset=1500', 'error-event=3']) {
      test(`a stream with ${fault} throws after what had come`, async () => {
        const stream = await client.chat.completions.create({ model: ask(p, `tokens=40,${fault}`)[0], messages, stream: true });
        let text = '';
        await assert.rejects((async () => {
          for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
        })());
        assert.ok(text.startsWith('The dam'), text);
      });
    }

    test('a stream that the client leaves is left upstream too', async () => {
      const [model, mark] = ask(p, 'tokens=4000,interval_us=5000');
      const stream = await client.chat.completions.create({ model, messages, stream: true });
      for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break;
      assert.equal((await rig.invoice(mark)).outcome, 'client left');
    });
  });
}

describe('anthropic alone', () => {
  const p = PROVIDERS.find(({ name }) => name === 'anthropic');

  test('cached tokens', async () => {
    const got = await turn(true, { model: ask(p, 'cached=100')[0] });
    assert.equal(got.usage.prompt_tokens_details.cached_tokens, 100);
  });

  for (const [kind, stream] of KINDS) {
    test(`reasoning that nobody may read, ${kind}`, async () => {
      const body = { model: ask(p, 'tools=2,redacted', p.thinker)[0], tools, reasoning_effort: 'low' };
      const { message } = await turn(stream, body);
      assert.deepEqual(message.thinking_blocks.map((b) => b.type), ['thinking', 'redacted_thinking']);
      const again = await turn(stream, { ...body, messages: [...messages, message, ...results(message)] });
      assert.equal(again.message.content, 'The tools answered: r0 r1');
    });
  }

  test('an answer with citations, given back as it came', async () => {
    const answer = await client.chat.completions.create({ model: ask(p, 'citations')[0], messages, web_search_options: {} });
    const { message } = answer.choices[0];
    assert.equal(message.annotations[0].url_citation.url, 'https://example.com/river');
    const again = await client.chat.completions.create({ model: ask(p)[0], messages: [...messages, message, ...messages] });
    assert.equal(again.choices[0].message.content, TEXT);
  });
});
