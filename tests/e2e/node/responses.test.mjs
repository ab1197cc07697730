// The official Node SDK and the Responses API, in front of four providers: natively, and over three other formats.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import OpenAI from 'openai';
import { zodResponsesFunction, zodTextFormat } from 'openai/helpers/zod';
import { z } from 'zod';

import { aliases, billed, Guiding, noCanary, REFUSAL, script, TEXT, THOUGHT, thinkers, TOOLS } from './guiding.mjs';
import { MASTER } from './rig.mjs';

const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==';
const PDF = Buffer.from('%PDF-1.4\n%%EOF\n').toString('base64');
const WEATHER = { type: 'function', name: 'get_weather', strict: true, parameters: { type: 'object',
  properties: { city: { type: 'string' }, days: { type: 'integer' } }, required: ['city', 'days'], additionalProperties: false } };
const TIME = { type: 'function', name: 'get_time', strict: false, parameters: { type: 'object', properties: {} } };
const SHELL = { type: 'custom', name: 'shell' };
const UNKNOWN = `resp_${'0123456789abcdef'.repeat(2)}`;

let rig, client;

before(async () => {
  rig = await Guiding.start();
  client = new OpenAI({ apiKey: MASTER, baseURL: rig.weir.base, maxRetries: 0 });
});
after(() => rig.stop());

// Whole, or a stream folded by the SDK; `items` is the simulator's script.
async function ask(body, stream, items = '') {
  const [headers, mark] = script(items);
  const given = { input: 'Hello', ...body };
  const response = stream ? await client.responses.stream(given, { headers }).finalResponse()
    : await client.responses.create(given, { headers });
  noCanary(JSON.stringify(response));
  return { ...response, mark };
}

// The output as a client sends it back, without what the stream helper of the SDK adds to it.
const items = (response) => response.output.map(({ parsed_arguments, ...item }) => item);
const calls = (response) => response.output.filter((item) => item.type.endsWith('_call'));
const answers = (response, ...results) => calls(response).map((call, i) => ({
  type: `${call.type}_output`, call_id: call.call_id, output: results[i] }));
const user = (...content) => [{ role: 'user', content }];

async function rejected(promise, status, more = {}) {
  await assert.rejects(promise, (error) => {
    assert.equal(error.status, status, String(error));
    noCanary(error.message + JSON.stringify(error.error ?? {}) + JSON.stringify(Object.fromEntries(error.headers)));
    for (const [name, value] of Object.entries(more)) assert.equal(error[name], value, `${name} of ${error.message}`);
    return true;
  });
}

for (const alias of aliases) {
  const model = alias.name;
  describe(model, () => {
    test('whole: its text, ids, usage, headers, and where it went', async () => {
      const [headers, mark] = billed();
      const { data, response } = await client.responses.create({ model, input: 'Hello' }, { headers }).withResponse();
      assert.deepEqual([data.output_text, data.status, data.model, data.object], [TEXT, 'completed', model, 'response']);
      assert.match(data.id, /^resp_/);
      assert.match(data.output[0].id, /^msg_/);
      assert.equal(response.headers.get('x-weir-fidelity'), 'exact');
      const invoice = await rig.invoice(mark);
      assert.deepEqual([data.usage.input_tokens, data.usage.output_tokens], [invoice.prompt_tokens, 16]);
      assert.equal((await rig.one(mark)).target, alias.path);
    });

    test('stream: every event in its order', async () => {
      const [headers, mark] = script();
      const kinds = [];
      let text = '', last;
      for await (const event of await client.responses.create({ model, input: 'Hello', stream: true }, { headers })) {
        assert.equal(event.sequence_number, kinds.length);
        kinds.push(event.type);
        if (event.type === 'response.output_text.delta') text += event.delta;
        last = event;
      }
      assert.equal(text, TEXT);
      assert.deepEqual(kinds.filter((kind, i) => kind !== kinds[i - 1]), ['response.created', 'response.in_progress',
        'response.output_item.added', 'response.content_part.added', 'response.output_text.delta', 'response.output_text.done',
        'response.content_part.done', 'response.output_item.done', 'response.completed']);
      assert.equal(last.response.model, model);
      assert.equal(last.response.output[0].content[0].text, TEXT);
      assert.equal((await rig.one(mark)).target, alias.streamPath ?? alias.path);
    });

    for (const stream of [false, true]) {
      const how = stream ? 'stream' : 'whole';

      test(`a tool loop, items resent, ${how}`, async () => {
        const first = await ask({ model, tools: [WEATHER], input: 'How is it?' }, stream);
        assert.deepEqual(calls(first).map((c) => [c.name, JSON.parse(c.arguments)]), [['get_weather', { city: 'text', days: 1 }]]);
        const second = await ask({ model, tools: [WEATHER],
          input: [...user({ type: 'input_text', text: 'How is it?' }), ...items(first), ...answers(first, 'sunny')] }, stream);
        assert.equal(second.output_text, `${TOOLS}sunny`);
      });

      test(`parallel calls, answered by naming the response, ${how}`, async () => {
        const tools = [WEATHER, TIME];
        const first = await ask({ model, tools }, stream, 'tools=2');
        assert.deepEqual(calls(first).map((c) => c.name), ['get_weather', 'get_time']);
        const second = await ask({ model, tools, previous_response_id: first.id, input: answers(first, 'r0', 'r1') }, stream);
        assert.equal(second.output_text, `${TOOLS}r0 r1`);
        assert.equal(second.previous_response_id, first.id);
      });

      test(`a custom tool, ${how}`, async () => {
        const first = await ask({ model, tools: [SHELL] }, stream, 'call=shell(echo "dam" && ls)');
        assert.deepEqual(calls(first).map((c) => [c.type, c.name, c.input]), [['custom_tool_call', 'shell', 'echo "dam" && ls']]);
        const second = await ask({ model, tools: [SHELL], previous_response_id: first.id, input: answers(first, 'a b') }, stream);
        assert.equal(second.output_text, `${TOOLS}a b`);
      });

      test(`three turns by previous_response_id, ${how}`, async () => {
        const first = await ask({ model, input: 'One' }, stream);
        const second = await ask({ model, input: 'Two', previous_response_id: first.id }, stream);
        const third = await ask({ model, input: 'Three', previous_response_id: second.id }, stream);
        assert.equal(third.output_text, TEXT);
        const { body } = await rig.one(third.mark);
        if (alias.native) assert.equal(JSON.parse(body).previous_response_id, second.id);
        else assert.ok(body.indexOf('"One"') > 0 && body.indexOf('"One"') < body.indexOf('"Two"') && body.indexOf('"Two"') < body.indexOf('"Three"'));
      });

      test(`an image and a file, ${how}`, async () => {
        const got = await ask({ model, input: user({ type: 'input_image', image_url: `data:image/png;base64,${PIXEL}`, detail: 'auto' },
          { type: 'input_file', filename: 'a.pdf', file_data: `data:application/pdf;base64,${PDF}` }) }, stream);
        assert.equal(got.output_text, 'I was sent image/png of 70 bytes, application/pdf of 15 bytes.');
      });

      test(`a refusal, ${how}`, async () => {
        const got = await ask({ model }, stream, 'refusal');
        assert.deepEqual(got.output.at(-1).content.map((p) => [p.type, p.refusal]), [['refusal', REFUSAL]]);
      });

      test(`too long, ${how}`, async () => {
        const got = await ask({ model, max_output_tokens: 20 }, stream, 'tokens=40');
        assert.deepEqual([got.status, got.incomplete_details, got.usage.output_tokens], ['incomplete', { reason: 'max_output_tokens' }, 20]);
      });
    }

    test('structured output, whole and with the stream helper', async () => {
      const text = { format: zodTextFormat(z.object({ name: z.string(), age: z.number() }), 'person') };
      const whole = await client.responses.parse({ model, input: 'Who?', text });
      assert.deepEqual(whole.output_parsed, { name: 'text', age: 1 });
      const stream = client.responses.stream({ model, input: 'Who?', text });
      assert.deepEqual((await stream.finalResponse()).output_parsed, { name: 'text', age: 1 });
    });

    test('a tool of a Zod schema, its arguments parsed', async () => {
      const tool = zodResponsesFunction({ name: 'get_weather', parameters: z.object({ city: z.string() }) });
      const got = await client.responses.parse({ model, input: 'How?', tools: [tool] });
      assert.deepEqual(got.output.at(-1).parsed_arguments, { city: 'text' });
    });

    test('retrieve, input items page by page, delete', async () => {
      const input = ['a', 'b', 'c', 'd', 'e'].map((text) => ({ role: 'user', content: text }));
      const made = await client.responses.create({ model, input, metadata: { k: 'v' } });
      assert.deepEqual(await client.responses.retrieve(made.id), made);
      const texts = [];
      for await (const item of client.responses.inputItems.list(made.id, { limit: 2, order: 'asc' })) texts.push(item.content[0].text);
      assert.deepEqual(texts, ['a', 'b', 'c', 'd', 'e']);
      await client.responses.delete(made.id);
      await rejected(client.responses.retrieve(made.id), 404);
      await rejected(client.responses.create({ model, input: 'x', previous_response_id: made.id }), 404, {
        code: 'previous_response_not_found', param: 'previous_response_id' });
    });

    for (const [status, seen] of [[401, 502], [429, 429], [500, 500]]) {
      test(`status ${status} is seen as ${seen}`, async () => {
        for (const stream of [false, true]) {
          const [headers] = script(`status=${status},header=retry-after:7,echo-auth`);
          await rejected(client.responses.create({ model, input: 'Hello', stream }, { headers }), seen);
        }
      });
    }

    test('a bad member is named', async () => {
      await rejected(client.responses.create({ model, input: [{ role: 'user', content: [{ type: 'input_text' }] }] }), 400, {
        type: 'invalid_request_error', param: 'input[0].content[0].text' });
    });

    for (const fault of ['cut=1500', 'error-event=3']) {
      test(`a stream with ${fault} throws`, async () => {
        const [headers] = script(fault);
        await assert.rejects(async () => {
          for await (const event of await client.responses.create({ model, input: 'Hello', stream: true }, { headers })) noCanary(event.type);
        });
      });
    }

    test('a stream that the client leaves', async () => {
      const [headers, mark] = billed('tokens=4000,tps=200');
      const stream = await client.responses.create({ model, input: 'Hello', stream: true, max_output_tokens: 4096 }, { headers });
      for await (const event of stream) if (event.type === 'response.output_text.delta') break;
      assert.equal((await rig.invoice(mark)).outcome, 'client left');
    });
  });
}

for (const { thinker: model } of thinkers) {
  for (const stream of [false, true]) {
    test(`${model}: reasoning, kept by the client, ${stream ? 'stream' : 'whole'}`, async () => {
      const asked = { model, store: false, include: ['reasoning.encrypted_content'], reasoning: { effort: 'low', summary: 'auto' }, tools: [WEATHER, TIME] };
      const first = await ask({ ...asked, input: 'How is it?' }, stream, 'tools=2');
      const [reasoning] = first.output;
      assert.equal(reasoning.type, 'reasoning');
      assert.equal(reasoning.summary.map((part) => part.text).join(''), THOUGHT);
      assert.ok(first.output.some((item) => item.encrypted_content));
      const second = await ask({ ...asked, input: [...user({ type: 'input_text', text: 'How is it?' }), ...items(first),
        ...answers(first, 'r0', 'r1')] }, stream);
      assert.equal(second.output_text, `${TOOLS}r0 r1`);
    });
  }
}

test('unknown ids and keys', async () => {
  const { responses } = client;
  for (const call of [() => responses.retrieve(UNKNOWN), () => responses.delete(UNKNOWN), () => responses.cancel(UNKNOWN),
    () => responses.inputItems.list(UNKNOWN)]) await rejected(call(), 404);
  const stranger = new OpenAI({ apiKey: 'sk-wrong', baseURL: rig.weir.base, maxRetries: 0 });
  await rejected(stranger.responses.create({ model: 'openai-default', input: 'Hello' }), 401);
  await rejected(stranger.responses.retrieve(UNKNOWN), 401);
});
