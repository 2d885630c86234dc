import { afterAll, expect, it } from 'vitest';
import type { Answer, Received } from '../support/api-server.ts';
import type { StepResult } from '../support/runner.ts';
import { annotations, cleanUp, makeJob, startServer } from './support.ts';

afterAll(cleanUp);

const labels = {
  'knest-action/managed': 'true',
  'knest-action/server': 'github.com',
  'knest-action/repository-id': '1296269',
};

/** An object that was created, and perhaps deleted, so many minutes ago. */
function objectOf(name: string, cluster: string, { created = 300, deleted }: { created?: number; deleted?: number }) {
  const at = (minutes: number): string => new Date(Date.now() - minutes * 60_000).toISOString();
  return {
    metadata: {
      name,
      namespace: 'knest',
      uid: name,
      resourceVersion: '1',
      creationTimestamp: at(created),
      labels: { ...labels, 'cluster.x-k8s.io/cluster-name': cluster },
      ...(deleted !== undefined && { deletionTimestamp: at(deleted), finalizers: ['held'] }),
    },
  };
}

/** Cleans up a host with these objects. */
async function cleanUpOn(
  lists: Readonly<Record<string, readonly object[]>>,
  inputs: Readonly<Record<string, string>> = {},
): Promise<StepResult> {
  const answer = ({ method, path }: Received): Answer | undefined => {
    const plural = /\/namespaces\/knest\/(\w+)\?/.exec(path)?.[1];
    // A host without KubeVirt, which has a kind of the same plural as Virtink.
    if (method !== 'GET' || plural === undefined || path.startsWith('/apis/kubevirt.io/')) return undefined;
    return { status: 200, body: { metadata: { resourceVersion: '1' }, items: lists[plural] ?? [] } };
  };
  const server = await startServer({ isAdministrator: true, answer });
  const result = await makeJob({ command: 'cleanup', 'host-kubeconfig': server.kubeconfig(), ...inputs }).main();
  expect(server.writes).toEqual([]);
  return result;
}

const hanging = { clusters: [objectOf('old', 'old', { deleted: 90 })], machines: [objectOf('m', 'old', {})] };

it.each([{}, { 'dry-run': 'true' }])(
  'a deletion that hangs for more than an hour fails every run: %o',
  async (inputs) => {
    const result = await cleanUpOn(hanging, inputs);
    const line = /knest: deletion requested 1h30m(\d+s)? ago; Cluster old waits for held; left: Machine m/;
    expect(result.exitCode).toBe(1);
    expect(annotations(result, 'error')).toEqual(['1 leftover is older than an hour (KNEST_DELETE)']);
    expect(result.log).toMatch(line);
    expect(result.summary).toMatch(line);
  },
);

it('machines and disks without a Cluster that are older than an hour fail the run', async () => {
  const result = await cleanUpOn({
    virtualmachines: [objectOf('vm', 'gone', {})],
    persistentvolumeclaims: [objectOf('vm-rootfs', 'gone', {})],
  });
  expect(annotations(result, 'error')).toEqual(['2 leftovers are older than an hour (KNEST_DELETE)']);
  expect(result.log).toMatch(/knest: VirtualMachine vm; its Cluster gone is gone; created 5h(\d+s)? ago/);
});

it('deletions that started less than an hour ago are reported, and the run succeeds', async () => {
  const result = await cleanUpOn({
    clusters: [objectOf('old', 'old', { deleted: 30 })],
    virtualmachines: [objectOf('vm', 'gone', { deleted: 30 })],
  });
  expect(result.exitCode, result.log).toBe(0);
  expect(result.log).toMatch(/knest: deletion requested 30m(\d+s)? ago; Cluster old waits for held/);
  expect(result.log).toContain('knest: VirtualMachine vm waits for held; its Cluster gone is gone;');
  expect(result.log).toContain('2 to look at');
});

it('refuses a repository ID that does not match the clusters, instead of never finding any', async () => {
  const { metadata } = objectOf('ours', 'ours', {});
  const marks = { 'knest-action/repository': 'octo-org/octo-repo' };
  const clusters = [
    { metadata: { ...metadata, annotations: marks, labels: { ...labels, 'knest-action/repository-id': '42' } } },
  ];
  const result = await cleanUpOn({ clusters });
  expect(result.exitCode).toBe(1);
  expect(annotations(result, 'error')).toEqual([
    'GITHUB_REPOSITORY_ID is 1296269, but the clusters of octo-org/octo-repo are labelled with 42 (KNEST_RUNNER)',
  ]);
});
