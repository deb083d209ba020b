// Anthropic's official client, in both generations, before a chat upstream (the embedded model in `sluice
// upstream`, and scripts with DeepSeek's manners).

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { anthropicOf, generations, say } from './anthropic.mjs';
import { startGateway, startUpstream, stopAll } from './sluice.mjs';

const tool = (name, parameter) => ({
  name,
  description: `Does ${name}.`,
  input_schema: { type: 'object', properties: { [parameter]: { type: 'string' } }, required: [parameter] },
});
const TOOLS = [tool('get_weather', 'city'), tool('get_time', 'zone')];
const NAMES = ['claude-a', 'claude-b', 'claude-c', 'claude-d', 'claude-e'];

const chunk = (delta, finish_reason = null, usage = null) => ({
  id: 'up', object: 'chat.completion.chunk', created: 1, model: 'deepseek-real',
  choices: [{ index: 0, delta, finish_reason }], usage,
});
const usage = {
  prompt_tokens: 100, completion_tokens: 9, total_tokens: 109,
  prompt_cache_hit_tokens: 64, prompt_cache_miss_tokens: 36,
};
const call = (index, id, name, text) => chunk({ tool_calls: [{ index, id, type: 'function', function: { name, arguments: text } }] });
const thoughtful = [
  chunk({ role: 'assistant', content: null, reasoning_content: '' }),
  chunk({ content: null, reasoning_content: 'I should ' }), chunk({ content: null, reasoning_content: 'look: 世界 😀' }),
  chunk({ content: 'Let me ' }), chunk({ content: 'see.' }),
  call(0, 'call_00_a', 'get_weather', ''), chunk({ tool_calls: [{ index: 0, function: { arguments: '{"city":"Os' } }] }),
  chunk({ tool_calls: [{ index: 0, function: { arguments: 'lo"}' } }] }),
  call(1, 'call_01_b', 'get_time', '{"zone":"x"}'),
  chunk({ content: '', reasoning_content: null }, 'tool_calls', usage),
];
const dying = [chunk({ role: 'assistant', content: '' }), chunk({ content: 'Half an' })];

let upstream;
let gateway;

before(async () => {
  upstream = await startUpstream([
    { match: { model: 'thoughtful' }, reply: { events: thoughtful } },
    { match: { model: 'dying' }, reply: { events: dying, done: false, then: 'reset' } },
  ]);
  gateway = await startGateway(`
upstreams:
  up: {preset: deepseek, base_url: "${upstream.baseURL}", retry: {max_retries: 0}, breaker: off}
routes:
${NAMES.map((name) => `  - {model: ${name}, to: up/echo}`).join('\n')}
default_route: up/*
`);
});
after(stopAll);

const blocksOf = (message) => message.content.map((block) => block.type);

for (const { name, Client } of generations) {
  describe(`@anthropic-ai/sdk ${name}`, () => {
    const ask = (body, options) =>
      anthropicOf(Client, gateway, options).messages.create({ model: 'echo', max_tokens: 1000, messages: say('Grüße, 世界 😀'), ...body });

    test('a whole message', async () => {
      const { data: message, response } = await anthropicOf(Client, gateway).messages
        .create({ model: 'echo', max_tokens: 1000, messages: say('Grüße, 世界 😀') }).withResponse();
      assert.match(message.content[0].text, /^You said: Grüße, 世界 😀/);
      assert.deepEqual([message.type, message.role, message.stop_reason, message.model], ['message', 'assistant', 'end_turn', 'echo']);
      assert.match(message._request_id ?? response.headers.get('request-id'), /^req_/);
      assert.ok(message.usage.input_tokens > 0 && message.usage.output_tokens > 0);
    });

    test('the events of a stream, and what the helper folds them into', async () => {
      const whole = await ask({});
      const seen = [];
      for await (const event of await ask({ stream: true })) seen.push(event.type);
      assert.equal(seen[0], 'message_start');
      assert.deepEqual(seen.slice(-3), ['content_block_stop', 'message_delta', 'message_stop']);

      const stream = anthropicOf(Client, gateway).messages.stream({ model: 'echo', max_tokens: 1000, messages: say('Grüße, 世界 😀') });
      let heard = '';
      stream.on('text', (text) => { heard += text; });
      const folded = await stream.finalMessage();
      assert.equal(heard, whole.content[0].text);
      assert.deepEqual(folded.content.map(({ type, text }) => ({ type, text })), [{ type: 'text', text: heard }]);
      assert.equal(folded.usage.output_tokens, whole.usage.output_tokens);
    });

    test('thinking, text and parallel tools', async () => {
      const stream = anthropicOf(Client, gateway).messages.stream({
        model: 'thoughtful', max_tokens: 1000, messages: say('How?'), tools: TOOLS, thinking: { type: 'adaptive' },
      });
      const message = await stream.finalMessage();
      assert.deepEqual(blocksOf(message), ['thinking', 'text', 'tool_use', 'tool_use']);
      const [thinking, text, first, second] = message.content;
      assert.equal(thinking.thinking, 'I should look: 世界 😀');
      assert.ok(thinking.signature);
      assert.equal(text.text, 'Let me see.');
      assert.deepEqual([first.id, first.name, first.input], ['call_00_a', 'get_weather', { city: 'Oslo' }]);
      assert.deepEqual([second.id, second.name, second.input], ['call_01_b', 'get_time', { zone: 'x' }]);
      assert.equal(message.stop_reason, 'tool_use');
      const { input_tokens, cache_read_input_tokens, output_tokens } = message.usage;
      assert.deepEqual([input_tokens, cache_read_input_tokens, output_tokens], [36, 64, 9]);
    });

    test('tools are called and their results go back', async () => {
      const asked = { tools: TOOLS, messages: say('Please call get_weather and get_time.') };
      const message = await ask(asked);
      assert.equal(message.stop_reason, 'tool_use');
      const calls = message.content.filter((block) => block.type === 'tool_use');
      assert.deepEqual(calls.map((one) => [one.name, Object.keys(one.input)]), [['get_weather', ['city']], ['get_time', ['zone']]]);
      const results = calls.map((one) => ({ type: 'tool_result', tool_use_id: one.id, content: `answer to ${one.id}` }));
      const messages = [...asked.messages, { role: 'assistant', content: message.content }, { role: 'user', content: results.reverse() }];
      const reply = await ask({ ...asked, messages });
      assert.match(reply.content[0].text, new RegExp(`answer to ${calls[1].id}`));
    });

    test('tokens are counted', async () => {
      const count = async (content) =>
        (await anthropicOf(Client, gateway).messages.countTokens({ model: 'echo', messages: say(content), tools: TOOLS })).input_tokens;
      const short = await count('Hello');
      assert.ok(short > 0);
      assert.ok((await count('Hello, how are you this fine day? '.repeat(100))) > short + 200);
    });

    test('models are listed page by page and found by name', async () => {
      const client = anthropicOf(Client, gateway);
      const ids = [];
      for await (const model of client.models.list({ limit: 2 })) ids.push(model.id);
      assert.deepEqual(NAMES.filter((id) => !ids.includes(id)), []);
      assert.equal(new Set(ids).size, ids.length);
      const found = await client.models.retrieve('claude-c');
      assert.deepEqual([found.type, found.id], ['model', 'claude-c']);
      assert.ok(!Number.isNaN(Date.parse(found.created_at)));
      await assert.rejects(client.models.retrieve('nobody'), Client.NotFoundError);
    });

    test('a stream that breaks raises', async () => {
      await assert.rejects(async () => {
        let text = '';
        for await (const event of await ask({ model: 'dying', stream: true })) text += event.delta?.text ?? '';
        assert.fail(`ended in silence after ${text}`);
      }, (error) => error.name !== 'AssertionError');
      const stream = anthropicOf(Client, gateway).messages.stream({ model: 'dying', max_tokens: 10, messages: say('x') });
      await assert.rejects(stream.finalMessage());
    });

    test('twenty streams at once each get their own answer', async () => {
      await Promise.all(Array.from({ length: 20 }, async (_, i) => {
        const stream = anthropicOf(Client, gateway).messages.stream({ model: 'echo', max_tokens: 1000, messages: say(`number ${i} of 20`) });
        assert.match(await stream.finalText(), new RegExp(`^You said: number ${i} of 20\n`));
      }));
    });
  });
}
