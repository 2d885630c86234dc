import { describe, expect, it } from 'vitest';
import { findScaleTargets, requestScale } from '../../../src/cluster/scale.ts';
import type { Cluster } from '../../../src/host/objects.ts';
import { hostWith } from '../host/fake-host.ts';
import { clientOf, json, refuse } from '../host/server.ts';
import { rejection } from '../rejection.ts';
import { clusterOf, scalable } from './samples.ts';

const controlPlanes = '/apis/controlplane.cluster.x-k8s.io/v1beta2/namespaces/knest/kubeadmcontrolplanes';
const deployments = '/apis/cluster.x-k8s.io/v1beta2/namespaces/knest/machinedeployments';
const clusterPath = '/apis/cluster.x-k8s.io/v1beta2/namespaces/knest/clusters/pr';
const controlPlaneRef = { kind: 'KubeadmControlPlane', name: 'pr-masters' };
const masters = scalable('KubeadmControlPlane', 'pr-masters', { spec: { replicas: 1 } });
const pool = scalable('MachineDeployment', 'pr-pool-x7', { spec: { replicas: 1 } });
const both = { controlPlane: 3, workers: 2 };
const withDeployments = (...items: readonly object[]): Readonly<Record<string, unknown>> => ({
  [`${controlPlanes}/pr-masters`]: masters,
  [deployments]: { items },
});

/** What is sent to scale a cluster: path and body each. */
async function requests(
  cluster: Cluster,
  replicas: Parameters<typeof requestScale>[3],
): Promise<readonly (readonly [string, unknown])[]> {
  const { client, received } = await hostWith({
    ...withDeployments(pool),
    [`${deployments}/pr-pool-x7`]: pool,
    [clusterPath]: cluster,
  });
  const targets = await findScaleTargets(client, cluster, replicas);
  await requestScale(client, cluster, targets, replicas);
  return received
    .filter(({ method }) => method === 'PATCH')
    .map(({ path, body }) => [path.replace(/\?.*/, ''), JSON.parse(body)] as const);
}

describe('what is scaled', () => {
  it('is found by reference and label, whatever it is called', async () => {
    expect(await requests(clusterOf({ spec: { controlPlaneRef } }), both)).toEqual([
      [`${controlPlanes}/pr-masters`, { spec: { replicas: 3 } }],
      [`${deployments}/pr-pool-x7`, { spec: { replicas: 2 } }],
    ]);
  });

  it('is the topology of a cluster of a ClusterClass, and nothing that it makes', async () => {
    const machineDeployments = [{ name: 'pool', class: 'default', replicas: 1 }];
    const spec = { controlPlaneRef, topology: { workers: { machineDeployments } } };
    expect(await requests(clusterOf({ spec }), both)).toEqual([
      [
        clusterPath,
        {
          metadata: {},
          spec: {
            topology: {
              controlPlane: { replicas: 3 },
              workers: { machineDeployments: [{ name: 'pool', class: 'default', replicas: 2 }] },
            },
          },
        },
      ],
    ]);
    expect(await requests(clusterOf({ spec }), { controlPlane: 3, workers: undefined })).toEqual([
      [clusterPath, { metadata: {}, spec: { topology: { controlPlane: { replicas: 3 } } } }],
    ]);
  });

  describe('when a controller writes to the Cluster of a ClusterClass first', () => {
    const read = (uid: string, resourceVersion: string): Cluster => ({
      ...clusterOf({ spec: { topology: { workers: { machineDeployments: [{ name: resourceVersion }] } } } }),
      metadata: { name: 'pr', namespace: 'knest', uid, resourceVersion },
    });
    /** Scales a Cluster that is another by then. Resolves what is sent. */
    const scaled = async (uid: string): Promise<readonly string[]> => {
      const { client, received } = await clientOf((response, number, { method }) => {
        if (number === 0) refuse(response, 409);
        else json(response, method === 'GET' ? read(uid, 'new') : {});
      });
      const targets = { controlPlane: masters, workers: pool };
      const asked = requestScale(client, read('ours', 'old'), targets, { controlPlane: undefined, workers: 2 });
      if (uid === 'ours') await asked;
      else expect(await rejection(asked)).toMatchObject({ status: 409 });
      return received.map(({ method, body }) => `${method} ${body}`.trim());
    };
    const patch = (version: string): string =>
      `PATCH {"metadata":{"resourceVersion":"${version}"},"spec":{"topology":{"workers":{"machineDeployments":[{"name":"${version}","replicas":2}]}}}}`;

    it('is read and asked again', async () => {
      expect(await scaled('ours')).toEqual([patch('old'), 'GET', patch('new')]);
    });

    it('is not, when it is another Cluster of the same name', async () => {
      expect(await scaled('theirs')).toEqual([patch('old'), 'GET']);
    });
  });

  const cannot = async (
    answers: Readonly<Record<string, unknown>>,
    kind = 'KubeadmControlPlane',
    replicas: Parameters<typeof requestScale>[3] = both,
  ): Promise<string> => {
    const { client } = await hostWith(answers);
    const cluster = clusterOf({ spec: { controlPlaneRef: { ...controlPlaneRef, kind } } });
    const error = await rejection(findScaleTargets(client, cluster, replicas));
    expect(error).toMatchObject({ code: 'KNEST_SCALE' });
    return (error as Error).message.split('\n')[0] ?? '';
  };

  it('must be clear', async () => {
    expect(await cannot(withDeployments(pool, scalable('MachineDeployment', 'pr-gpu')))).toBe(
      'pr cannot be scaled: it has several MachineDeployments (pr-pool-x7, pr-gpu) (KNEST_SCALE)',
    );
    expect(await cannot(withDeployments())).toBe('pr cannot be scaled: it has no MachineDeployment (KNEST_SCALE)');
    expect(await cannot(withDeployments(pool), 'KamajiControlPlane')).toMatch(
      /its control plane is KamajiControlPlane,/,
    );
  });

  it('must not be an autoscaler’s', async () => {
    const annotations = { 'cluster.x-k8s.io/cluster-api-autoscaler-node-group-max-size': '5' };
    const theirs = { ...pool, metadata: { ...pool.metadata, annotations } };
    expect(await cannot(withDeployments(theirs))).toMatch(/an autoscaler decides on its workers/);
  });

  it('does not mind several MachineDeployments when the workers stay as they are', async () => {
    const { client } = await hostWith(withDeployments(pool, scalable('MachineDeployment', 'pr-gpu')));
    const replicas = { controlPlane: 3, workers: undefined };
    const targets = await findScaleTargets(client, clusterOf({ spec: { controlPlaneRef } }), replicas);
    expect(targets.controlPlane.metadata.name).toBe('pr-masters');
  });
});
