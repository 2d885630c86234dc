import { tieDisks, type OwnedCluster } from '../../../../src/cluster/lifecycle/disks.ts';
import type { Metadata } from '../../../../src/host/api/objects.ts';
import { clientOf, json, refuse } from '../../host/server.ts';

/** A Cluster of ours. */
export const pr = { name: 'pr', uid: 'cluster-pr', server: 'github.com', repositoryId: '4711' };
/** The owner reference to it. */
export const cluster = { apiVersion: 'cluster.x-k8s.io/v1beta2', kind: 'Cluster', name: 'pr', uid: 'cluster-pr' };
/** What makes a machine have two disks. */
export const volumeTemplates = ['rootfs', 'data'].map((name) => ({ dataVolume: { metadata: { name } } }));
/** The owner reference to its control plane machine. */
export const owner = {
  apiVersion: 'infrastructure.cluster.x-k8s.io/v1beta1',
  kind: 'VirtinkMachine',
  name: 'pr-cp-abcde',
  uid: 'u1',
};
/** The labels that the action gives a disk of that machine. */
export const labels = {
  'knest-action/managed': 'true',
  'cluster.x-k8s.io/cluster-name': 'pr',
  'knest-action/cluster-uid': 'cluster-pr',
  'knest-action/server': 'github.com',
  'knest-action/repository-id': '4711',
};
/** The owner reference to a machine that is gone. */
export const gone = { ...owner, name: 'pr-cp-fghij', uid: 'gone' };

/** What a host has, by plural. */
export type Objects = Readonly<Record<string, readonly object[]>>;

/** An owner reference. */
export const reference = (kind: string, uid: string) => ({ kind, name: uid, uid });
/** An object with these owners. */
export const child = (name: string, uid: string, ...ownerReferences: readonly object[]) => ({
  metadata: { name, uid, namespace: 'knest', creationTimestamp: '2026-11-24T12:00:00Z', ownerReferences },
});

/** A host with one control plane machine of the cluster. */
export const host: Objects = {
  kubeadmcontrolplanes: [child('pr-cp', 'cp', cluster)],
  machines: [child('pr-cp-abcde', 'm1', reference('KubeadmControlPlane', 'cp'))],
  virtinkmachines: [{ ...child('pr-cp-abcde', 'u1', reference('Machine', 'm1')), spec: { volumeTemplates } }],
};

interface Given {
  readonly objects?: Objects;
  /** How often another client writes to a disk first. */
  readonly conflicts?: number;
  /** The status of the answer to each write; 200 if left out. */
  readonly status?: number;
  readonly clusters?: readonly OwnedCluster[];
}

/** Ties the disks of a host with these claims. Returns the writes and the lines of the log. */
export async function tie(
  claims: readonly Partial<Metadata>[],
  { objects = host, conflicts = 0, status = 200, clusters = [pr] }: Given = {},
): Promise<{
  readonly changes: readonly string[];
  readonly lines: readonly string[];
  readonly reads: readonly string[];
}> {
  const whole = claims.map((metadata) => {
    const creationTimestamp = '2026-11-24T12:00:10Z';
    return { metadata: { namespace: 'knest', uid: 'disk', resourceVersion: '7', creationTimestamp, ...metadata } };
  });
  let left = conflicts;
  const { client, received } = await clientOf((response, _number, { method, path }) => {
    const [, plural = '', name] = /namespaces\/knest\/([^/?]+)\/?([^?]*)/.exec(path) ?? [];
    if (method === 'PATCH' && left-- > 0) refuse(response, 409);
    else if (method !== 'GET' && status !== 200) refuse(response, status);
    else if (method !== 'GET') json(response, {});
    else if (name !== '')
      json(
        response,
        whole.find(({ metadata }) => metadata.name === name),
      );
    else if (plural === 'persistentvolumeclaims') json(response, { items: whole });
    else if (plural in objects) json(response, { items: objects[plural] });
    else refuse(response, 404);
  });
  const lines: string[] = [];
  await tieDisks(client, 'knest', clusters, { line: (text) => void lines.push(text) });
  const changes = received
    .filter(({ method }) => method !== 'GET')
    .map(({ method, path, body }) => `${method} ${/persistentvolumeclaims\/([^?]+)/.exec(path)?.[1] ?? path} ${body}`);
  const reads = received.filter(({ method }) => method === 'GET').map(({ path }) => decodeURIComponent(path));
  return { changes, lines, reads };
}

/** The write that ties a disk to these owners. */
export function patchOf(name: string, ownerReferences: readonly object[]): string {
  return `PATCH ${name} ${JSON.stringify({ metadata: { uid: 'disk', resourceVersion: '7', labels, ownerReferences } })}`;
}

/** The write that deletes a disk. */
export const deletionOf = (name: string): string =>
  `DELETE ${name} ${JSON.stringify({ propagationPolicy: 'Background', preconditions: { uid: 'disk', resourceVersion: '7' } })}`;
