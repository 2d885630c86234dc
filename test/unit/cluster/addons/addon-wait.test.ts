import { describe, expect, it } from 'vitest';
import { waitForAddons, type AwaitedAddons } from '../../../../src/cluster/addons/addon-wait.ts';
import { KnestError } from '../../../../src/errors.ts';
import { parseManifest } from '../../../../src/host/api/manifest.ts';
import type { KubernetesObject } from '../../../../src/host/api/objects.ts';
import { refusal } from '../../../support/api-server.ts';
import { clientOfStore } from '../../host/store.ts';
import { rejection } from '../../rejection.ts';
import { condition } from '../samples.ts';

const cluster = { name: 'pr', namespace: 'knest' };
const objects = parseManifest(`
{apiVersion: apps/v1, kind: Deployment, metadata: {name: d, namespace: n}, spec: {selector: {matchLabels: {app: d}}}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: n}}
`);
const runs = { status: { conditions: [condition('Available', 'True')] } };
const worker: KubernetesObject = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'worker', namespace: '' } };

function set(status: 'True' | 'False', message = ''): KubernetesObject {
  const applied = (text: string) => [condition('ResourcesApplied', status, { message: text })];
  return {
    apiVersion: 'addons.cluster.x-k8s.io/v1beta2',
    kind: 'ClusterResourceSet',
    metadata: { name: 'pr-addons', labels: { 'cluster.x-k8s.io/cluster-name': 'pr' } },
    status: { conditions: applied('Failed to apply'), deprecated: { v1beta1: { conditions: applied(message) } } },
  } as KubernetesObject;
}

interface Given {
  readonly host: readonly KubernetesObject[];
  readonly nested: readonly KubernetesObject[];
  readonly more?: Partial<AwaitedAddons>;
  /** Milliseconds until the time is up. */
  readonly timeout?: number;
}

/** Waits for add-ons. Returns the result with the log. */
async function waiting({ host, nested, more = {}, timeout = 20_000 }: Given) {
  const ofHost = await clientOfStore();
  for (const object of host) ofHost.store.put(object);
  const ofNested = await clientOfStore(({ path, method }) => {
    // A dry run of what exists.
    if (method === 'POST' && path.includes('/configmaps')) return refusal(422, 'Invalid', 'not in this namespace');
    return undefined;
  });
  for (const object of nested) ofNested.store.put(object);
  const lines: string[] = [];
  const timeUp = new AbortController();
  const timer = setTimeout(() => timeUp.abort(new KnestError({ code: 'KNEST_TIMEOUT', problem: 'late' })), timeout);
  const addons = { host: ofHost.client, nested: ofNested.client, cluster, objects, runsPods: true, ...more };
  const result = waitForAddons(addons, { line: (text) => lines.push(text) }, timeUp.signal);
  return { result: result.finally(() => clearTimeout(timer)), lines };
}

const deployment = (parts: object = {}): KubernetesObject => {
  const [object] = objects;
  if (object === undefined) throw new Error('no object');
  return { ...object, ...parts };
};

describe('waitForAddons', () => {
  it('ends once the set is applied and the workloads run', async () => {
    const { result, lines } = await waiting({ host: [set('True')], nested: [worker, deployment(runs)] });
    expect(await result).toBe('all run');
    expect(lines).toEqual(['Deployment n/d: available']);
  });

  it('ends with what is missing, and the reason of both generations of conditions', async () => {
    const failed = 'creating object: no matches for kind "Widget"';
    const nested = [worker, deployment()];
    const { result, lines } = await waiting({ host: [set('False', failed)], nested, timeout: 500 });
    expect(await rejection(result)).toMatchObject({
      code: 'KNEST_TIMEOUT',
      evidence: [
        `resource set pr-addons is not applied yet: ${failed}`,
        'Deployment n/d is not available (no status yet)',
        expect.stringMatching(/^Deployment n\/d: /),
        'ConfigMap n/c: not in this namespace',
      ],
    });
    expect(lines).toEqual([]);
  });

  it('names what no node takes at once, and does not wait for it', async () => {
    const taints = [{ key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' }];
    const controlPlane = { ...worker, spec: { taints } };
    const { result, lines } = await waiting({ host: [set('True')], nested: [controlPlane] });
    expect(await result).toBe('0 run, 1 cannot');
    expect(lines).toEqual([
      'Deployment n/d cannot run: no worker, and its pods do not tolerate the taint of control planes',
    ]);
  });

  it('waits for the set alone where no pod runs', async () => {
    const { result } = await waiting({ host: [set('True')], nested: [], more: { runsPods: false } });
    expect(await result).toBe('applied');
  });
});
