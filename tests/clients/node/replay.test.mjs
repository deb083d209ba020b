// Recorded replies pass unchanged, byte for byte, however the upstream's bytes were split. The
// recordings are those in ../fixtures, and with SLUICE_SHARED the providers' own.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { request } from 'node:http';
import { basename, dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
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

// A byte at a time is slow, so there a recording is cut down to a few chunks of each shape.
const SPLITS = [0, 1, 7, 64];
const CHUNKS_OF_A_SHAPE = 3;
const here = dirname(fileURLToPath(import.meta.url));

function filesUnder(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesUnder(path) : [path];
  });
}

function folders() {
  const own = join(here, '..', 'fixtures');
  const shared = process.env.SLUICE_SHARED;
  return shared ? [own, join(shared, 'fixtures')] : [own];
}

/** A chunk's members without their values. */
function shapeOf(data) {
  return JSON.stringify(JSON.parse(data), (key, value) => {
    return typeof value === 'object' ? value : typeof value;
  });
}

function someOfEachShape(data) {
  const seen = new Map();
  return data.filter((line) => {
    const shape = shapeOf(line);
    seen.set(shape, (seen.get(shape) ?? 0) + 1);
    return seen.get(shape) <= CHUNKS_OF_A_SHAPE;
  });
}

/** A streamed Chat Completions reply: the payload of each data line. */
function readStream(path) {
  const data = readFileSync(path, 'utf8').split('\n').filter((line) => line !== '');
  const last = JSON.parse(data.at(-1));
  const isChat = last.object === 'chat.completion.chunk' && Array.isArray(last.choices);
  return isChat ? [{ path, name: basename(path, '.chunks.txt'), data }] : [];
}

function readDocument(path) {
  const body = readFileSync(path);
  const document = JSON.parse(body);
  if (document.error) return [{ path, name: basename(path, '.json'), body, status: 400 }];
  if (document.object !== 'chat.completion') return [];
  return [{ path, name: basename(path, '.json'), body, document, status: 200 }];
}

const files = folders().flatMap(filesUnder);
const streams = files.filter((path) => path.endsWith('.chunks.txt')).flatMap(readStream);
const dataOf = ({ data }, split) => (split === 1 ? someOfEachShape(data) : data);
const eventsOf = (data) => data.map((line) => `data: ${line}\n\n`);
const documents = files.filter((path) => path.endsWith('.json')).flatMap(readDocument);

let upstream;
let gateway;
let client;
let direct; // to the upstream, past the gateway

before(async () => {
  const streamRules = streams.flatMap((stream) =>
    SPLITS.map((split) => ({
      match: { model: `${stream.name}/${split}` },
      reply: { events: eventsOf(dataOf(stream, split)), split },
    })),
  );
  const documentRules = documents.map(({ path, name, status }) => ({
    match: { model: `${name}/whole` },
    reply: { status, body_file: path },
  }));
  upstream = await startUpstream([...streamRules, ...documentRules]);
  gateway = await startGateway(`
upstreams: {up: {base_url: "${upstream.baseURL}"}}
default_route: up/*
`);
  client = clientOf(gateway);
  direct = clientOf(upstream);
});
after(stopAll);

/** The reply's status and its body's bytes, without any client library. */
function raw(body) {
  return new Promise((resolve, reject) => {
    const url = `${gateway.baseURL}/chat/completions`;
    const headers = { 'content-type': 'application/json' };
    const options = { method: 'POST', headers, agent: false };
    const asked = request(url, options, (response) => {
      const pieces = [];
      response.on('data', (piece) => pieces.push(piece));
      response.on('end', () => {
        resolve({ status: response.statusCode, body: Buffer.concat(pieces) });
      });
      response.on('error', reject);
    });
    asked.on('error', reject);
    asked.end(JSON.stringify({ messages: say('hi'), ...body }));
  });
}

const isUsageOnly = (chunk) => chunk.choices.length === 0 && Boolean(chunk.usage);

async function replay(from, { name }, options = {}) {
  const stream = await from.chat.completions.create({
    model: `${name}/64`,
    messages: say('hi'),
    stream: true,
    stream_options: { include_usage: true },
    ...options,
  });
  return collect(stream);
}

test('there are recordings of every kind', () => {
  assert.ok(streams.length >= 4 && documents.length >= 3);
  assert.ok(documents.some(({ status }) => status !== 200));
});

for (const stream of streams) {
  for (const split of SPLITS) {
    test(`${stream.name} passes byte for byte, split ${split || 'nowhere'}`, async () => {
      const { status, body } = await raw({
        model: `${stream.name}/${split}`,
        stream: true,
        stream_options: { include_usage: true },
      });

      assert.equal(status, 200);
      assert.equal(body.toString(), eventsOf([...dataOf(stream, split), '[DONE]']).join(''));
    });
  }

  test(`${stream.name} looks to the client library as if there were no gateway`, async () => {
    assert.deepEqual(await replay(client, stream), await replay(direct, stream));
  });

  test(`${stream.name} comes without its usage chunk when nobody asked for it`, async () => {
    const chunks = await replay(client, stream, { stream_options: undefined });
    const recorded = await replay(direct, stream);

    assert.deepEqual(chunks, recorded.filter((chunk) => !isUsageOnly(chunk)));
  });

  test(`${stream.name} satisfies the stream helper`, async () => {
    const helper = client.chat.completions.stream({
      model: `${stream.name}/0`,
      messages: say('hi'),
    });
    const folded = await helper.finalChatCompletion();

    assert.equal(
      folded.choices[0].message.content ?? '',
      contentOf(stream.data.map((data) => JSON.parse(data))),
    );
  });
}

for (const { name, body, document, status } of documents) {
  test(`${name} passes byte for byte`, async () => {
    const reply = await raw({ model: `${name}/whole` });

    assert.equal(reply.status, status);
    assert.ok(reply.body.equals(body), reply.body.toString());
  });

  test(`${name} reaches the client library`, async () => {
    const asked = client.chat.completions.create({ model: `${name}/whole`, messages: say('hi') });
    if (status === 200) return assert.deepEqual(await asked, document);
    await assert.rejects(asked, (error) => {
      assert.ok(error instanceof OpenAI.BadRequestError, String(error));
      assert.deepEqual(error.error, JSON.parse(body).error);
      return true;
    });
  });
}
