import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { until } from '../host/process.ts';
import type { StepResult } from '../support/runner.ts';
import { annotations, cleanUp, makeJob, startMirror, startServer } from './support.ts';

const mirrors: { close(): void; closeAllConnections(): void }[] = [];
afterAll(cleanUp);
afterAll(() => {
  for (const mirror of mirrors) {
    mirror.closeAllConnections();
    mirror.close();
  }
});

/** Seconds for a command with a timeout of 5 s and its start on a busy machine. A hanging request takes 30 s. */
const IN_TIME = 20;

function expectTimeout(result: StepResult, timeout = '5s', inTime = IN_TIME): void {
  expect(annotations(result, 'error'), result.log).toEqual([`timed out after ${timeout} (KNEST_TIMEOUT)`]);
  expect(result.exitCode).toBe(1);
  expect(result.seconds).toBeLessThan(inTime);
}

/** A mirror that sends the first bytes of an answer, and one more each 100 ms; with no bytes at all it is silent. */
async function startSlowMirror(first: string): Promise<string> {
  const server = createServer((_request, response) => {
    if (first === '') return;
    response.writeHead(200, { 'content-length': 1_000_000 }).write(first);
    const timer = setInterval(() => response.write('x'), 100);
    response.on('close', () => clearInterval(timer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  mirrors.push(server);
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** An API server that lets the Lease be taken, so that the installation begins. */
async function startHost(): ReturnType<typeof startServer> {
  return startServer({
    isAdministrator: true,
    answer: ({ method, body }) => (method === 'POST' && isLease(body) ? { status: 201, body } : undefined),
  });
}

function isLease(body: unknown): body is object {
  return typeof body === 'object' && body !== null && 'kind' in body && body.kind === 'Lease';
}

/** Records its own process and a child process. Both ignore SIGTERM. */
const stubborn = `#!/bin/sh
trap '' TERM
echo $$ >> "$XDG_CONFIG_HOME/pids"
sh -c 'trap "" TERM; echo $$ >> "$XDG_CONFIG_HOME/pids"; while :; do sleep 1; done' &
while :; do sleep 1; done
`;

describe.concurrent('the timeout ends', () => {
  it.each([
    ['a mirror that is silent', ''],
    ['a mirror that sends a few bytes at a time', 'a'.repeat(64)],
  ])('a download: %s', async (_what, first) => {
    const server = await startHost();
    const mirror = await startSlowMirror(first);
    const inputs = { mirror, 'checksum-policy': 'mirror', timeout: '5s', 'host-kubeconfig': server.kubeconfig() };
    expectTimeout(await makeJob(inputs).main());
  });

  it('a download that has begun, and the log says how many bytes arrived', async () => {
    const server = await startHost();
    const slow = await startSlowMirror('apiVersion: v1');
    const url = `${slow}/t.yaml`;
    const source = `${url}#sha256=${'0'.repeat(64)}`;
    const inputs = { infrastructure: 'virtink', 'cluster-template': source, timeout: '5s' };
    const result = await makeJob({ ...inputs, 'host-kubeconfig': server.kubeconfig() }).main();
    expectTimeout(result);
    expect(result.log).toMatch(/the download of http:\S+\/t\.yaml is incomplete: \d+ bytes received/);
  });

  it('clusterctl and its child processes, even if they ignore SIGTERM', async () => {
    const server = await startHost();
    const mirror = await startMirror((path) => (path.includes('/clusterctl-') ? stubborn : 'kind: List'));
    const job = makeJob({
      ...mirror,
      // Time for clusterctl to start on a busy machine.
      timeout: '10s',
      'host-kubeconfig': server.kubeconfig(),
    });
    const running = job.main();
    const file = join(job.temp, 'knest', 'pids');
    const pids = (): string[] => (existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : []);
    await until('clusterctl', 40_000, () => pids().length === 2);
    // Processes that ignore SIGTERM get 2 s more.
    expectTimeout(await running, '10s', 2 * IN_TIME);
    for (const pid of pids()) await until(`the end of ${pid}`, 10_000, () => !isAlive(pid));
  });
});

/** Whether there is such a process. One that has ended may still wait for its parent. */
function isAlive(pid: string): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
