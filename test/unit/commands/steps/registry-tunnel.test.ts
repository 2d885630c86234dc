import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { findRegistryTunnel, saveRegistryTunnel } from '../../../../src/commands/steps/registry-tunnel.ts';
import { clusterOf } from '../../cluster/samples.ts';
import { identify } from '../../../../src/runner/background.ts';

const READY = { port: 40001, registryPort: 5000 };

/** What a later step finds of a tunnel that this process stands for. */
async function found({
  uid = 'u-1',
  port = 5000,
  claim = undefined as string | undefined,
  startTime = '',
  attempt = '1',
} = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'knest-note-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const host = { hostKubeconfigFile: '/host' };
  const settings = { name: 'demo', namespace: 'knest', uid: 'u-1', claim: 'mine', host, registryPort: 0 };
  const self = identify(process.pid) ?? { pid: 0, startTime: '' };
  const env = { GITHUB_RUN_ID: '7', GITHUB_RUN_ATTEMPT: '1', GITHUB_JOB: 'test' };
  const cluster = clusterOf();
  const listener = { ...self, ...(startTime !== '' && { startTime }) };
  await saveRegistryTunnel(settings, listener, READY, { directory, env });
  return findRegistryTunnel({ ...cluster, metadata: { ...cluster.metadata, uid } }, port, claim, {
    directory,
    env: { ...env, GITHUB_RUN_ATTEMPT: attempt },
  });
}

it.each([
  ['by a step that does not claim the cluster', {}],
  ['by a step with the same claim', { claim: 'mine' }],
])('the tunnel to a registry is shared %s', async (_who, step) => {
  expect(await found(step)).toMatchObject(READY);
});

it.each([
  ['to an earlier cluster of that name', { uid: 'u-2' }],
  ['to a registry on another port', { port: 5001 }],
  ['that ends since this step claimed the cluster', { claim: 'theirs' }],
  ['of an earlier attempt, whose files are still there', { attempt: '2' }],
  ['whose process has ended, and whose number another one has', { startTime: '1' }],
])('a tunnel %s is not shared', async (_what, step) => {
  expect(await found(step)).toBeUndefined();
});
