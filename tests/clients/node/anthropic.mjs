// Anthropic's official client in two generations, and scripted upstreams of either dialect.

import Anthropic from '@anthropic-ai/sdk';
import Anthropic0 from 'anthropic-sdk-0';

/** The one that sends `anthropic-version: 2026-10-21` and Bearer, and the one that Claude Code has in it. */
export const generations = [
  { name: '1.10.0', Client: Anthropic },
  { name: '0.128.0', Client: Anthropic0 },
];

/** A client as its users write it, but which asks once: a test wants the first answer. */
export function anthropicOf(Client, gateway, options = {}) {
  return new Client({ apiKey: 'sk-12345', baseURL: gateway.origin, maxRetries: 0, ...options });
}

export const say = (content) => [{ role: 'user', content }];

const frame = (event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;

/** The events of a Messages stream with these blocks (as whole messages have them). */
export function messageEvents(blocks, { stopReason = 'end_turn' } = {}) {
  const usage = { input_tokens: 11, cache_creation_input_tokens: 0, cache_read_input_tokens: 4, output_tokens: 1 };
  const message = {
    id: 'msg_up', type: 'message', role: 'assistant', model: 'claude-real', content: [],
    stop_reason: null, stop_sequence: null, usage,
  };
  const events = [{ type: 'message_start', message }, { type: 'ping' }];
  blocks.forEach((block, index) => {
    const { start, deltas } = parts(block);
    events.push({ type: 'content_block_start', index, content_block: start });
    for (const delta of deltas) events.push({ type: 'content_block_delta', index, delta });
    events.push({ type: 'content_block_stop', index });
  });
  const delta = { stop_reason: stopReason, stop_sequence: null };
  return [...events, { type: 'message_delta', delta, usage: { output_tokens: 7 } }, { type: 'message_stop' }];
}

function parts(block) {
  if (block.type === 'text') {
    const deltas = [...block.text.match(/.{1,4}/gsu)].map((text) => ({ type: 'text_delta', text }));
    return { start: { type: 'text', text: '' }, deltas };
  }
  if (block.type === 'thinking') {
    const { thinking, signature } = block;
    const deltas = [{ type: 'thinking_delta', thinking }, { type: 'signature_delta', signature }];
    return { start: { type: 'thinking', thinking: '', signature: '' }, deltas };
  }
  const json = JSON.stringify(block.input).match(/.{1,4}/gsu);
  const deltas = ['', ...json].map((partial_json) => ({ type: 'input_json_delta', partial_json }));
  return { start: { ...block, input: {} }, deltas };
}

/** Rules of a script (docs/embedded.md): an Anthropic upstream that answers so, streamed and whole. */
export function messageRules(blocks, { stopReason = 'end_turn', ...match } = {}) {
  const events = messageEvents(blocks, { stopReason });
  const whole = {
    ...events[0].message, content: blocks, stop_reason: stopReason,
    usage: { ...events[0].message.usage, output_tokens: 7 },
  };
  const path = '*/messages';
  return [
    { match: { path, ...match, contains: '"stream":true' }, reply: { events: events.map(frame), done: false } },
    { match: { path, ...match }, reply: { body: whole } },
  ];
}

/** An Anthropic upstream whose stream is cut after so many events. */
export function cutRule(blocks, count, match = {}) {
  const events = messageEvents(blocks).slice(0, count).map(frame);
  return { match: { path: '*/messages', ...match }, reply: { events, done: false, then: 'reset' } };
}
