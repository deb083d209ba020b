// The official client against a gateway that nobody configured: the embedded model answers.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import OpenAI from 'openai';
import { clientOf, collect, contentOf, say, startGateway, stopAll } from './sluice.mjs';

let gateway;
let client;

before(async () => {
  gateway = await startGateway();
  client = clientOf(gateway);
});
after(stopAll);

const chat = (request) => client.chat.completions.create({ model: 'embedded/echo', ...request });

test('a whole reply has content, a finish reason, usage and the request id', async () => {
  const reply = await chat({ messages: say('Grüße, 世界 😀') });

  assert.equal(reply.object, 'chat.completion');
  assert.equal(reply.choices.length, 1);
  assert.equal(reply.choices[0].message.role, 'assistant');
  assert.match(reply.choices[0].message.content, /^You said: Grüße, 世界 😀\n/);
  assert.equal(reply.choices[0].finish_reason, 'stop');
  assert.ok(reply.usage.prompt_tokens > 0 && reply.usage.completion_tokens > 0);
  assert.equal(
    reply.usage.total_tokens,
    reply.usage.prompt_tokens + reply.usage.completion_tokens,
  );
  assert.match(reply._request_id, /^req_[0-9a-f]{32}$/);
});

test('a stream says what the whole reply says, in one identity and with one finish', async () => {
  const messages = say('Grüße, 世界 😀');
  const whole = await chat({ messages });
  const chunks = await collect(await chat({ messages, stream: true }));

  assert.equal(contentOf(chunks), whole.choices[0].message.content);
  assert.equal(chunks[0].choices[0].delta.role, 'assistant');
  assert.equal(new Set(chunks.map((chunk) => chunk.id)).size, 1);
  assert.ok(chunks.every((chunk) => chunk.object === 'chat.completion.chunk'));
  const finishes = chunks.map((chunk) => chunk.choices[0].finish_reason).filter(Boolean);
  assert.deepEqual(finishes, ['stop']);
});

test('usage comes in one last chunk when it is asked for', async () => {
  const messages = say('count me');
  const whole = await chat({ messages });
  const chunks = await collect(
    await chat({ messages, stream: true, stream_options: { include_usage: true } }),
  );

  const last = chunks.pop();
  assert.deepEqual(last.choices, []);
  assert.deepEqual(last.usage, whole.usage);
  assert.ok(chunks.every((chunk) => chunk.choices.length === 1 && chunk.usage === null));
});

test('no chunk speaks of usage when nobody asked', async () => {
  for (const options of [{}, { stream_options: { include_usage: false } }]) {
    const chunks = await collect(await chat({ messages: say('hi'), stream: true, ...options }));

    assert.ok(chunks.every((chunk) => chunk.choices.length === 1 && !chunk.usage));
  }
});

test('the stream helper accepts every chunk and folds them into the whole reply', async () => {
  const messages = say('fold this');
  const whole = await chat({ messages });
  const stream = client.chat.completions.stream({
    model: 'embedded/echo',
    messages,
    stream_options: { include_usage: true },
  });
  let heard = '';
  stream.on('content', (delta) => (heard += delta));
  const folded = await stream.finalChatCompletion();

  assert.equal(heard, whole.choices[0].message.content);
  assert.equal(folded.choices[0].message.content, whole.choices[0].message.content);
  assert.equal(folded.choices[0].message.role, 'assistant');
  assert.equal(folded.choices[0].finish_reason, 'stop');
  assert.deepEqual(folded.usage, whole.usage);
});

test('a reply that reaches max_tokens ends with length', async () => {
  const request = { model: 'embedded/lorem', messages: say('go'), max_completion_tokens: 5 };
  const whole = await chat(request);
  const chunks = await collect(await chat({ ...request, stream: true }));

  assert.equal(whole.usage.completion_tokens, 5);
  assert.equal(contentOf(chunks), whole.choices[0].message.content);
});

test('reasoning arrives as a field of its own, whole and streamed', async () => {
  const request = { messages: say('think'), reasoning_effort: 'high' };
  const whole = await chat(request);
  const chunks = await collect(await chat({ ...request, stream: true }));

  const { reasoning_content: reasoning, content } = whole.choices[0].message;
  assert.ok(reasoning.length > 0);
  const deltas = chunks.map((chunk) => chunk.choices[0].delta);
  assert.equal(deltas.map((delta) => delta.reasoning_content ?? '').join(''), reasoning);
  assert.equal(contentOf(chunks), content);
});

test('models are listed and found by name', async () => {
  const listed = [];
  for await (const model of client.models.list()) listed.push(model.id);

  assert.ok(listed.includes('embedded/echo'), listed.join());
  assert.ok(listed.includes('embedded/lorem'), listed.join());
  for (const id of listed) {
    const model = await client.models.retrieve(id);
    assert.equal(model.id, id);
    assert.equal(model.object, 'model');
  }
});

test('a model that is not there is not found', async () => {
  await assert.rejects(client.models.retrieve('nobody/knows'), (error) => {
    assert.ok(error instanceof OpenAI.NotFoundError, String(error));
    assert.equal(error.code, 'model_not_found');
    return true;
  });
});

test('the base URL may lack /v1 or have it twice, and any key will do', async () => {
  for (const suffix of ['', '/v1', '/v1/v1']) {
    const other = clientOf(gateway, {
      baseURL: gateway.origin + suffix,
      apiKey: `sk-anything${suffix.length}`,
    });
    const reply = await other.chat.completions.create({ model: 'any', messages: say('hi') });
    assert.match(reply.choices[0].message.content, /^You said: hi/);
    assert.ok((await other.models.list()).data.length > 0);
  }
});

test('fifty streams at once each get their own answer, whole', async () => {
  const answers = await Promise.all(
    Array.from({ length: 50 }, async (_, i) => {
      const messages = say(`stream number ${i}`);
      const chunks = await collect(
        await chat({ messages, stream: true, sluice_tokens_per_second: 200 }),
      );
      return { content: contentOf(chunks), finish: chunks.at(-1).choices[0].finish_reason };
    }),
  );

  answers.forEach(({ content, finish }, i) => {
    assert.match(content, new RegExp(`^You said: stream number ${i}\n\nWhat arrived: .*\\.$`));
    assert.equal(finish, 'stop');
  });
});

test('a long conversation passes', async () => {
  const content = 'All work and no play. '.repeat(50_000);
  const reply = await chat({ messages: say(content) });

  assert.match(reply.choices[0].message.content, new RegExp(`${content.length} bytes of text`));
});
