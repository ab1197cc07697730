// Vercel's AI SDK with its OpenAI provider, whose models speak Responses: text, streams, tool loops and objects over each provider.
// Where the response is stored, it sends references to items instead of the items.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { createOpenAI } from '@ai-sdk/openai';
import { generateObject, generateText, stepCountIs, streamObject, streamText, tool } from 'ai';
import { z } from 'zod';

import { aliases, Guiding, noCanary, script, TEXT, thinkers, THOUGHT, TOOLS } from './guiding.mjs';
import { MASTER } from './rig.mjs';

globalThis.AI_SDK_LOG_WARNINGS = false;

let rig, openai;

before(async () => {
  rig = await Guiding.start();
  openai = createOpenAI({ apiKey: MASTER, baseURL: rig.weir.base });
});
after(() => rig.stop());

function weather(told) {
  return tool({ description: 'The weather of a city', inputSchema: z.object({ city: z.string(), days: z.number() }),
    execute: async ({ city, days }) => {
      told.push(city);
      return `${city}: sunny for ${days}`;
    } });
}

const TWO_CALLS = 'call=get_weather({"city":"Ulm","days":2}),call=get_weather({"city":"Bonn","days":1})';
const asked = (model, items, more = {}) => ({ model: openai.responses(model), headers: script(items)[0], maxRetries: 0, ...more });

for (const { name } of aliases) {
  describe(name, () => {
    test('generateText', async () => {
      const got = await generateText(asked(name, '', { system: 'Be brief.', prompt: 'Hello' }));
      assert.deepEqual([got.text, got.finishReason, got.usage.outputTokens], [TEXT, 'stop', 16]);
      assert.match(got.providerMetadata.openai.responseId, /^resp_/);
    });

    test('streamText', async () => {
      const got = streamText(asked(name, '', { prompt: 'Hello' }));
      const parts = [];
      for await (const part of got.textStream) parts.push(part);
      assert.equal(parts.join(''), TEXT);
      assert.ok(parts.length > 1);
      assert.equal(await got.finishReason, 'stop');
      assert.equal((await got.usage).outputTokens, 16);
    });

    for (const store of [true, false]) {
      test(`a tool loop, ${store ? 'stored: items are referred to' : 'not stored: items are sent'}`, async () => {
        const told = [];
        const got = await generateText(asked(name, TWO_CALLS, { prompt: 'How is it?', tools: { get_weather: weather(told) },
          stopWhen: stepCountIs(5), providerOptions: { openai: { store } } }));
        assert.deepEqual(told, ['Ulm', 'Bonn']);
        assert.equal(got.steps.length, 3);
        assert.match(got.text, new RegExp(`^${TOOLS}.*Bonn: sunny for 1$`));
      });

      test(`a streamed tool loop, ${store ? 'stored' : 'not stored'}`, async () => {
        const told = [];
        const got = streamText(asked(name, TWO_CALLS, { prompt: 'How is it?', tools: { get_weather: weather(told) },
          stopWhen: stepCountIs(5), providerOptions: { openai: { store } } }));
        let text = '';
        for await (const part of got.fullStream) {
          assert.notEqual(part.type, 'error', JSON.stringify(part.error?.message));
          if (part.type === 'text-delta') text += part.text;
        }
        assert.deepEqual(told, ['Ulm', 'Bonn']);
        assert.match(text, new RegExp(`^${TOOLS}.*Bonn: sunny for 1$`));
      });
    }

    test('generateObject and streamObject', async () => {
      const schema = z.object({ name: z.string(), age: z.number() });
      assert.deepEqual((await generateObject(asked(name, '', { schema, prompt: 'Who?' }))).object, { name: 'text', age: 1 });
      const streamed = streamObject(asked(name, '', { schema, prompt: 'Who?' }));
      let last;
      for await (const part of streamed.partialObjectStream) last = part;
      assert.deepEqual(last, { name: 'text', age: 1 });
      assert.deepEqual(await streamed.object, last);
    });

    test('a follow-up by previousResponseId', async () => {
      const first = await generateText(asked(name, '', { prompt: 'One' }));
      const previousResponseId = first.providerMetadata.openai.responseId;
      const second = await generateText(asked(name, '', { prompt: 'Two', providerOptions: { openai: { previousResponseId } } }));
      assert.equal(second.text, TEXT);
    });

    test('errors of the provider', async () => {
      await assert.rejects(generateText(asked(name, 'status=429,header=retry-after:7', { prompt: 'Hello' })), (error) => {
        assert.equal(error.statusCode, 429);
        assert.equal(error.responseHeaders['retry-after'], '7');
        noCanary(JSON.stringify(error.responseHeaders) + error.responseBody);
        return true;
      });
    });
  });
}

for (const { thinker } of thinkers) {
  for (const store of [true, false]) {
    test(`${thinker}: reasoning in a tool loop, ${store ? 'stored' : 'not stored'}`, async () => {
      const told = [];
      const got = await generateText(asked(thinker, 'call=get_weather({"city":"Ulm","days":2})', { prompt: 'How is it?',
        tools: { get_weather: weather(told) }, stopWhen: stepCountIs(5), providerOptions: { openai: {
          store, reasoningEffort: 'low', reasoningSummary: 'auto', forceReasoning: true, include: ['reasoning.encrypted_content'] } } }));
      assert.deepEqual(told, ['Ulm']);
      assert.equal(got.text, `${TOOLS}Ulm: sunny for 2`);
      assert.equal(got.steps[0].reasoningText, THOUGHT);
    });
  }
}
