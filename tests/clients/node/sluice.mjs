// Runs the real binary for a test: a gateway, or `sluice upstream`, on ports that the system picks.
// What a test started is ended by its id, and ends with the test should the test itself be killed.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI from 'openai';

const START_MS = 10_000;
const STOP_MS = 10_000;

const binary = process.env.SLUICE_BINARY;
assert.ok(binary, 'SLUICE_BINARY must name the binary to test');

/** The environment without what would configure the gateway behind the test's back. */
function cleanEnvironment(home) {
  const kept = ['PATH', 'ASAN_OPTIONS', 'UBSAN_OPTIONS', 'TSAN_OPTIONS', 'ASAN_SYMBOLIZER_PATH'];
  const entries = kept.filter((name) => process.env[name]).map((name) => [name, process.env[name]]);
  return { ...Object.fromEntries(entries), HOME: home };
}

const started = [];

/** One started process and its folder, which holds its files and is removed with it. */
class Process {
  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'sluice-clients-'));
    this.output = '';
  }

  file(name, content) {
    const path = join(this.folder, name);
    writeFileSync(path, content);
    return path;
  }

  async start(args) {
    // setpriv: the kernel ends the process when this one dies, however that happens.
    this.child = spawn('setpriv', ['--pdeathsig', 'KILL', binary, ...args], {
      cwd: this.folder,
      env: cleanEnvironment(this.folder),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    started.push(this);
    this.exited = new Promise((resolve) => {
      this.child.on('exit', (code, signal) => resolve(signal ?? code));
    });
    this.origin = await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(this.failure('did not start in time')), START_MS);
      const listen = (bytes) => {
        this.output += bytes;
        const found = /http:\/\/127\.0\.0\.1:\d+/.exec(this.listening());
        if (!found) return;
        clearTimeout(timer);
        resolve(found[0]);
      };
      this.child.stdout.on('data', listen);
      this.child.stderr.on('data', listen);
      this.child.on('error', reject);
      this.exited.then((how) => {
        clearTimeout(timer);
        reject(this.failure(`ended with ${how}`));
      });
    });
    this.baseURL = `${this.origin}/v1`;
    return this;
  }

  /** The line that names the address, once it is there as a whole. */
  listening() {
    const lines = this.output.split('\n').slice(0, -1);
    return lines.find((line) => line.includes('listening')) ?? '';
  }

  failure(what) {
    return new Error(`sluice ${what}:\n${this.output}`);
  }

  /** Fails the test when the process does not end by itself and in order. */
  async stop() {
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_MS);
    const how = await this.exited;
    clearTimeout(timer);
    rmSync(this.folder, { recursive: true, force: true });
    assert.equal(how, 0, this.failure(`ended with ${how}`).message);
  }
}

/** Ends all that was started, the last one first. */
export async function stopAll() {
  const failures = [];
  for (let process = started.pop(); process; process = started.pop()) {
    await process.stop().catch((error) => failures.push(error.message));
  }
  assert.deepEqual(failures, []);
}

/** A gateway with that YAML configuration; without one, as it comes: the embedded model. */
export async function startGateway(yaml = '') {
  const gateway = new Process();
  const limits = yaml.includes('limits:') ? '' : 'limits: {drain_timeout: 1s}\n';
  const config = gateway.file(
    'sluice.yaml',
    `listen: 127.0.0.1:0\nworkers: 2\n${limits}${yaml}`,
  );
  return gateway.start(['serve', '--config', config]);
}

/** A stand-alone upstream; with `rules` (docs/embedded.md) it gives those answers first. */
export async function startUpstream(rules = []) {
  const upstream = new Process();
  const script = upstream.file('script.json', JSON.stringify({ rules }));
  return upstream.start(['upstream', '--port', '0', '--script', script]);
}

/** A client as its users write it, but which asks once: a test wants the first answer. */
export function clientOf(gateway, options = {}) {
  return new OpenAI({ apiKey: 'sk-12345', baseURL: gateway.baseURL, maxRetries: 0, ...options });
}

/** All chunks of a stream; fails as the stream does. */
export async function collect(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

export function contentOf(chunks) {
  return chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('');
}

export const say = (content) => [{ role: 'user', content }];
