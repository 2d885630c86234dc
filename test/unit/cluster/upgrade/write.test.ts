import { describe, expect, it } from 'vitest';
import { upgradeOf } from '../../../../src/cluster/identity/upgrade-mark.ts';
import { planUpgrade, type UpgradePlan } from '../../../../src/cluster/upgrade/plan.ts';
import {
  beginUpgrade,
  endUpgrade,
  removeReplacedTemplates,
  tryUpgrade,
  upgradeControlPlane,
  upgradePart,
} from '../../../../src/cluster/upgrade/write.ts';
import type { KubernetesClient } from '../../../../src/host/api/client.ts';
import type { Cluster, Machine } from '../../../../src/host/api/cluster-api-objects.ts';
import { Kinds } from '../../../../src/host/api/kinds.ts';
import { planScale } from '../../../../src/cluster/lifecycle/scale.ts';
import { refusal, type Answer, type Received } from '../../../support/api-server.ts';
import type { ObjectStore } from '../../../support/object-store.ts';
import { clientOfStore } from '../../host/store.ts';
import type { KnestError } from '../../../../src/errors.ts';
import { rejection } from '../../rejection.ts';
import { inputsFor, putCluster } from './upgrade-objects.ts';

const refused = async (work: Promise<unknown>): Promise<KnestError> => (await rejection(work)) as KnestError;
const clusterIn = (store: ObjectStore): Cluster => store.find(Kinds.cluster, 'pr') as Cluster;
const templatesIn = (store: ObjectStore): readonly string[] =>
  store.of(Kinds.kubevirtMachineTemplate).map(({ metadata }) => metadata.name);

interface Planned {
  readonly client: KubernetesClient;
  readonly store: ObjectStore;
  readonly received: readonly { readonly method: string; readonly path: string; readonly body: string }[];
  readonly plan: (version?: string, image?: string) => Promise<UpgradePlan>;
}

/** A host with a cluster of KubeVirt. */
async function host(answer?: (request: Received) => Answer | undefined, spec?: object): Promise<Planned> {
  const { client, store, received } = await clientOfStore(answer);
  putCluster(store, spec);
  const plan = (version = '1.35.2', image?: string): Promise<UpgradePlan> =>
    planUpgrade(client, clusterIn(store), inputsFor(version, image));
  return { client, store, received, plan };
}

describe('an upgrade', () => {
  it('is tried by every write that it makes, and changes nothing by that', async () => {
    const { client, store, received, plan } = await host();
    await tryUpgrade(client, await plan());
    const writes = received.filter(({ method }) => method !== 'GET');
    expect(writes.map(({ method }) => method)).toEqual(['POST', 'PATCH', 'POST', 'PATCH']);
    expect(writes.filter(({ path }) => !path.includes('dryRun=All'))).toEqual([]);
    expect(templatesIn(store)).toEqual(['pr-cp', 'pr-md-0']);
  });

  it('is refused with the words of a webhook', async () => {
    const { client, plan } = await host(({ method, path }) =>
      method === 'PATCH' && path.includes('kubeadmcontrolplanes')
        ? refusal(422, 'Invalid', 'cannot migrate CoreDNS')
        : undefined,
    );
    const failure = await refused(tryUpgrade(client, await plan()));
    expect(failure.problem).toBe('pr cannot be upgraded: the host refuses the change of KubeadmControlPlane pr-cp');
    expect(failure.evidence[0]).toContain('cannot migrate CoreDNS');
  });

  it('changes each object by one write with its resource version, and makes a template for it before', async () => {
    const { client, store, received, plan } = await host();
    const planned = await plan();
    await upgradePart(client, planned, planned.controlPlane);
    const [made, patched, ...more] = received.filter(({ method }) => method !== 'GET');
    expect(more).toEqual([]);
    expect(made?.method).toBe('POST');
    const { metadata, spec } = JSON.parse(patched?.body ?? '') as { metadata: object; spec: object };
    expect(metadata).toEqual({ resourceVersion: planned.controlPlane.object.metadata.resourceVersion });
    const name = templatesIn(store).find((one) => one.startsWith('pr-cp-v1.35.2-'));
    expect(spec).toEqual({ version: 'v1.35.2', machineTemplate: { spec: { infrastructureRef: { name } } } });
  });

  it('continues where another try of it ended: nothing is made or changed twice', async () => {
    const { client, store, received, plan } = await host();
    const first = await plan();
    await beginUpgrade(client, first);
    await upgradePart(client, first, first.controlPlane);
    const second = await plan();
    expect(second.isUnderWay).toBe(true);
    expect(second.controlPlane.patch).toBeUndefined();
    const before = received.length;
    await upgradePart(client, second, second.controlPlane);
    expect(received.length).toBe(before);
    for (const part of second.workers) await upgradePart(client, second, part);
    expect(store.of(Kinds.kubevirtMachineTemplate)).toHaveLength(4);
  });

  it('does not change what somebody else changed since it was planned', async () => {
    const { client, store, plan } = await host();
    const planned = await plan();
    const object = store.find(Kinds.kubeadmControlPlane, 'pr-cp');
    store.put({ ...object, spec: { ...object?.spec, version: 'v1.34.2' } } as never);
    const failure = await refused(upgradePart(client, planned, planned.controlPlane));
    expect(failure.problem).toBe('pr cannot be upgraded: somebody else changed KubeadmControlPlane pr-cp meanwhile');
  });

  it('takes its own change for its own when the answer to it was lost', async () => {
    let kept: ObjectStore | undefined;
    const { client, store, plan } = await host((request) => {
      if (request.method !== 'PATCH' || !request.path.includes('kubeadmcontrolplanes') || kept === undefined) {
        return undefined;
      }
      kept.answer(request);
      kept = undefined;
      return refusal(409, 'Conflict', 'the object has been modified');
    });
    kept = store;
    const planned = await plan();
    await upgradePart(client, planned, planned.controlPlane);
    expect(kept).toBeUndefined();
    expect((await plan()).controlPlane.patch).toBeUndefined();
  });

  it('takes its mark off when the first change is refused', async () => {
    const { client, store, plan } = await host(({ method, path }) =>
      method === 'PATCH' && path.includes('kubeadmcontrolplanes') ? refusal(422, 'Invalid', 'no') : undefined,
    );
    const failure = await refused(upgradeControlPlane(client, await plan()));
    expect(failure.code).toBe('KNEST_UPGRADE');
    expect(failure.problem).toBe('pr cannot be upgraded: the host refuses the change of KubeadmControlPlane pr-cp');
    expect(upgradeOf(clusterIn(store))).toBeUndefined();
  });

  it('is not under way with its mark alone: it is checked as one that has not begun', async () => {
    const { client, store, plan } = await host();
    const first = await plan();
    await beginUpgrade(client, first);
    expect((await plan()).isUnderWay).toBe(false);
    const machine = store.find(Kinds.machine, 'pr-md-0-a') as Machine;
    store.put({
      ...machine,
      status: { ...machine.status, conditions: [{ type: 'NodeReady', status: 'False' }] },
    } as never);
    expect((await refused(plan())).problem).toMatch(/the node of machine pr-md-0-a is not Ready/);
    await upgradePart(client, first, first.controlPlane);
    expect((await plan()).isUnderWay).toBe(true);
  });

  it('keeps others away while it runs: other targets, other images, and scale', async () => {
    const { client, store, plan } = await host();
    await beginUpgrade(client, await plan());
    expect(upgradeOf(clusterIn(store))?.version).toBe('v1.35.2');
    expect((await refused(plan('1.35.3'))).problem).toBe('pr cannot be upgraded: it is being upgraded to v1.35.2');
    const images = await refused(plan('1.35.2', 'node:other'));
    expect(images.problem).toBe('pr cannot be upgraded: it is being upgraded to v1.35.2, with other images');
    const replicas = { controlPlane: undefined, workers: 2, machineDeployment: undefined };
    const scaled = await refused(planScale(client, clusterIn(store), replicas));
    expect(scaled.problem).toBe('pr cannot be scaled: it is being upgraded to v1.35.2');
  });

  it('does not begin when another began a moment ago', async () => {
    const { client, store, plan } = await host();
    const [one, other] = [await plan(), await plan('1.35.3')];
    await beginUpgrade(client, one);
    const failure = await refused(beginUpgrade(client, other));
    expect(failure.problem).toBe('pr cannot be upgraded: it is being upgraded to v1.35.2 since a moment ago');
    await endUpgrade(client, other);
    expect(upgradeOf(clusterIn(store))?.version).toBe('v1.35.2');
    await endUpgrade(client, one);
    expect(upgradeOf(clusterIn(store))).toBeUndefined();
  });

  it('deletes the templates of the action that nothing refers to any more, and no others', async () => {
    const { client, store, plan } = await host();
    const planned = await plan();
    await upgradePart(client, planned, planned.controlPlane);
    expect(await removeReplacedTemplates(client, planned)).toEqual(['pr-cp']);
    for (const part of planned.workers) await upgradePart(client, planned, part);
    const old = store.find(Kinds.kubevirtMachineTemplate, 'pr-md-0');
    const labels = { ...old?.metadata.labels, 'knest-action/managed': 'no' };
    store.put({ ...old, metadata: { ...old?.metadata, labels } } as never);
    expect(await removeReplacedTemplates(client, planned)).toEqual([]);
    expect(templatesIn(store)).toContain('pr-md-0');
  });

  it('keeps a template that a MachineDeployment which is newer than the plan uses', async () => {
    const { client, store, plan } = await host();
    const planned = await plan();
    for (const part of planned.workers) await upgradePart(client, planned, part);
    const [old] = planned.workers;
    store.put({ ...old?.object, metadata: { name: 'later', labels: old?.object.metadata.labels } } as never);
    expect(await removeReplacedTemplates(client, planned)).toEqual([]);
    expect(templatesIn(store)).toContain('pr-md-0');
  });

  it('of a ClusterClass changes the version of its topology, together with the mark', async () => {
    const { client, store, received } = await host(undefined, { topology: { version: 'v1.34.1' } });
    const inputs = { ...inputsFor('1.35.2'), nodeImage: undefined };
    const planned = await planUpgrade(client, clusterIn(store), inputs);
    expect([planned.controlPlane, ...planned.workers].map(({ patch }) => patch)).toEqual([undefined, undefined]);
    await beginUpgrade(client, planned);
    expect(received.filter(({ method }) => method === 'PATCH')).toHaveLength(1);
    expect(clusterIn(store).spec?.topology?.version).toBe('v1.35.2');
    expect(upgradeOf(clusterIn(store))?.version).toBe('v1.35.2');
    const failure = await refused(planUpgrade(client, clusterIn(store), inputsFor('1.35.2')));
    expect(failure.evidence).toEqual(['node-image: the cluster has a ClusterClass, which chooses the images itself']);
  });
});

describe('no upgrade is planned', () => {
  it('for a persistent cluster', async () => {
    const { store, plan } = await host();
    const { apiVersion, kind } = Kinds.ipPool;
    store.put({ apiVersion, kind, metadata: { name: 'pr', labels: { 'cluster.x-k8s.io/cluster-name': 'pr' } } });
    expect((await refused(plan())).problem).toMatch(/^pr cannot be upgraded: it is persistent/);
  });

  it('for another infrastructure without a ClusterClass, and for other machine templates', async () => {
    const other = await host(undefined, { infrastructureRef: { kind: 'AWSCluster', name: 'pr' } });
    expect((await refused(other.plan())).problem).toMatch(/its infrastructure is AWSCluster, whose machine templates/);
    const { store, plan } = await host();
    const object = store.find(Kinds.kubeadmControlPlane, 'pr-cp');
    const machineTemplate = { spec: { infrastructureRef: { kind: 'MyTemplate', name: 'mine' } } };
    store.put({ ...object, spec: { ...object?.spec, machineTemplate } } as never);
    expect((await refused(plan())).problem).toMatch(
      /KubeadmControlPlane pr-cp makes its machines from MyTemplate mine/,
    );
  });

  it('for another image of the same version, and is none for what is there already', async () => {
    const { plan } = await host();
    expect((await refused(plan('1.34.1', 'node:other'))).problem).toBe(
      'pr cannot be upgraded: KubeadmControlPlane pr-cp has v1.34.1 already, of another image',
    );
    expect((await plan('1.34.1', 'node:old')).isDone).toBe(true);
  });
});
