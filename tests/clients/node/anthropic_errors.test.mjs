// What goes wrong reaches Anthropic's official client as the exception that its documentation names, whatever
// the upstream's dialect.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { anthropicOf, cutRule, generations, messageRules, say } from './anthropic.mjs';
import { startGateway, startUpstream, stopAll } from './sluice.mjs';

let gateway;

const chatError = (message) => ({ error: { message, type: 'x', param: null, code: null } });
const messagesError = (type, message) => ({ type: 'error', error: { type, message }, request_id: 'req_up' });

before(async () => {
  const refusing = (path, status, body, more = {}) => ({
    match: { path, model: `refuse-${status}` }, reply: { status, headers: { 'retry-after': '7' }, body, ...more },
  });
  const flaky = (name) => ({
    match: { model: `flaky-${name}` }, times: 1, reply: { status: 429, headers: { 'retry-after': '1' }, body: chatError('busy') },
  });
  const upstream = await startUpstream([
    refusing('*/chat/completions', 400, chatError('no such thing')),
    refusing('*/chat/completions', 429, chatError('slow down')),
    refusing('*/chat/completions', 503, chatError('too many')),
    refusing('*/messages', 400, messagesError('invalid_request_error', 'no such thing')),
    refusing('*/messages', 429, messagesError('rate_limit_error', 'slow down')),
    refusing('*/messages', 529, messagesError('overloaded_error', 'too many')),
    ...['1.10.0', '0.128.0'].map(flaky),
    cutRule([{ type: 'text', text: 'Half an answer' }], 5, { model: 'dying' }),
    ...messageRules([{ type: 'text', text: 'Hello there' }]),
  ]);
  const options = 'retry: {max_retries: 0}, breaker: off, api_key: sk-upstream-secret';
  gateway = await startGateway(`
keys: [{name: alice, secret: sk-alice}]
upstreams:
  chat: {base_url: "${upstream.baseURL}", ${options}}
  claude: {kind: anthropic, base_url: "${upstream.origin}", ${options}}
routes:
  - {model: chat/refuse-529, to: chat/refuse-503}
${[400, 429].map((status) => `  - {model: chat/refuse-${status}, to: chat/refuse-${status}}`).join('\n')}
${[400, 429, 529].map((status) => `  - {model: claude/refuse-${status}, to: claude/refuse-${status}}`).join('\n')}
  - {model: "flaky-*", to: chat/*}
  - {model: "echo", to: chat/*}
  - {model: "dying", to: claude/*}
  - {model: "claude-*", to: claude/*}
limits: {drain_timeout: 1s, body_bytes: 64KiB}
`);
});
after(stopAll);

for (const { name, Client } of generations) {
  describe(`@anthropic-ai/sdk ${name}`, () => {
    const client = (options) => anthropicOf(Client, gateway, { apiKey: 'sk-alice', ...options });
    const ask = (model, options = {}, from = client()) =>
      from.messages.create({ model, max_tokens: 100, messages: say('hi'), ...options });

    async function rejects(model, kind, status, type, options = {}, from = client()) {
      for (const stream of [false, true]) {
        await assert.rejects(ask(model, { ...options, stream }, from), (error) => {
          assert.ok(error instanceof kind, `${model}, stream ${stream}: ${error?.stack}`);
          assert.equal(error.status, status);
          assert.equal(error.error.type, 'error');
          assert.equal(error.error.error.type, type);
          assert.match(error.requestID, /^req_/);
          if (!model.startsWith('claude/')) assert.equal(error.error.request_id, error.requestID);
          return true;
        });
      }
    }

    test('a wrong key is an AuthenticationError, a right one is answered, in either header', async () => {
      await rejects('echo', Client.AuthenticationError, 401, 'authentication_error', {}, client({ apiKey: 'sk-mallory' }));
      for (const options of [{ apiKey: 'sk-alice' }, { apiKey: null, authToken: 'sk-alice' },
        { apiKey: 'other', defaultHeaders: { 'x-api-key': 'sk-alice', authorization: null } }]) {
        const reply = await ask('claude-x', {}, client(options));
        assert.equal(reply.content[0].text, 'Hello there');
      }
    });

    test('a model that no route names is a NotFoundError', async () => {
      await rejects('gpt-nobody', Client.NotFoundError, 404, 'not_found_error');
    });

    test('a request that makes no sense is a BadRequestError', async () => {
      await rejects('echo', Client.BadRequestError, 400, 'invalid_request_error', { messages: [] });
    });

    test('a body beyond the limit is status 413', async () => {
      await rejects('echo', Client.APIError, 413, 'request_too_large', { messages: say('x'.repeat(100_000)) });
    });

    for (const dialect of ['chat', 'claude']) {
      test(`the refusals of an upstream of ${dialect}`, async () => {
        await rejects(`${dialect}/refuse-400`, Client.BadRequestError, 400, 'invalid_request_error');
        await rejects(`${dialect}/refuse-429`, Client.RateLimitError, 429, 'rate_limit_error');
        await rejects(`${dialect}/refuse-529`, Client.InternalServerError, 529, 'overloaded_error');
        await assert.rejects(ask(`${dialect}/refuse-429`), (error) => error.headers.get('retry-after') === '7' && /slow down/.test(error.message));
      });
    }

    test("the client's own retry waits as long as the upstream said", async () => {
      const began = performance.now();
      const reply = await ask(`flaky-${name}`, {}, client({ maxRetries: 1 }));
      assert.match(reply.content[0].text, /^You said: hi/);
      assert.ok(performance.now() - began >= 950);
    });

    test('a stream of an Anthropic upstream that breaks raises', async () => {
      await assert.rejects(async () => {
        for await (const event of await ask('dying', { stream: true })) assert.ok(event.type);
        assert.fail('ended in silence');
      }, (error) => error.name !== 'AssertionError');
    });
  });
}
