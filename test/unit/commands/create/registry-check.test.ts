import { describe, expect, it } from 'vitest';
import { checkRegistry } from '../../../../src/commands/create/registry-check.ts';
import type { RenderedCluster } from '../../../../src/cluster/template/plan.ts';
import type { Runtime } from '../../../../src/runtime.ts';
import { clusterOf } from '../../cluster/samples.ts';
import { clientOfStore } from '../../host/store.ts';
import { readChosen } from '../../inputs/given-inputs.ts';
import { rejection } from '../../rejection.ts';

const controlPlane = { apiVersion: 'v1beta2', kind: 'KubeadmControlPlane', metadata: { name: 'pr-cp' } };
const rendered: RenderedCluster = {
  cluster: clusterOf({ spec: { controlPlaneRef: { kind: 'KubeadmControlPlane' } } }),
  others: [controlPlane],
  machines: { controlPlane: 1, workers: 0 },
};

/** Checks a create on a host that has a Cluster with these annotations; undefined: none. Returns the result or the warnings. */
async function check(
  existing: Readonly<Record<string, string>> | undefined,
  { inputs = { registry: 'true', 'registry-port': '0' }, env = {}, of = rendered } = {},
) {
  const { client, store, received } = await clientOfStore();
  const cluster = clusterOf();
  if (existing !== undefined) store.put({ ...cluster, metadata: { ...cluster.metadata, annotations: existing } });
  const warnings: string[] = [];
  const results: string[] = [];
  const step = async (_name: string, work: (log: object) => Promise<{ result: string }>): Promise<void> =>
    void results.push((await work({ line: () => undefined })).result);
  const log = { step, warn: (text: string) => void warnings.push(text) };
  const runtime = { env, directory: '/nowhere', report: { log } } as unknown as Runtime;
  const identity = { name: 'pr', namespace: 'knest', claim: 'mine', ephemeral: true };
  await checkRegistry(client, identity, of, readChosen(inputs), runtime);
  return { results, warnings, received };
}

describe('the check for a registry', () => {
  it('looks at nothing when none is asked for', async () => {
    expect(await check({}, { inputs: { registry: 'false', 'registry-port': '0' } })).toEqual({
      results: [],
      warnings: [],
      received: [],
    });
  });

  it('refuses a cluster that was created without one', async () => {
    const failure = await rejection(check({}));
    expect(failure).toMatchObject({
      code: 'KNEST_INPUT',
      problem: 'registry: Cluster knest/pr was created without a registry, and its nodes would not find one',
    });
  });

  it('lets pass a new cluster, one whose nodes are not made yet, and one that has the registry on another port', async () => {
    expect((await check(undefined)).results).toEqual(['on a free port']);
    expect((await check({ 'knest-action/unfinished': 'true' })).results).toEqual(['on a free port']);
    const [result] = (await check({ 'knest-action/registry-port': '41234' })).results;
    expect(result).toBe('localhost:41234 is free');
  });

  it('refuses machines that kubeadm does not set up', async () => {
    const cluster = clusterOf({ spec: { controlPlaneRef: { kind: 'RKE2ControlPlane' } } });
    const failure = await rejection(check(undefined, { of: { ...rendered, cluster } }));
    expect(failure).toMatchObject({
      code: 'KNEST_INPUT',
      problem: expect.stringContaining('RKE2ControlPlane') as string,
    });
  });

  it('warns of a docker daemon elsewhere', async () => {
    const { warnings } = await check(undefined, { env: { DOCKER_HOST: 'tcp://10.0.0.1:2375' } });
    expect(warnings).toEqual([expect.stringContaining('docker push may not reach the registry')]);
  });
});
