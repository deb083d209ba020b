// What goes wrong reaches the client's code as the exception that its documentation names.

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
  const busy = { error: { message: 'busy', type: 'server_error', param: null, code: null } };
  upstream = await startUpstream(
    [false, true].map((stream) => ({
      match: { model: `flaky-${stream}` },
      times: 1,
      reply: { status: 503, headers: { 'retry-after-ms': '10' }, body: JSON.stringify(busy) },
    })),
  );
  gateway = await startGateway(`
keys: [{name: alice, secret: sk-alice}]
upstreams:
  up:
    base_url: ${upstream.baseURL}
    api_key: sk-upstream-secret
    timeouts: {connect: 1s, first_byte: 500ms, idle: 500ms}
    retry: {max_retries: 0}
    breaker: off
  closed: {base_url: "http://127.0.0.1:1/v1", retry: {max_retries: 0}}
routes:
  - {model: echo, to: up/echo}
  - {model: "fault-*", to: up/*}
  - {model: "flaky-*", to: up/*}
  - {model: closed, to: closed/any}
limits: {drain_timeout: 1s, body_bytes: 64KiB}
`);
  client = clientOf(gateway, { apiKey: 'sk-alice' });
});
after(stopAll);

const ask = (model, options = {}, from = client) =>
  from.chat.completions.create({ model, messages: say('hi'), ...options });

/** Whole and streamed, the request must fail with that class, before any chunk. */
async function rejects(model, kind, check = () => {}, options = {}, from = client) {
  for (const stream of [false, true]) {
    await assert.rejects(ask(model, { ...options, stream }, from), (error) => {
      assert.ok(error instanceof kind, `${model}, stream ${stream}: ${error?.stack}`);
      assert.match(error.requestID, /^req_[0-9a-f]{32}$/);
      check(error);
      return true;
    });
  }
}

test('a wrong key is an AuthenticationError', async () => {
  const stranger = clientOf(gateway, { apiKey: 'sk-mallory' });
  const check = (error) => assert.equal(error.code, 'invalid_api_key');

  await rejects('echo', OpenAI.AuthenticationError, check, {}, stranger);
  await assert.rejects(stranger.models.list(), OpenAI.AuthenticationError);
});

test('the right key is answered', async () => {
  const reply = await ask('echo');

  assert.match(reply.choices[0].message.content, /^You said: hi/);
});

test('a model that no route names is a NotFoundError', async () => {
  await rejects('gpt-nobody', OpenAI.NotFoundError, (error) => {
    assert.equal(error.code, 'model_not_found');
    assert.equal(error.param, 'model');
    assert.equal(error.type, 'invalid_request_error');
  });
});

test('a request that makes no sense is a BadRequestError', async () => {
  await rejects('echo', OpenAI.BadRequestError, undefined, { messages: [] });
  await rejects('echo', OpenAI.BadRequestError, undefined, { model: 7 });
});

test('a body beyond the limit is an APIError with status 413', async () => {
  await rejects(
    'echo',
    OpenAI.APIError,
    (error) => assert.equal(error.status, 413),
    { messages: say('x'.repeat(100_000)) },
  );
});

test("the upstream's refusals keep their status, words and Retry-After", async () => {
  await rejects('fault-429', OpenAI.RateLimitError, (error) => {
    assert.equal(error.headers.get('retry-after'), '7');
    assert.match(error.message, /Rate limit reached/);
    assert.equal(error.code, 'rate_limit_exceeded');
  });
  await rejects('fault-401', OpenAI.AuthenticationError);
  for (const status of [500, 503]) {
    await rejects(`fault-${status}`, OpenAI.InternalServerError, (error) => {
      assert.equal(error.status, status);
    });
  }
});

test('an HTML page of the upstream becomes an error in words', async () => {
  await rejects('fault-500-html', OpenAI.InternalServerError, (error) => {
    assert.equal(typeof error.error.message, 'string');
    assert.doesNotMatch(error.message, /</);
  });
});

test("the upstream's key stays unread in what it says", async () => {
  await rejects('fault-500-echo-key', OpenAI.InternalServerError, (error) => {
    assert.doesNotMatch(JSON.stringify(error) + error.message, /sk-upstream-secret/);
  });
});

test('an upstream that cannot be reached or makes no sense is status 502', async () => {
  const bad = (error) => assert.equal(error.status, 502, String(error));
  const models = [
    'closed', 'fault-close-before-head', 'fault-reset-before-head', 'fault-close-mid-head',
    'fault-reset-mid-head', 'fault-huge-header-line', 'fault-many-headers', 'fault-endless-headers',
    'fault-duplicate-content-length', 'fault-te-and-cl', 'fault-bad-status', 'fault-not-http',
    'fault-nul-in-header', 'fault-many-1xx', 'fault-101', 'fault-redirect', 'fault-empty-204',
    'fault-empty-200', 'fault-bad-json', 'fault-truncated-json', 'fault-wrong-content-type',
  ];
  await Promise.all(models.map((model) => rejects(model, OpenAI.InternalServerError, bad)));
});

test('a whole reply that is cut short, or a 200 that is an error, is status 502', async () => {
  const models = ['fault-short-content-length', 'fault-close-mid-stream', 'fault-error-event'];
  for (const model of models) {
    await assert.rejects(ask(model), (error) => error.status === 502);
  }
});

test("the client library's own retries go through", async () => {
  const patient = clientOf(gateway, { apiKey: 'sk-alice', maxRetries: 2 });
  for (const stream of [false, true]) {
    const reply = await ask(`flaky-${stream}`, { stream }, patient);
    const text = stream
      ? contentOf(await collect(reply))
      : reply.choices[0].message.content;
    assert.match(text, /^You said: hi/);
  }
});

test('an upstream that does not answer is status 504', async () => {
  const late = (error) => assert.equal(error.status, 504, String(error));
  const models = ['fault-hang-before-head', 'fault-hang-mid-head'];
  await Promise.all(models.map((model) => rejects(model, OpenAI.InternalServerError, late)));
});

test('after all this the gateway answers as before', async () => {
  const chunks = await collect(await ask('echo', { stream: true }));

  assert.equal(chunks.at(-1).choices[0].finish_reason, 'stop');
});
