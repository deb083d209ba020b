// The official client asks for vectors and for text completions; the embedded model answers. By
// itself it asks for base64 and decodes whatever comes.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { clientOf, collect, startGateway, stopAll } from './sluice.mjs';

let gateway;
let client;

before(async () => {
  gateway = await startGateway();
  client = clientOf(gateway);
});
after(stopAll);

const embed = (request) => client.embeddings.create({ model: 'embedded/echo', ...request });

test('what the client asks for by itself and numbers are the same vectors', async () => {
  const input = ['Grüße', '世界', '😀'];
  const decoded = await embed({ input });
  const numbers = await embed({ input, encoding_format: 'float' });

  assert.deepEqual(numbers.data.map((item) => item.index), [0, 1, 2]);
  for (const [i, item] of numbers.data.entries()) {
    assert.deepEqual(Array.from(Float32Array.from(item.embedding)), Array.from(decoded.data[i].embedding));
  }
  assert.ok(numbers.usage.prompt_tokens > 0);
});

test('dimensions are those asked for', async () => {
  const reply = await embed({ input: 'Hello', dimensions: 8 });

  assert.equal(reply.data[0].embedding.length, 8);
});

test('a text completion is the same whole and streamed', async () => {
  const request = { model: 'embedded/echo', prompt: 'Hello' };
  const whole = await client.completions.create(request);
  const chunks = await collect(await client.completions.create({ ...request, stream: true }));

  const text = chunks.map((chunk) => chunk.choices[0]?.text ?? '').join('');
  assert.equal(text, whole.choices[0].text);
});
