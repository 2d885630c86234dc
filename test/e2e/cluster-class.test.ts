import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../host/process.ts';
import { versions } from '../host/modules.ts';
import { expectGone } from './expect.ts';
import { jobStarter } from './jobs.ts';
import { leftovers, replicasOf, sharedHost } from './support.ts';

const host = sharedHost();
const namespace = 'cluster-class';
/** The ClusterClass of Cluster API for in-memory machines and a template that refers to it, as released. */
const release = `kubernetes-sigs/cluster-api/releases/download/${versions.clusterAPI}`;
const template = `https://github.com/${release}/cluster-template-in-memory.yaml`;
const clusterClass = ['-n', namespace, '-f', `${host.mirror}/${release}/clusterclass-in-memory.yaml`];

/** The controllers for which ClusterClasses are a feature gate, off by default. */
const gated = [
  ['capi-system', 'capi-controller-manager'],
  ['capi-kubeadm-control-plane-system', 'capi-kubeadm-control-plane-controller-manager'],
  ['capd-system', 'capd-controller-manager'],
] as const;

/** Turns ClusterClasses on or off in these controllers, as an administrator of the host does. */
async function allowClusterClasses(isAllowed: boolean): Promise<void> {
  for (const [where, name] of gated) {
    const deployment = ['deployment', name, '-n', where];
    const labels = await host.kubectl(['get', ...deployment, '-o', 'jsonpath={.spec.selector.matchLabels}']);
    const selector = Object.entries(JSON.parse(labels) as Record<string, string>).map((label) => label.join('='));
    // A pod that has not ended yet would still validate new objects.
    await host.kubectl(['scale', ...deployment, '--replicas=0']);
    await host.kubectl(['wait', '--for=delete', 'pod', '-n', where, '-l', selector.join(','), '--timeout=120s']);
    const path = '{.spec.template.spec.containers[0].args}';
    const args = await host.kubectl(['get', ...deployment, '-o', `jsonpath=${path}`]);
    const value = JSON.parse(args.replace(/ClusterTopology=\w+/, `ClusterTopology=${isAllowed}`)) as string[];
    const patch = [{ op: 'replace', path: '/spec/template/spec/containers/0/args', value }];
    await host.kubectl(['patch', ...deployment, '--type=json', '-p', JSON.stringify(patch)]);
    await host.kubectl(['scale', ...deployment, '--replicas=1']);
  }
  for (const [where, name] of gated) {
    await host.kubectl(['rollout', 'status', 'deployment', name, '-n', where, '--timeout=180s']);
  }
}

interface Topology {
  readonly controlPlane: { readonly replicas: number };
  readonly workers: { readonly machineDeployments: readonly { readonly replicas: number }[] };
}

interface ClassyCluster {
  readonly metadata: { readonly generation: number };
  readonly spec: { readonly topology: Topology };
  readonly status: {
    readonly conditions: readonly {
      readonly type: string;
      readonly status: string;
      readonly observedGeneration: number;
    }[];
  };
}

describe('a cluster of a ClusterClass', () => {
  const common = { namespace, infrastructure: 'in-memory', 'cluster-template': template };
  const start = jobStarter(host, common);
  const owned = (name: string): string[] => [
    ...['-n', namespace, '-o', 'name'],
    ...['-l', `cluster.x-k8s.io/cluster-name=${name},knest-action/managed=true,knest-action/repository-id=1296269`],
  ];
  const read = async (name: string): Promise<ClassyCluster> =>
    JSON.parse(await host.kubectl(['get', 'cluster', '-n', namespace, name, '-o', 'json'])) as ClassyCluster;
  /** The replicas in the specs of the cluster’s parts, once the topology controller has reconciled them. */
  const replicasTold = async (name: string): Promise<string> => {
    await until('the topology controller', 120_000, async () => {
      const { metadata, status } = await read(name);
      const reconciled = status.conditions.find(({ type }) => type === 'TopologyReconciled');
      return reconciled?.status === 'True' && reconciled.observedGeneration === metadata.generation;
    });
    const kinds = 'kubeadmcontrolplanes,machinedeployments';
    return host.kubectl(['get', kinds, ...owned(name), '-o', 'jsonpath={.items[*].spec.replicas}']);
  };

  beforeAll(async () => {
    await host.kubectl(['create', 'namespace', namespace]).catch(() => undefined);
  });
  afterAll(async () => {
    // Deletes nothing unless a test failed. A ClusterClass cannot be deleted before its clusters.
    await host.kubectl(['delete', 'cluster', '-n', namespace, '--all']);
    await host.kubectl(['delete', ...clusterClass, '--ignore-not-found']);
    await allowClusterClasses(false);
  });

  it('is refused by a host without ClusterClasses, with the reason', async () => {
    const main = await start({ name: 'early' }).main();
    expect(main.exitCode).toBe(1);
    expect(main.log).toMatch(/^✖ .*ClusterTopology feature flag.* {3}KNEST_HOST_REQUEST$/m);
    expect(await leftovers(host, namespace, 'early')).toEqual([]);
  });

  it('is owned, followed, scaled by its topology and deleted, and its ClusterClass stays', async () => {
    await allowClusterClasses(true);
    await host.kubectl(['apply', ...clusterClass]);
    const job = start({ name: 'classy', 'wait-for': 'nodes' });
    const main = await job.main();
    expect(main.exitCode, main.log).toBe(0);
    const kinds = 'clusters,kubeadmcontrolplanes,machinedeployments,machines';
    const parts = await host.kubectl(['get', kinds, ...owned('classy')]);
    expect(parts.match(/^[a-z]+/gm)?.sort()).toEqual([
      'cluster',
      'kubeadmcontrolplane',
      'machine',
      'machine',
      'machinedeployment',
    ]);

    const scaled = await start({ command: 'scale', name: 'classy', replicas: '3:2' }).main();
    expect(scaled.exitCode, scaled.log).toBe(0);
    expect(scaled.log).toContain('✔ classy is scaled (control plane: 3, workers: 2)');
    expect(await replicasOf(host, namespace, 'classy')).toBe('3:2');
    const path = main.outputs['kubeconfig-path'] ?? '';
    const nodes = await host.run(['kubectl', '--kubeconfig', path, 'get', 'nodes', '-o', 'name']);
    expect(nodes.trim().split('\n')).toHaveLength(5);
    expect((await host.kubectl(['get', 'machines', ...owned('classy')])).trim().split('\n')).toHaveLength(5);
    const { topology } = (await read('classy')).spec;
    expect(topology).toMatchObject({
      controlPlane: { replicas: 3 },
      workers: { machineDeployments: [{ replicas: 2 }] },
    });
    expect(await replicasTold('classy')).toBe('3 2');

    // The reason to scale the Cluster itself: the topology controller reverts changes to its parts.
    await host.kubectl([
      'scale',
      'machinedeployment',
      '-n',
      namespace,
      '-l',
      'cluster.x-k8s.io/cluster-name=classy',
      '--replicas=1',
    ]);
    await until('the topology', 120_000, async () => (await replicasTold('classy')) === '3 2');

    const post = await job.post();
    expect(post.exitCode, post.log).toBe(0);
    await expectGone(host, namespace, 'classy');
    const kept = await host.kubectl(['get', ...clusterClass, '-o', 'jsonpath={.items[*].metadata}']);
    expect(kept.match(/"name":"in-memory[^"]*","namespace"/g)).toHaveLength(6);
    expect(kept).not.toContain('knest-action/');
  });
});
