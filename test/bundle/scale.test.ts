import { afterAll, describe, expect, it } from 'vitest';
import { Kinds } from '../../src/host/api/kinds.ts';
import type { Scalable } from '../../src/host/api/cluster-api-objects.ts';
import type { KubernetesObject } from '../../src/host/api/objects.ts';
import { identify } from '../../src/runner/background.ts';
import type { ApiServer, Received } from '../support/api-server.ts';
import { dialLocal } from '../support/kubelet.ts';
import { ObjectStore } from '../support/object-store.ts';
import type { Job, StepOptions } from '../support/runner.ts';
import { tunnelOf } from '../support/saved-tunnel.ts';
import { annotations, cleanUp, makeJob, startServer } from './support.ts';

afterAll(cleanUp);

const OF_CLUSTER = { 'cluster.x-k8s.io/cluster-name': 'demo' };
const OWNED = {
  'knest-action/managed': 'true',
  'knest-action/server': 'github.com',
  'knest-action/repository-id': '1296269',
};
/** An address at which nobody answers. */
const NOWHERE = 'https://127.0.0.1:1';

interface Host {
  readonly server: ApiServer;
  readonly nested: ApiServer;
  job(inputs: StepOptions['inputs']): Job;
  /** How many workers are asked for. */
  workers(): number | undefined;
}

/** What differs between hosts. */
interface HostOptions {
  /** The nodes of the volumes of the nested cluster, one each. */
  readonly volumesOn?: readonly string[];
  /** Whether only the relay leads to the nested API server. */
  readonly isClosed?: boolean;
  /** The kind of the object that the provider keeps of the cluster. */
  readonly infrastructure?: string;
  /** Whether the machines are nodes. */
  readonly haveJoined?: boolean;
  /** Answers reviews of permissions. */
  readonly allows?: (review: string) => boolean;
}

/** A host with a cluster of one control plane and one worker, where a second one is asked for. */
async function startHost({
  volumesOn = [],
  isClosed = false,
  infrastructure = 'KubevirtCluster',
  haveJoined = true,
  allows = () => true,
}: HostOptions = {}): Promise<Host> {
  const lists: Readonly<Record<string, readonly object[]>> = {
    '/api/v1/persistentvolumes': volumesOn.map((node) => volumeOn(node)),
    '/api/v1/nodes': ['node-cp', 'node-worker'].map((name) => ({ metadata: { name } })),
  };
  const nested = await startServer({
    answer: ({ path }) => {
      const items = lists[path.replace(/\?.*/, '')];
      return { status: 200, body: items === undefined ? 'ok' : { items } };
    },
  });
  const store = new ObjectStore();
  const endpoint = isClosed ? NOWHERE : nested.url;
  const { hostname, port } = new URL(endpoint);
  const put = (kind: { apiVersion: string; kind: string }, metadata: object, more: object): void =>
    void store.put({ apiVersion: kind.apiVersion, kind: kind.kind, metadata, ...more } as KubernetesObject);
  put(
    Kinds.cluster,
    { name: 'demo', labels: OWNED, uid: 'u-1' },
    {
      spec: {
        controlPlaneEndpoint: { host: hostname, port: Number(port) },
        controlPlaneRef: { kind: 'KubeadmControlPlane', name: 'demo-cp' },
        infrastructureRef: { kind: infrastructure, name: 'demo' },
      },
    },
  );
  put(Kinds.kubeadmControlPlane, { name: 'demo-cp', labels: OF_CLUSTER }, { spec: { replicas: 1 } });
  put(Kinds.machineDeployment, { name: 'demo-md-0', labels: OF_CLUSTER }, { spec: { replicas: 2 } });
  for (const [name, label] of [
    ['cp', { 'cluster.x-k8s.io/control-plane': '' }],
    ['worker', { 'cluster.x-k8s.io/deployment-name': 'demo-md-0' }],
  ] as const) {
    const status = haveJoined ? { nodeRef: { name: `node-${name}` } } : {};
    put(Kinds.machine, { name, labels: { ...OF_CLUSTER, ...label } }, { status });
  }
  const value = Buffer.from(nested.kubeconfig().replace(nested.url, endpoint)).toString('base64');
  put(Kinds.secret, { name: 'demo-kubeconfig' }, { data: { value } });
  const relay = { 'knest-action/relay': 'true', 'knest-action/cluster-uid': 'u-1' };
  put(Kinds.pod, { name: 'relay', labels: relay }, { status: { conditions: [{ type: 'Ready', status: 'True' }] } });
  const answer = ({ method, path, body }: Received) => {
    if (!path.endsWith('/selfsubjectaccessreviews')) {
      return method === 'GET' && path === '/apis' ? undefined : store.answer({ method, path, body });
    }
    const { spec } = body as { spec: { resourceAttributes: Record<string, string> } };
    const { verb, resource, subresource = '' } = spec.resourceAttributes;
    return { status: 201, body: { status: { allowed: allows(`${verb} ${resource}/${subresource}`) } } };
  };
  const server = await startServer({ answer });
  server.forwardPorts(dialLocal(Number(new URL(nested.url).port)));
  const common = { command: 'scale', name: 'demo', 'host-kubeconfig': server.kubeconfig() };
  return {
    server,
    nested,
    job: (inputs) => makeJob({ ...common, ...inputs }),
    workers: () => store.find<Scalable>(Kinds.machineDeployment, 'demo-md-0')?.spec?.replicas,
  };
}

function volumeOn(node: string): object {
  const matchExpressions = [{ key: 'kubernetes.io/hostname', operator: 'In', values: [node] }];
  return {
    metadata: { name: `pv-${node}` },
    spec: {
      local: { path: '/data' },
      claimRef: { namespace: 'shop', name: 'data' },
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions }] } },
    },
    status: { phase: 'Bound' },
  };
}

/** Allows all but what leads to the kubeconfig of the cluster. */
const withoutSecrets = (review: string): boolean => !/^\* |^get secrets/.test(review);

describe('command: scale to fewer machines', () => {
  it('is refused for volumes on the disks of machines that may go, and changes nothing', async () => {
    const host = await startHost({ volumesOn: ['node-worker', 'node-cp'] });
    const refused = await host.job({ replicas: ':1' }).main();
    expect(refused.exitCode).toBe(1);
    const problem = 'demo cannot be scaled: volumes on the disks of machines that may be removed would be lost';
    expect(annotations(refused, 'error')).toEqual([`${problem} (KNEST_SCALE)`]);
    expect(refused.log).toContain(
      'PersistentVolume pv-node-worker of PersistentVolumeClaim shop/data, on node node-worker',
    );
    expect(refused.log).not.toContain('pv-node-cp');
    expect(refused.log).toContain('Next: delete the claims');
    expect(host.server.writes).toEqual([]);
  });

  it('goes on when all volumes are on machines that stay', async () => {
    const host = await startHost({ volumesOn: ['node-cp'] });
    const scaled = await host.job({ replicas: ':1' }).main();
    expect(scaled.exitCode, scaled.log).toBe(0);
    expect(scaled.log).toContain('none on the disks of machines that may be removed; API by cluster-ip');
    expect(host.workers()).toBe(1);
  });

  it('takes a tunnel that is asked for, which its post step ends', async () => {
    const host = await startHost({ isClosed: true });
    const job = host.job({ replicas: ':1', 'api-access': 'tunnel' });
    const scaled = await job.main();
    expect(scaled.exitCode, scaled.log).toBe(0);
    expect(scaled.log).toContain('none on the disks of machines that may be removed; API by tunnel');
    const { pid, startTime } = tunnelOf(scaled);
    expect(identify(pid)?.startTime).toBe(startTime);
    const post = await job.post();
    expect(post.exitCode, post.log).toBe(0);
    expect(identify(pid)).toBeUndefined();
  });

  it('warns and goes on when api-access: auto finds no way, within half of the time', async () => {
    const host = await startHost({
      volumesOn: ['node-worker'],
      isClosed: true,
      allows: (review) => !/^\* |portforward/.test(review),
    });
    const scaled = await host.job({ replicas: ':1', timeout: '30s' }).main();
    expect(scaled.exitCode, scaled.log).toBe(0);
    expect(annotations(scaled, 'warning')).toEqual([
      expect.stringMatching(
        /may be lost, since nobody could look for them: the API server of the cluster did not answer within \d+s$/,
      ),
    ]);
    expect(host.workers()).toBe(1);
  });

  it('needs the permissions for that only where a way was asked for', async () => {
    const host = await startHost({ allows: withoutSecrets });
    const refused = await host.job({ replicas: ':1', 'api-access': 'cluster-ip' }).main();
    expect(annotations(refused, 'error')).toEqual([
      'these credentials lack 1 permission on the host (KNEST_PERMISSION)',
    ]);
    expect(refused.log).toContain('get secrets in knest: to find volumes on the disks of machines before they are');
    expect(host.server.writes).toEqual([]);
    const scaled = await host.job({ replicas: ':1' }).main();
    expect(scaled.exitCode, scaled.log).toBe(0);
    expect(annotations(scaled, 'warning')).toEqual([expect.stringContaining('lack 1 permission on the host')]);
  });
});

it.each<[string, HostOptions, string]>([
  ['to as many machines or more', {}, '1:2'],
  ['to fewer machines in memory', { infrastructure: 'DevCluster' }, ':1'],
  ['to fewer machines, of which none is a node', { haveJoined: false }, ':1'],
])('command: scale %s asks for no way into the cluster', async (_title, options, replicas) => {
  const host = await startHost({ volumesOn: ['node-worker'], allows: withoutSecrets, ...options });
  // No machine comes or goes, so that some of them wait in vain.
  const scaled = await host.job({ replicas, timeout: '15s' }).main();
  expect(host.workers()).toBe(Number(replicas.split(':')[1]));
  expect(annotations(scaled, 'warning')).toEqual([]);
  expect(scaled.state['host']).toBeUndefined();
  expect(host.nested.received).toEqual([]);
  const asked = host.server.received.filter(({ path, body }) => /secrets|services/.test(path + JSON.stringify(body)));
  expect(asked).toEqual([]);
});
