// A stream that breaks on its way must raise in the client's code: never a silent end.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import OpenAI from 'openai';
import {
  clientOf,
  collect,
  contentOf,
  say,
  startGateway,
  startUpstream,
  stopAll,
} from './sluice.mjs';

let upstream;
let gateway;
let client;

before(async () => {
  upstream = await startUpstream();
  gateway = await startGateway(`
upstreams:
  up:
    base_url: "${upstream.baseURL}"
    timeouts: {first_byte: 1s, idle: 400ms}
    retry: {max_retries: 0}
    breaker: off
default_route: up/*
`);
  client = clientOf(gateway);
});
after(stopAll);

const ask = (model, options = {}) =>
  client.chat.completions.create({ model, messages: say('hi'), ...options });

const BREAKS_AFTER_CONTENT = [
  'fault-reset-mid-stream',
  'fault-close-mid-stream',
  'fault-close-mid-chunk',
  'fault-half-close',
  'fault-error-event',
  'fault-hang-mid-stream',
  'fault-comments-then-hang',
  'fault-no-done',
  'fault-huge-event',
  'fault-endless-chunk',
  'fault-chunk-size-overflow',
  'fault-chunk-size-negative',
  'fault-chunk-bare-lf',
  'fault-chunk-long-extension',
  'fault-bad-json-event',
];

/** The bytes of the streamed reply, and whether its end was an orderly one. */
async function rawStream(model) {
  const response = await fetch(`${gateway.baseURL}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, messages: say('hi'), stream: true }),
  });
  let text = '';
  let whole = true;
  try {
    for await (const bytes of response.body.pipeThrough(new TextDecoderStream())) text += bytes;
  } catch {
    whole = false;
  }
  return { status: response.status, text, whole };
}

for (const model of BREAKS_AFTER_CONTENT) {
  test(`${model} raises from the iteration, after what came before`, async () => {
    const chunks = [];
    await assert.rejects(
      async () => {
        for await (const chunk of await ask(model, { stream: true })) chunks.push(chunk);
      },
      (error) => error instanceof OpenAI.APIError,
    );
    assert.ok(chunks.every((chunk) => chunk.object === 'chat.completion.chunk'));
  });

  test(`${model} raises from the stream helper`, async () => {
    const stream = client.chat.completions.stream({ model, messages: say('hi') });
    await assert.rejects(stream.finalChatCompletion(), OpenAI.OpenAIError);
  });

  test(`${model} ends in an error event and without an orderly end`, async () => {
    const { status, text, whole } = await rawStream(model);

    if (status !== 200) return assert.ok(status === 502 || status === 504, `${status}: ${text}`);
    assert.equal(whole, false, text);
    assert.doesNotMatch(text, /\[DONE\]/);
    const last = text.trimEnd().split('\n\n').at(-1);
    assert.equal(typeof JSON.parse(last.replace(/^data: /, '')).error.message, 'string');
  });
}

test('a stream without a finish reason gets one, or agents would ask for ever', async () => {
  const chunks = await collect(await ask('fault-no-finish-reason', { stream: true }));
  const stream = client.chat.completions.stream({
    model: 'fault-no-finish-reason',
    messages: say('hi'),
  });

  assert.equal(chunks.at(-1).choices[0].finish_reason, 'stop');
  assert.equal((await stream.finalChatCompletion()).choices[0].finish_reason, 'stop');
});

test('letters that arrive a byte at a time arrive whole', async () => {
  const chunks = await collect(await ask('fault-split-utf8', { stream: true }));
  const whole = await ask('fault-split-utf8');

  assert.match(contentOf(chunks), /ä € 😀/);
  assert.match(whole.choices[0].message.content, /ä € 😀/);
});

test('bytes that are not UTF-8 never reach the client as text', async () => {
  await assert.rejects(ask('fault-invalid-utf8'), OpenAI.InternalServerError);
  await assert.rejects(
    async () => collect(await ask('fault-invalid-utf8', { stream: true })),
    OpenAI.APIError,
  );
});

test("the upstream's own fields stay away from the client", async () => {
  for (const stream of [false, true]) {
    const { response } = await ask('fault-set-cookie', { stream }).withResponse();
    assert.equal(response.headers.get('set-cookie'), null);
  }
});

test('oddities that break nothing are answered', async () => {
  for (const model of ['fault-early-response', 'fault-long-content-length', 'fault-close-idle']) {
    for (let i = 0; i < 3; ++i) {
      const reply = await ask(model);
      assert.equal(reply.choices[0].finish_reason, 'stop', model);
    }
  }
});
