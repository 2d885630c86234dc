import { describe, expect, it } from 'vitest';
import { kubevirt } from '../../../../src/cluster/engines/kubevirt.ts';
import type { DeadEnd } from '../../../../src/cluster/status/dead-end.ts';
import { findDeadEnd } from '../../../../src/cluster/status/find-dead-end.ts';
import { withReason } from '../../../../src/cluster/status/refused-service.ts';
import type { Condition, KubernetesObject } from '../../../../src/host/api/objects.ts';
import { refusal, type Answer } from '../../../support/api-server.ts';
import { clientOfStore } from '../../host/store.ts';
import { clusterOf, condition, viewOf } from '../samples.ts';

const cluster = clusterOf({ spec: { infrastructureRef: { kind: 'KubevirtCluster', name: 'pr' } } });

/** A KubevirtCluster with this message of its provider. */
function infrastructure(message: string, more: object = {}, status: Condition['status'] = 'False'): KubernetesObject {
  const labels = { team: 'a' };
  return {
    apiVersion: 'infrastructure.cluster.x-k8s.io/v1alpha1',
    kind: 'KubevirtCluster',
    metadata: { name: 'pr', namespace: 'knest' },
    spec: { controlPlaneServiceTemplate: { metadata: { labels }, spec: { type: 'NodePort' } }, ...more },
    status: { conditions: [condition('LoadBalancerAvailable', status, { message })] },
  } as KubernetesObject;
}

const constant = infrastructure('proto: integer overflow');

function deadEndOf(infrastructureCluster: KubernetesObject, age = 60): DeadEnd | undefined {
  return findDeadEnd(viewOf({ cluster, infrastructureCluster }), () => age);
}

describe('a Service that the provider of KubeVirt cannot create', () => {
  it('is a dead end after a minute, with the Service as the provider makes it', () => {
    expect(deadEndOf(constant, 59)).toBeUndefined();
    expect(deadEndOf(constant)).toMatchObject({
      code: 'KNEST_INFRASTRUCTURE',
      problem: 'its provider cannot create Service knest/pr-lb, and does not report why',
      refused: {
        kind: 'Service',
        metadata: { name: 'pr-lb', namespace: 'knest', labels: { team: 'a', 'cluster.x-k8s.io/cluster-name': 'pr' } },
        spec: {
          type: 'NodePort',
          ports: [{ port: 6443 }],
          selector: { 'cluster.x-k8s.io/cluster-name': 'pr', 'cluster.x-k8s.io/role': 'control-plane' },
        },
      },
    });
  });

  it('is one in the namespace that a template names for it', () => {
    const controlPlaneServiceTemplate = { metadata: { namespace: 'edge' } };
    expect(
      deadEndOf(infrastructure('proto: integer overflow', { controlPlaneServiceTemplate }))?.refused,
    ).toMatchObject({
      metadata: { name: 'pr-lb', namespace: 'edge' },
    });
    const bare = infrastructure('proto: integer overflow', { controlPlaneServiceTemplate: undefined });
    expect(deadEndOf(bare)?.refused?.metadata.namespace).toBe('knest');
  });

  it.each([
    ['the provider only waits', infrastructure('the load balancer external IP is not ready yet')],
    ['there is one by now', infrastructure('proto: integer overflow', {}, 'True')],
    [
      'it is on another cluster',
      infrastructure('proto: integer overflow', { infraClusterSecretRef: { name: 'infra' } }),
    ],
  ])('is not a dead end when %s', (_what, object) => {
    expect(deadEndOf(object)).toBeUndefined();
  });

  it('is not looked for on engines whose provider gives the reason', () => {
    const virtink = clusterOf({ spec: { infrastructureRef: { kind: 'VirtinkCluster', name: 'pr' } } });
    expect(findDeadEnd(viewOf({ cluster: virtink, infrastructureCluster: constant }), () => 60)).toBeUndefined();
  });
});

describe('withReason', () => {
  const explain = async (answer: Answer): Promise<{ deadEnd: DeadEnd; paths: readonly string[] }> => {
    const { client, received } = await clientOfStore(({ method }) => (method === 'POST' ? answer : undefined));
    const refused = kubevirt.refusedService?.(constant, 'pr');
    const deadEnd = deadEndOf(constant);
    if (refused === undefined || deadEnd === undefined) throw new Error('unreachable');
    return { deadEnd: await withReason(client, deadEnd), paths: received.map(({ path }) => path) };
  };

  it.each([
    refusal(403, 'Forbidden', 'services "pr-lb" is forbidden: exceeded quota: none, requested: services=1'),
    refusal(403, 'Forbidden', 'admission webhook "x" denied the request: no Services here'),
    refusal(422, 'Invalid', 'Service "pr-lb" is invalid: spec.type: Unsupported value'),
    refusal(500, 'InternalError', 'failed calling webhook "x": no endpoints available'),
  ])('has the answer of the host to a dry run: %#', async (answer) => {
    const { deadEnd, paths } = await explain(answer);
    const { message } = (answer as { body: { message: string } }).body;
    expect(deadEnd.problem).toBe(`the host refuses Service pr-lb: ${message}`);
    expect(paths).toEqual(['/api/v1/namespaces/knest/services?dryRun=All']);
  });

  it('has the command that shows the reason when these credentials may not create Services', async () => {
    const message = 'services is forbidden: User "ci" cannot create resource "services" in API group ""';
    const { deadEnd } = await explain(refusal(403, 'Forbidden', message));
    expect(deadEnd).toMatchObject({
      problem: expect.stringContaining('does not report why') as string,
      evidence: [expect.stringContaining(message)],
      next: expect.stringContaining(
        'kubectl create service clusterip pr-lb --tcp=6443 --dry-run=server -n knest',
      ) as string,
    });
  });

  it('has the same when the host accepts the Service from these credentials', async () => {
    const { deadEnd } = await explain({ status: 201, body: {} });
    expect(deadEnd).toMatchObject({
      problem: expect.stringContaining('does not report why') as string,
      evidence: ['dry run: the host accepts it from the credentials of this job'],
    });
  });

  it('leaves any other dead end as it is', async () => {
    const { client, received } = await clientOfStore();
    const other: DeadEnd = { code: 'KNEST_BOOTSTRAP', problem: 'p', evidence: [], next: 'n' };
    expect(await withReason(client, other)).toBe(other);
    expect(received).toEqual([]);
  });
});
