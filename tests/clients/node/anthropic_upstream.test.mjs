// An Anthropic upstream behind the gateway: Anthropic's official client gets what it sent, OpenAI's gets the
// same in its own terms.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { anthropicOf, generations, messageEvents, messageRules, say } from './anthropic.mjs';
import { clientOf, collect, contentOf, startGateway, startUpstream, stopAll } from './sluice.mjs';

const BLOCKS = [
  { type: 'thinking', thinking: 'Well, 世界 😀.', signature: 'EvQBCkYICxgC' },
  { type: 'text', text: 'Hello there, 世界 😀' },
  { type: 'tool_use', id: 'toolu_1', name: 'get_weather', input: { city: 'Oslo' } },
  { type: 'tool_use', id: 'toolu_2', name: 'get_time', input: {} },
];
const LIMIT_MS = 250;

let gateway;
let endless; // an upstream that never ends, in this file, so that it sees when it was left
let left;

before(async () => {
  const upstream = await startUpstream(messageRules(BLOCKS, { stopReason: 'tool_use' }));
  const beginning = messageEvents([{ type: 'text', text: 'on' }]).slice(0, 4);
  endless = createServer((request, response) => {
    left = new Promise((resolve) => response.on('close', () => resolve(performance.now())));
    request.resume().on('end', () => endless.emit('asked'));
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const event of beginning) response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
    const timer = setInterval(() => response.write(`event: ${beginning[3].type}\ndata: ${JSON.stringify(beginning[3])}\n\n`), 20);
    response.on('close', () => clearInterval(timer));
  }).listen(0, '127.0.0.1');
  await once(endless, 'listening');
  gateway = await startGateway(`
upstreams:
  claude: {kind: anthropic, base_url: "${upstream.origin}"}
  endless: {kind: anthropic, base_url: "http://127.0.0.1:${endless.address().port}"}
routes: [{model: endless, to: endless/*}]
default_route: claude/*
`);
});
after(async () => {
  await stopAll();
  endless.closeAllConnections();
  await new Promise((resolve) => endless.close(resolve));
});

const bare = (content) => content.map(({ type, text, thinking, signature, id, name, input }) =>
  JSON.parse(JSON.stringify({ type, text, thinking, signature, id, name, input })));

for (const { name, Client } of generations) {
  describe(`@anthropic-ai/sdk ${name}`, () => {
    const request = { model: 'claude-x', max_tokens: 100, messages: say('hi') };

    test('gets what the upstream sent, whole and streamed', async () => {
      const client = anthropicOf(Client, gateway);
      const whole = await client.messages.create(request);
      assert.deepEqual(bare(whole.content), BLOCKS);
      const streamed = await client.messages.stream(request).finalMessage();
      assert.deepEqual(bare(streamed.content), BLOCKS);
      assert.deepEqual([streamed.stop_reason, streamed.usage.input_tokens, streamed.usage.output_tokens], ['tool_use', 11, 7]);
    });

    test('closes the upstream when it aborts', async () => {
      const stream = anthropicOf(Client, gateway).messages.stream({ ...request, model: 'endless' });
      const ended = assert.rejects(stream.done(), Client.APIUserAbortError);
      await new Promise((resolve) => stream.once('text', resolve));
      const since = performance.now();
      stream.abort();
      await ended;
      const took = (await left) - since;
      assert.ok(took <= LIMIT_MS, `the upstream was left after ${took.toFixed(0)} ms`);
    });

    test('closes the upstream when it leaves the iteration', async () => {
      let since;
      for await (const event of await anthropicOf(Client, gateway).messages.create({ ...request, model: 'endless', stream: true })) {
        if (event.type !== 'content_block_delta') continue;
        since = performance.now();
        break;
      }
      const took = (await left) - since;
      assert.ok(took <= LIMIT_MS, `the upstream was left after ${took.toFixed(0)} ms`);
    });
  });
}

describe('openai', () => {
  const request = { model: 'claude-x', messages: say('hi') };
  const calls = [['toolu_1', 'get_weather', { city: 'Oslo' }], ['toolu_2', 'get_time', {}]];

  test('a whole reply', async () => {
    const { choices: [{ message, finish_reason }], usage } = await clientOf(gateway).chat.completions.create(request);
    assert.deepEqual([message.content, message.reasoning_content, finish_reason], [BLOCKS[1].text, BLOCKS[0].thinking, 'tool_calls']);
    assert.deepEqual(message.tool_calls.map((one) => [one.id, one.function.name, JSON.parse(one.function.arguments)]), calls);
    assert.deepEqual([usage.prompt_tokens, usage.completion_tokens, usage.total_tokens, usage.prompt_tokens_details.cached_tokens], [15, 7, 22, 4]);
  });

  test('a stream', async () => {
    const chunks = await collect(await clientOf(gateway).chat.completions
      .create({ ...request, stream: true, stream_options: { include_usage: true } }));
    assert.equal(contentOf(chunks), BLOCKS[1].text);
    assert.equal(chunks.map((one) => one.choices[0]?.delta.reasoning_content ?? '').join(''), BLOCKS[0].thinking);
    assert.equal(chunks.at(-1).usage.total_tokens, 22);
  });

  test('the stream helper', async () => {
    const reply = await clientOf(gateway).chat.completions.stream(request).finalChatCompletion();
    const [{ message, finish_reason }] = reply.choices;
    assert.deepEqual([message.content, finish_reason], [BLOCKS[1].text, 'tool_calls']);
    assert.deepEqual(message.tool_calls.map((one) => [one.id, one.function.name, JSON.parse(one.function.arguments)]), calls);
  });

  test('aborting closes the upstream', async () => {
    const stream = clientOf(gateway).chat.completions.stream({ ...request, model: 'endless' });
    const ended = assert.rejects(stream.done());
    await new Promise((resolve) => stream.once('content', resolve));
    const since = performance.now();
    stream.abort();
    await ended;
    const took = (await left) - since;
    assert.ok(took <= LIMIT_MS, `the upstream was left after ${took.toFixed(0)} ms`);
  });
});
