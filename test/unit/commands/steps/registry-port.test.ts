import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freeRegistryPort } from '../../../../src/commands/steps/registry-port.ts';
import { identify, startBackground } from '../../../../src/runner/background.ts';
import { listenOnLocalhost, portHolder } from '../../../../src/runner/local-port.ts';
import { rejection } from '../../rejection.ts';

/** As start-tunnel.ts names it. */
const SETTINGS = 'knest/tunnel-pr-1-3f2504e0-4f89-41d3-9a0c-0305e82c3301.json';
const LISTEN = `
const server = require('node:net').createServer().listen(0, '127.0.0.1', () => process.send(server.address().port));
`;

function stepLog() {
  const lines: string[] = [];
  return { lines, line: (text: string) => void lines.push(text) };
}

/** A process that listens on a port, called as a tunnel is. */
async function tunnelLike({ script = 'dist/tunnel.js', name = SETTINGS, hasFiles = false } = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'knest-port-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  for (const part of ['knest', 'dist']) mkdirSync(join(directory, part));
  const settings = join(directory, name);
  writeFileSync(join(directory, script), LISTEN);
  if (hasFiles) writeFileSync(settings, '{}');
  const child = startBackground(join(directory, script), [settings], { env: {}, log: join(directory, 'log') });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [port] = (await once(child, 'message')) as [number];
  return { port, pid: child.pid ?? 0 };
}

describe('the port for a registry', () => {
  it('is taken over from a tunnel whose job is over', async () => {
    const { port, pid } = await tunnelLike();
    const log = stepLog();
    await freeRegistryPort(port, log);
    expect(log.lines).toEqual([`port ${port}: ended the tunnel of an earlier job (process ${pid})`]);
    expect(identify(pid)).toBeUndefined();
  });

  it.each([
    ['a tunnel of another job', { hasFiles: true }],
    ['another program', { script: 'dist/server.js' }],
    ['a program whose argument only looks like one', { name: 'knest/tunnel-dev.json' }],
  ])('is not taken over from %s, which the error names without its arguments', async (_what, options) => {
    const { port, pid } = await tunnelLike(options);
    const failure = await rejection(freeRegistryPort(port, stepLog()));
    expect(failure).toMatchObject({
      code: 'KNEST_INPUT',
      problem: `registry-port: port ${port} of this runner is taken`,
      evidence: [expect.stringMatching(`^process ${pid} \\(node(, a tunnel of [^/]+)?\\) listens on it$`) as string],
      next: expect.stringContaining('0 for a free one') as string,
    });
    expect(identify(pid)).toBeDefined();
  });

  it('is free on both addresses of localhost', async () => {
    const servers = [createServer(), createServer()];
    onTestFinished(() => servers.forEach((server) => server.close()));
    const left = [...servers];
    const port = await listenOnLocalhost(0, () => left.shift() ?? createServer());
    const addresses = servers.map((server) => server.address() as AddressInfo | null);
    expect(addresses[0]).toMatchObject({ address: '127.0.0.1', port });
    if (addresses[1] !== null) expect(addresses[1]).toMatchObject({ address: '::1', port });
    expect(portHolder(port)?.pid).toBe(process.pid);
    await freeRegistryPort(0, stepLog());
  });
});
