import { describe, expect, it } from 'vitest';
import { factsOf, inspectAdopted } from '../../../../src/cluster/lifecycle/adopted.ts';
import { Annotations } from '../../../../src/cluster/identity/identity.ts';
import { machineCounts } from '../../../../src/cluster/machines/machine-counts.ts';
import { planOf, type ClusterObjects } from '../../../../src/cluster/template/plan.ts';
import { Kinds } from '../../../../src/host/api/kinds.ts';
import type { Cluster, Scalable } from '../../../../src/host/api/cluster-api-objects.ts';
import { clientOfStore } from '../../host/store.ts';
import { clusterOf } from '../samples.ts';

const apiVersions = { controlPlane: Kinds.kubeadmControlPlane.apiVersion, workers: Kinds.machineDeployment.apiVersion };

/** The objects of a cluster with this version, so many machines and this kind of infrastructure. */
function objects(version: string, controlPlane: number, workers: number, infrastructure = 'DevCluster') {
  const labels = { 'cluster.x-k8s.io/cluster-name': 'pr' };
  const metadata = (name: string) => ({ name, namespace: 'knest', labels });
  const cluster: Cluster = {
    apiVersion: Kinds.cluster.apiVersion,
    kind: 'Cluster',
    metadata: metadata('pr'),
    spec: {
      infrastructureRef: { kind: infrastructure, name: 'pr' },
      controlPlaneRef: { kind: 'KubeadmControlPlane', name: 'pr-cp' },
    },
  };
  const others = [
    {
      apiVersion: apiVersions.controlPlane,
      kind: 'KubeadmControlPlane',
      metadata: metadata('pr-cp'),
      spec: { version, replicas: controlPlane },
    },
    {
      apiVersion: apiVersions.workers,
      kind: 'MachineDeployment',
      metadata: metadata('pr-md-0'),
      spec: { replicas: workers },
    },
  ] satisfies readonly Scalable[];
  return { cluster, others };
}

function plan(...args: Parameters<typeof objects>): ClusterObjects {
  const { cluster, others } = objects(...args);
  return planOf({ cluster, others, machines: machineCounts([cluster, ...others]) }, []);
}

/** The result for a cluster that was created from one plan, when the inputs describe another. */
async function inspect(made: Parameters<typeof objects>, asked: ClusterObjects) {
  const { client, store } = await clientOfStore();
  const { cluster, others } = objects(...made);
  others.forEach((object) => store.put(object));
  const annotations = { [Annotations.template]: plan(...made).fingerprint };
  return inspectAdopted(client, { ...cluster, metadata: { ...cluster.metadata, annotations } }, asked);
}

describe('inspectAdopted', () => {
  it('finds no difference when the inputs are those of the cluster', async () => {
    expect(await inspect(['v1.31.0', 1, 2], plan('v1.31.0', 1, 2))).toEqual({
      machines: { controlPlane: 1, workers: 2 },
      kubernetesVersion: 'v1.31.0',
      differences: [],
    });
  });

  it('reports version, machines and infrastructure, each with its command', async () => {
    const { differences } = await inspect(['v1.31.0', 3, 2], plan('v1.32.0', 1, 2, 'VirtinkCluster'));
    const again = 'delete it (command: delete) and create it again to change that';
    expect(differences).toEqual([
      `its infrastructure is DevCluster, not VirtinkCluster; ${again}`,
      `its Kubernetes version is v1.31.0, not v1.32.0; ${again}`,
      "it has 3:2 machines (CP:WORKER), not 1:2; run command: scale with replicas: '1:2' to change that",
    ]);
  });

  it('reports any other difference of the objects', async () => {
    const asked = { ...plan('v1.31.0', 1, 2), fingerprint: 'another' };
    const { differences } = await inspect(['v1.31.0', 1, 2], asked);
    expect(differences).toEqual([expect.stringMatching(/^it was created from another template, .*command: delete/)]);
  });

  it('reports other add-ons, as the resource set of the cluster names them', async () => {
    const set = (addons: string) => ({
      apiVersion: Kinds.clusterResourceSet.apiVersion,
      kind: 'ClusterResourceSet',
      metadata: { name: 'pr-addons', namespace: 'knest', annotations: { [Annotations.addons]: addons } },
    });
    const { client, store } = await clientOfStore();
    store.put(set('none'));
    const { cluster, others } = objects('v1.31.0', 1, 0);
    others.forEach((object) => store.put(object));
    const machines = machineCounts([cluster, ...others]);
    const asked = planOf({ cluster, others, machines }, [set('metrics-server v0.9.0 (9 objects)')]);
    const { differences } = await inspectAdopted(client, cluster, asked);
    expect(differences).toEqual([
      expect.stringMatching(
        /^its add-ons are none, not metrics-server v0\.9\.0 \(9 objects\); install them with kubectl/,
      ),
    ]);
  });

  it('reads the facts of a topology from the Cluster, and no control plane that is not of kubeadm', async () => {
    const { client, received } = await clientOfStore();
    const { cluster } = objects('v1.31.0', 1, 2);
    const topology = { version: 'v1.31.0', controlPlane: { replicas: 1 }, workers: { machineDeployments: [] } };
    const made: Cluster = {
      ...cluster,
      spec: { topology, controlPlaneRef: { kind: 'RKE2ControlPlane', name: 'pr-cp' } },
    };
    const { kubernetesVersion, machines, differences } = await inspectAdopted(client, made, plan('v1.32.0', 1, 2));
    expect([kubernetesVersion, machines]).toEqual(['v1.31.0', { controlPlane: 1, workers: 0 }]);
    expect(differences).toEqual([
      expect.stringContaining('its Kubernetes version is v1.31.0, not v1.32.0'),
      expect.stringContaining('it has 1:0 machines'),
    ]);
    expect(received.map(({ path }) => path).filter((path) => path.includes('controlplane'))).toEqual([]);
  });

  it('reports a Cluster of which nothing is known as one from another template', async () => {
    const { client } = await clientOfStore();
    const { cluster } = objects('v1.31.0', 1, 2);
    const { differences } = await inspectAdopted(client, clusterOf(), plan('v1.31.0', 1, 0));
    expect(differences).toEqual([expect.stringContaining('another template')]);
    // Nor does anything that the inputs leave open count as a difference.
    const open = planOf({ cluster: clusterOf(), others: [], machines: machineCounts([]) }, []);
    const metadata = { ...cluster.metadata, annotations: { [Annotations.template]: open.fingerprint } };
    const topology = { version: 'v1.31.0', controlPlane: { replicas: 1 }, workers: { machineDeployments: [] } };
    const made: Cluster = { ...cluster, metadata, spec: { ...cluster.spec, topology } };
    expect((await inspectAdopted(client, made, open)).differences).toEqual([]);
  });

  it('compares only facts that are known on both sides', async () => {
    const { client } = await clientOfStore();
    const { cluster } = objects('v1.31.0', 1, 2);
    const asked = plan('v1.31.0', 1, 0);
    const metadata = { ...cluster.metadata, annotations: { [Annotations.template]: asked.fingerprint } };
    const found = await inspectAdopted(client, { ...cluster, metadata }, asked);
    expect(found).toEqual({
      machines: { controlPlane: undefined, workers: 0 },
      kubernetesVersion: undefined,
      differences: [],
    });
  });
});

describe('factsOf', () => {
  it('knows no version of no objects, nor of ones without a spec', () => {
    const kind = 'KubeadmControlPlane';
    const { apiVersion } = Kinds.kubeadmControlPlane;
    expect(factsOf([]).kubernetesVersion).toBeUndefined();
    const bare = factsOf([clusterOf(), { apiVersion, kind, metadata: { name: 'pr-cp' } }]);
    expect(bare).toEqual({ kubernetesVersion: undefined, machines: { controlPlane: 1, workers: 0 } });
  });

  it('reads the facts of a topology from the Cluster', () => {
    const { cluster } = objects('v1.31.0', 1, 2);
    const topology = {
      version: 'v1.33.0',
      controlPlane: { replicas: 3 },
      workers: { machineDeployments: [{ replicas: 4 }] },
    };
    expect(factsOf([{ ...cluster, spec: { topology } } as Cluster])).toEqual({
      machines: { controlPlane: 3, workers: 4 },
      kubernetesVersion: 'v1.33.0',
    });
  });
});
