// A client that hangs up must not be paid for: the upstream's connection closes within 250 ms.
// The upstream stands in this file, so that it sees for itself when it was left.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import OpenAI from 'openai';
import { clientOf, say, startGateway, stopAll } from './sluice.mjs';

const LIMIT_MS = 250;

let upstream;
let gateway;
let client;
let left; // resolves with the time when the upstream's current reply was left

before(async () => {
  upstream = createServer((request, response) => {
    left = new Promise((resolve) => response.on('close', () => resolve(performance.now())));
    request.resume().on('end', () => upstream.emit('asked'));
    if (request.headers.accept !== 'text/event-stream') return;
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const chunk = {
      id: 'chatcmpl-endless',
      object: 'chat.completion.chunk',
      created: 1,
      model: 'endless',
      choices: [{ index: 0, delta: { role: 'assistant', content: 'on ' }, finish_reason: null }],
    };
    const timer = setInterval(() => response.write(`data: ${JSON.stringify(chunk)}\n\n`), 20);
    response.on('close', () => clearInterval(timer));
  }).listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  gateway = await startGateway(`
upstreams: {up: {base_url: "http://127.0.0.1:${upstream.address().port}/v1"}}
default_route: up/*
`);
  client = clientOf(gateway);
});
after(async () => {
  await stopAll();
  upstream.closeAllConnections();
  await new Promise((resolve) => upstream.close(resolve));
});

async function assertLeftSoon(since) {
  const took = (await left) - since;
  assert.ok(took <= LIMIT_MS, `the upstream was left after ${took.toFixed(0)} ms`);
}

const request = { model: 'endless', messages: say('go on') };

test('leaving the iteration closes the upstream', async () => {
  let seen = 0;
  let since;
  for await (const chunk of await client.chat.completions.create({ ...request, stream: true })) {
    assert.equal(chunk.choices[0].delta.content, 'on ');
    if (++seen < 3) continue;
    since = performance.now();
    break;
  }
  await assertLeftSoon(since);
});

test('aborting the stream closes the upstream', async () => {
  const stream = await client.chat.completions.create({ ...request, stream: true });
  let seen = 0;
  let since;
  for await (const chunk of stream) {
    if (chunk && ++seen === 3) {
      since = performance.now();
      stream.controller.abort();
    }
  }
  await assertLeftSoon(since);
});

test('aborting the stream helper raises and closes the upstream', async () => {
  const stream = client.chat.completions.stream(request);
  const ended = assert.rejects(stream.done(), OpenAI.APIUserAbortError);
  await new Promise((resolve) => stream.once('content', resolve));
  const since = performance.now();
  stream.abort();
  await ended;
  await assertLeftSoon(since);
});

test('aborting a whole reply closes the upstream', async () => {
  const controller = new AbortController();
  const asked = once(upstream, 'asked');
  const reply = client.chat.completions.create(request, { signal: controller.signal });
  const ended = assert.rejects(reply, OpenAI.APIUserAbortError);
  await asked;
  const since = performance.now();
  controller.abort();
  await ended;
  await assertLeftSoon(since);
});

test("the client's own timeout closes the upstream", async () => {
  const reply = client.chat.completions.create(request, { timeout: 200 });
  await assert.rejects(reply, OpenAI.APIConnectionTimeoutError);
  await assertLeftSoon(performance.now());
});
