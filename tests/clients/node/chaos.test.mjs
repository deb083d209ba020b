// The official client before three upstreams that fail in many ways at once: each request ends in a
// whole answer or in an exception of the client's, and never in silence.

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

const REQUESTS = 300;
const AT_ONCE = 16;

/** The same numbers from [0, 1) each time (mulberry32). */
function randomFrom(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function refusal(status, headers = {}) {
  const error = { message: `chaos ${status}`, type: 'chaos', param: null, code: `c${status}` };
  return { status, headers, body: { error } };
}

const part = {
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'm',
  choices: [{ index: 0, delta: { content: 'PART' }, finish_reason: null }],
};

const BEFORE_CONTENT = [
  ...[401, 402, 403, 404, 408, 409, 500, 502, 503, 504, 529].map((status) => refusal(status)),
  refusal(429, { 'retry-after-ms': '15' }),
  { raw: '', then: 'close' },
  { raw: '', then: 'reset' },
  { raw: '', then: 'hang' },
  { raw: 'HTTP/1.1 200 OK\r\ncontent-ty', then: 'reset' },
  { raw: 'not HTTP at all\r\n\r\n', then: 'close' },
  { status: 200, headers: { 'content-type': 'text/html' }, body: '<html></html>' },
  { status: 200, body: '' },
];
const AFTER_CONTENT = [
  { events: [part], done: false, then: 'reset' },
  { events: [part, part], done: false, then: 'close' },
  { events: [part], done: false },
  { events: [part], done: false, then: 'hang' },
  { events: [part, 'data: {broken\n\n'] },
  { events: [part, { error: { message: 'chaos' } }], done: false },
];

const nameOf = (i) => `<${String(i).padStart(3, '0')}>`;

/** A third of the requests fails at first, some of them always. */
function makeRules(random) {
  const rules = [];
  const choose = (list) => list[Math.floor(random() * list.length)];
  for (let i = 0; i < REQUESTS; ++i) {
    if (random() > 1 / 3) continue;
    const late = i % 2 === 1 && random() < 0.2;
    const rule = { match: { contains: nameOf(i) }, reply: choose(late ? AFTER_CONTENT : BEFORE_CONTENT) };
    if (random() < 0.7) rule.times = 1;
    rules.push(rule);
  }
  return rules;
}

let client;

before(async () => {
  const random = randomFrom(20261120);
  let upstreams = '';
  for (const name of ['one', 'two', 'three']) {
    const upstream = await startUpstream(makeRules(random));
    upstreams += `
  ${name}:
    base_url: "${upstream.baseURL}"
    retry: {max_retries: 2, base_delay: 5ms, max_delay: 50ms, rate_limit_wait: 20ms}
    breaker: {error_rate: 1, consecutive_failures: 100}
    timeouts: {first_byte: 400ms, idle: 400ms}`;
  }
  const gateway = await startGateway(`
upstreams:${upstreams}
routes: [{model: "*", to: [one/*, two/*, three/*], balance: round_robin}]
limits: {keepalive_after: 150ms, drain_timeout: 1s}
`);
  client = clientOf(gateway);
});
after(stopAll);

/** The whole content; fails as the client does. */
async function ask(i) {
  const request = { model: 'echo', messages: say(`${nameOf(i)} please`), stream: i % 2 === 1 };
  const answer = await client.chat.completions.create(request);
  if (!request.stream) return answer.choices[0].message.content;
  const chunks = await collect(answer);
  const finish = chunks.filter((chunk) => chunk.choices.length > 0).at(-1)?.choices[0].finish_reason;
  return finish ? contentOf(chunks) : `a silent end after ${contentOf(chunks)}`;
}

test('every request ends in a whole answer or an exception', { timeout: 90_000 }, async () => {
  let next = 0;
  let answered = 0;
  let failed = 0;

  async function work() {
    for (let i = next++; i < REQUESTS; i = next++) {
      const said = await ask(i).catch((error) => error);
      if (said instanceof Error) {
        assert.ok(said instanceof OpenAI.APIError, `${nameOf(i)}: ${said.stack}`);
        ++failed;
      } else {
        assert.match(said, new RegExp(`^You said: ${nameOf(i)} please\n\nWhat arrived: .*\\.$`));
        ++answered;
      }
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work));

  assert.equal(answered + failed, REQUESTS);
  assert.ok(answered > REQUESTS * 0.8, `${answered} answered`);
  assert.ok(failed > 3, `${failed} failed`);
});
