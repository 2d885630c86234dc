import { describe, expect, it } from 'vitest';
import { planScale, requestScale } from '../../../../src/cluster/lifecycle/scale.ts';
import type { Cluster, Scalable } from '../../../../src/host/api/cluster-api-objects.ts';
import type { Replicas } from '../../../../src/values/replicas.ts';
import { hostWith } from '../../host/fake-host.ts';
import { clientOf, json, refuse } from '../../host/server.ts';
import { rejection } from '../../rejection.ts';
import { clusterOf, scalable } from '../samples.ts';

const controlPlanes = '/apis/controlplane.cluster.x-k8s.io/v1beta2/namespaces/knest/kubeadmcontrolplanes';
const deployments = '/apis/cluster.x-k8s.io/v1beta2/namespaces/knest/machinedeployments';
const clusterPath = '/apis/cluster.x-k8s.io/v1beta2/namespaces/knest/clusters/pr';
const controlPlaneRef = { kind: 'KubeadmControlPlane', name: 'pr-masters' };
const masters = scalable('KubeadmControlPlane', 'pr-masters', { spec: { replicas: 1 } });
/** A MachineDeployment. One of a topology has the name that it has there. */
const deployment = (name: string, replicas: number, ofTopology?: string): Scalable => {
  const { metadata, ...rest } = scalable('MachineDeployment', name, { spec: { replicas } });
  const labels = ofTopology === undefined ? {} : { 'topology.cluster.x-k8s.io/deployment-name': ofTopology };
  return { ...rest, metadata: { ...metadata, labels } };
};
const pool = deployment('pr-pool-x7', 1);
const asIs: Replicas = { controlPlane: undefined, workers: undefined, machineDeployment: undefined };
const both: Replicas = { ...asIs, controlPlane: 3, workers: 2 };
const withDeployments = (...items: readonly object[]): Readonly<Record<string, unknown>> => ({
  [`${controlPlanes}/pr-masters`]: masters,
  [deployments]: { items },
});

/** The requests that scale a cluster with these MachineDeployments: path and body each. */
async function requests(
  cluster: Cluster,
  replicas: Replicas,
  deploymentsOfIt: readonly Scalable[] = [pool],
): Promise<readonly (readonly [string, unknown])[]> {
  const named = deploymentsOfIt.map((one) => [`${deployments}/${one.metadata.name}`, one] as const);
  const { client, received } = await hostWith({
    ...withDeployments(...deploymentsOfIt),
    ...Object.fromEntries(named),
    [clusterPath]: cluster,
  });
  await requestScale(client, cluster, await planScale(client, cluster, replicas));
  return received
    .filter(({ method }) => method === 'PATCH')
    .map(({ path, body }) => [path.replace(/\?.*/, ''), JSON.parse(body)] as const);
}

describe('a scale', () => {
  it('finds control plane and workers by reference and label, whatever their names are', async () => {
    expect(await requests(clusterOf({ spec: { controlPlaneRef } }), both)).toEqual([
      [`${controlPlanes}/pr-masters`, { spec: { replicas: 3 } }],
      [`${deployments}/pr-pool-x7`, { spec: { replicas: 2 } }],
    ]);
  });

  it('changes the named MachineDeployment of several', async () => {
    const gpu = deployment('pr-gpu', 4);
    const cluster = clusterOf({ spec: { controlPlaneRef } });
    const named = { ...asIs, workers: 2, machineDeployment: 'pr-gpu' };
    expect(await requests(cluster, named, [pool, gpu])).toEqual([[`${deployments}/pr-gpu`, { spec: { replicas: 2 } }]]);
  });

  describe('of a cluster with a ClusterClass', () => {
    const machineDeployments = [
      { name: 'pool', class: 'default', replicas: 1 },
      { name: 'gpu', class: 'large', replicas: 4 },
    ];
    const cluster = clusterOf({ spec: { controlPlaneRef, topology: { workers: { machineDeployments } } } });
    const made = [deployment('pr-pool-x7', 1, 'pool'), deployment('pr-gpu-k2', 4, 'gpu')];
    const patched = (topology: object): readonly unknown[] => [clusterPath, { metadata: {}, spec: { topology } }];

    it.each(['gpu', 'pr-gpu-k2'])(
      'changes the topology, and nothing that comes from it: %s',
      async (machineDeployment) => {
        expect(await requests(cluster, { ...both, machineDeployment }, made)).toEqual([
          patched({
            controlPlane: { replicas: 3 },
            workers: { machineDeployments: [machineDeployments[0], { name: 'gpu', class: 'large', replicas: 2 }] },
          }),
        ]);
      },
    );

    it('leaves out the workers when their number stays the same', async () => {
      expect(await requests(cluster, { ...asIs, controlPlane: 3 }, made)).toEqual([
        patched({ controlPlane: { replicas: 3 } }),
      ]);
    });

    it('changes a MachineDeployment directly that is not part of the topology', async () => {
      const beside = deployment('pr-beside', 1);
      expect(
        await requests(cluster, { ...asIs, workers: 2, machineDeployment: 'pr-beside' }, [...made, beside]),
      ).toEqual([[`${deployments}/pr-beside`, { spec: { replicas: 2 } }]]);
    });
  });

  describe('of a ClusterClass Cluster that a controller changes first', () => {
    const read = (uid: string, resourceVersion: string): Cluster => ({
      ...clusterOf({
        spec: { topology: { workers: { machineDeployments: [{ name: 'pool' }, { name: resourceVersion }] } } },
      }),
      metadata: { name: 'pr', namespace: 'knest', uid, resourceVersion },
    });
    /** Scales a Cluster that has changed by then. Returns the requests. */
    const scaled = async (uid: string): Promise<readonly string[]> => {
      const { client, received } = await clientOf((response, number, { method }) => {
        if (number === 0) refuse(response, 409);
        else json(response, method === 'GET' ? read(uid, 'new') : {});
      });
      const workers = { object: deployment('pr-pool-x7', 1, 'pool'), replicas: 2 };
      const plan = { controlPlane: undefined, workers, machines: { controlPlane: 1, workers: 2 } };
      const asked = requestScale(client, read('ours', 'old'), plan);
      if (uid === 'ours') await asked;
      else expect(await rejection(asked)).toMatchObject({ code: 'KNEST_SCALE' });
      return received.map(({ method, body }) => `${method} ${body}`.trim());
    };
    const patch = (version: string): string =>
      `PATCH {"metadata":{"resourceVersion":"${version}"},"spec":{"topology":{"workers":{"machineDeployments":[{"name":"pool","replicas":2},{"name":"${version}"}]}}}}`;

    it('reads it and sends the request again', async () => {
      expect(await scaled('ours')).toEqual([patch('old'), 'GET', patch('new')]);
    });

    it('retries a few times, with pauses, when it changes every time', async () => {
      const { client, received } = await clientOf((response, _number, { method }) => {
        if (method === 'GET') json(response, read('ours', 'new'));
        else refuse(response, 409);
      });
      const workers = { object: deployment('pr-pool-x7', 1, 'pool'), replicas: 2 };
      const plan = { controlPlane: undefined, workers, machines: { controlPlane: 1, workers: 2 } };
      const asked = requestScale(client.until(AbortSignal.timeout(1_000)), read('ours', 'old'), plan);
      expect(await rejection(asked)).toMatchObject({ name: 'TimeoutError' });
      expect(received.length).toBeLessThan(10);
    });

    it('stops when it is another Cluster of the same name', async () => {
      expect(await scaled('theirs')).toEqual([patch('old'), 'GET']);
    });
  });

  const cannot = async (
    answers: Readonly<Record<string, unknown>>,
    kind = 'KubeadmControlPlane',
    replicas = both,
  ): Promise<string> => {
    const { client } = await hostWith(answers);
    const cluster = clusterOf({ spec: { controlPlaneRef: { ...controlPlaneRef, kind } } });
    const error = await rejection(planScale(client, cluster, replicas));
    expect(error).toMatchObject({ code: 'KNEST_SCALE' });
    return (error as Error).message.split('\n')[0] ?? '';
  };

  it('fails when it is unclear which machines to scale', async () => {
    expect(await cannot(withDeployments(pool, deployment('pr-gpu', 4)))).toBe(
      'pr cannot be scaled: it has several MachineDeployments (pr-pool-x7, pr-gpu) (KNEST_SCALE)',
    );
    const named = { ...both, machineDeployment: 'pr-gpus' };
    expect(await cannot(withDeployments(pool), 'KubeadmControlPlane', named)).toBe(
      'pr cannot be scaled: it has no MachineDeployment pr-gpus (KNEST_SCALE)',
    );
    expect(await cannot(withDeployments())).toBe('pr cannot be scaled: it has no MachineDeployment (KNEST_SCALE)');
    expect(await cannot(withDeployments(pool), 'KamajiControlPlane')).toMatch(
      /its control plane is KamajiControlPlane,/,
    );
  });

  it('fails when an autoscaler manages the workers', async () => {
    const annotations = { 'cluster.x-k8s.io/cluster-api-autoscaler-node-group-max-size': '5' };
    const theirs = { ...pool, metadata: { ...pool.metadata, annotations } };
    expect(await cannot(withDeployments(theirs))).toMatch(/an autoscaler controls its workers/);
  });

  it('plans the total of machines, including those that stay', async () => {
    const cluster = clusterOf({ spec: { controlPlaneRef } });
    const { client } = await hostWith(withDeployments(pool, deployment('pr-gpu', 4)));
    const machines = async (replicas: Partial<Replicas>): Promise<object> =>
      (await planScale(client, cluster, { ...asIs, ...replicas })).machines;
    expect(await machines({ controlPlane: 3 })).toEqual({ controlPlane: 3, workers: 5 });
    expect(await machines({ workers: 0, machineDeployment: 'pr-gpu' })).toEqual({ controlPlane: 1, workers: 1 });
  });

  it('accepts zero workers when there are none', async () => {
    const { client } = await hostWith(withDeployments());
    const plan = await planScale(client, clusterOf({ spec: { controlPlaneRef } }), { ...both, workers: 0 });
    expect(plan).toMatchObject({ workers: undefined, machines: { controlPlane: 3, workers: 0 } });
  });
});
