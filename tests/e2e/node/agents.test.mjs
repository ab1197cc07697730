// OpenAI's Agents SDK for JavaScript against the Responses API: a tool loop and a handoff over each provider.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { Agent, OpenAIProvider, Runner, tool } from '@openai/agents';
import OpenAI from 'openai';
import { z } from 'zod';

import { aliases, Guiding, script, TEXT, thinkers, THOUGHT, TOOLS } from './guiding.mjs';
import { MASTER } from './rig.mjs';

let rig, runner;

before(async () => {
  rig = await Guiding.start();
  const openAIClient = new OpenAI({ apiKey: MASTER, baseURL: rig.weir.base, maxRetries: 0 });
  runner = new Runner({ modelProvider: new OpenAIProvider({ openAIClient, useResponses: true }), tracingDisabled: true });
});
after(() => rig.stop());

function weather(told) {
  return tool({ name: 'get_weather', description: 'The weather of a city', parameters: z.object({ city: z.string(), days: z.number() }),
    execute: ({ city, days }) => {
      told.push(city);
      return `${city}: sunny for ${days}`;
    } });
}

const settings = (items, more = {}) => ({ ...more, providerData: { extra_headers: script(items)[0] } });

async function run(agent, text, stream) {
  if (!stream) return runner.run(agent, text);
  const result = await runner.run(agent, text, { stream: true });
  for await (const event of result) assert.ok(event.type);
  await result.completed;
  return result;
}

for (const { name: model } of aliases) {
  describe(model, () => {
    for (const stream of [false, true]) {
      const how = stream ? 'stream' : 'whole';

      test(`plain, ${how}`, async () => {
        assert.equal((await run(new Agent({ name: 'Clerk', instructions: 'Be brief.', model }), 'Hello', stream)).finalOutput, TEXT);
      });

      test(`a tool loop, ${how}`, async () => {
        const told = [];
        const agent = new Agent({ name: 'Clerk', instructions: 'Use the tools.', model, tools: [weather(told)],
          modelSettings: settings('call=get_weather({"city":"Ulm","days":2}),call=get_weather({"city":"Bonn","days":1})') });
        const result = await run(agent, 'How is it?', stream);
        assert.deepEqual(told, ['Ulm', 'Bonn']);
        assert.match(result.finalOutput, new RegExp(`^${TOOLS}.*Bonn: sunny for 1$`));
      });

      test(`a handoff, ${how}`, async () => {
        const told = [];
        const modelSettings = settings('call=transfer_to_Meteorologist({}),call=get_weather({"city":"Ulm","days":2})');
        const expert = new Agent({ name: 'Meteorologist', instructions: 'You know.', model, tools: [weather(told)], modelSettings });
        const clerk = new Agent({ name: 'Clerk', instructions: 'Hand over.', model, handoffs: [expert], modelSettings });
        const result = await run(clerk, 'How is it?', stream);
        assert.equal(result.lastAgent.name, 'Meteorologist');
        assert.deepEqual(told, ['Ulm']);
        assert.match(result.finalOutput, /Ulm: sunny for 2$/);
      });
    }

    test('a structured result', async () => {
      const agent = new Agent({ name: 'Clerk', instructions: 'Who?', model, outputType: z.object({ name: z.string(), age: z.number() }) });
      assert.deepEqual((await runner.run(agent, 'Who?')).finalOutput, { name: 'text', age: 1 });
    });
  });
}

for (const { thinker: model } of thinkers) {
  test(`${model}: reasoning goes round`, async () => {
    const told = [];
    const agent = new Agent({ name: 'Clerk', instructions: 'Use the tools.', model, tools: [weather(told)],
      modelSettings: settings('call=get_weather({"city":"Ulm","days":2})', { store: false, reasoning: { effort: 'low', summary: 'auto' } }) });
    agent.modelSettings.providerData.include = ['reasoning.encrypted_content'];
    const result = await runner.run(agent, 'How is it?');
    assert.deepEqual(told, ['Ulm']);
    assert.equal(result.finalOutput, `${TOOLS}Ulm: sunny for 2`);
    const item = result.newItems.find((made) => made.type === 'reasoning_item').rawItem;
    assert.equal(item.content.map((part) => part.text).join(''), THOUGHT);
  });
}
