// Tool calls through the official client: asked for, streamed, answered.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { clientOf, collect, contentOf, say, startGateway, stopAll } from './sluice.mjs';

let gateway;
let client;

before(async () => {
  gateway = await startGateway();
  client = clientOf(gateway);
});
after(stopAll);

const parameters = (name) => ({
  type: 'object',
  properties: { [name]: { type: 'string' } },
  required: [name],
});
const tools = [
  { type: 'function', function: { name: 'get_weather', parameters: parameters('city') } },
  { type: 'function', function: { name: 'get_time', parameters: parameters('zone') } },
];
const model = 'embedded/echo';
const messages = say('Please call get_weather and get_time.');

/** What identifies a call, and its arguments, which must be JSON. */
function essence(call) {
  return {
    id: call.id,
    type: call.type,
    name: call.function.name,
    arguments: JSON.parse(call.function.arguments),
  };
}

function checkCalls(calls) {
  assert.deepEqual(
    calls.map((call) => [call.type, call.name, Object.keys(call.arguments)]),
    [
      ['function', 'get_weather', ['city']],
      ['function', 'get_time', ['zone']],
    ],
  );
  assert.equal(new Set(calls.map((call) => call.id)).size, 2);
}

test('a whole reply calls the tools', async () => {
  const reply = await client.chat.completions.create({ model, messages, tools });

  assert.equal(reply.choices[0].finish_reason, 'tool_calls');
  checkCalls(reply.choices[0].message.tool_calls.map(essence));
});

test('a stream names each call once and sends its arguments in pieces', async () => {
  const chunks = await collect(
    await client.chat.completions.create({ model, messages, tools, stream: true }),
  );

  const fragments = chunks.flatMap((chunk) => chunk.choices[0].delta.tool_calls ?? []);
  const starts = fragments.filter((fragment) => fragment.id);
  assert.deepEqual(starts.map((start) => start.index), [0, 1]);
  const calls = starts.map((start) =>
    essence({
      ...start,
      function: {
        name: start.function.name,
        arguments: fragments
          .filter((fragment) => fragment.index === start.index)
          .map((fragment) => fragment.function.arguments)
          .join(''),
      },
    }),
  );
  checkCalls(calls);
  assert.equal(chunks.at(-1).choices[0].finish_reason, 'tool_calls');
});

test('the stream helper accepts the calls', async () => {
  const stream = client.chat.completions.stream({ model, messages, tools });
  const folded = await stream.finalChatCompletion();

  assert.equal(folded.choices[0].finish_reason, 'tool_calls');
  checkCalls(folded.choices[0].message.tool_calls.map(essence));
});

test("a tool's answer goes back and the model speaks of it", async () => {
  const asked = say('Please call get_weather.');
  const first = await client.chat.completions.create({ model, messages: asked, tools });
  const message = first.choices[0].message;
  const answered = [
    ...asked,
    message,
    { role: 'tool', tool_call_id: message.tool_calls[0].id, content: '{"sky":"blue"}' },
  ];
  for (const stream of [false, true]) {
    const request = { model, messages: answered, tools, stream };
    const second = await client.chat.completions.create(request);
    const text = stream
      ? contentOf(await collect(second))
      : second.choices[0].message.content;
    assert.match(text, /^get_weather answered: \{"sky":"blue"\}/);
  }
});

test('the client library runs the tools by itself, whole and streamed', async () => {
  for (const stream of [false, true]) {
    const asked = [];
    const runner = client.chat.completions.runTools({
      model,
      messages: say('Please call look_up.'),
      stream,
      tools: [
        {
          type: 'function',
          function: {
            name: 'look_up',
            parse: JSON.parse,
            parameters: parameters('word'),
            function: (given) => {
              asked.push(given);
              return 'a small gate';
            },
          },
        },
      ],
    });
    assert.match(await runner.finalContent(), /^look_up answered: a small gate/);
    assert.equal(asked.length, 1);
    assert.equal(typeof asked[0].word, 'string');
  }
});

test('no tool is called when the choice is none, the named one when it names one', async () => {
  const none = await client.chat.completions.create({
    model,
    messages,
    tools,
    tool_choice: 'none',
  });
  const named = await client.chat.completions.create({
    model,
    messages: say('hello'),
    tools,
    tool_choice: { type: 'function', function: { name: 'get_time' } },
  });

  assert.equal(none.choices[0].finish_reason, 'stop');
  assert.equal(none.choices[0].message.tool_calls, undefined);
  assert.equal(named.choices[0].message.tool_calls[0].function.name, 'get_time');
});
