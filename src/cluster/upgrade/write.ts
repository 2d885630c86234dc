import { KnestError } from '../../errors.ts';
import { preconditionsOf, type KubernetesClient } from '../../host/api/client.ts';
import { isConflict, writeGuarded } from '../../host/api/conflict.ts';
import { ApiError, isPolicy } from '../../host/api/api-error.ts';
import { Kinds } from '../../host/api/kinds.ts';
import type { Cluster, Scalable } from '../../host/api/cluster-api-objects.ts';
import type { KubernetesObject } from '../../host/api/objects.ts';
import { belongingTo } from '../identity/cluster-handle.ts';
import { Annotations, Labels } from '../identity/identity.ts';
import { markOf, upgradeOf } from '../identity/upgrade-mark.ts';
import { machineSpecOf, titleOf } from './parts.ts';
import type { PartPlan, UpgradePlan } from './plan.ts';
import { refusal } from './refusal.ts';

/**
 * Has the host check every write of an upgrade with all of its webhooks, and change nothing. Throws KNEST_UPGRADE with the
 * words of the one that refuses.
 */
export async function tryUpgrade(client: KubernetesClient, plan: UpgradePlan): Promise<void> {
  const { cluster, isTopology, target } = plan;
  const { name, namespace = '' } = cluster.metadata;
  const tried = async (title: string, write: () => Promise<unknown>): Promise<void> => {
    try {
      await write();
    } catch (thrown) {
      if (isConflict(thrown) || !isRefusal(thrown)) throw thrown;
      throw refusedChange(cluster, title, thrown);
    }
  };
  if (isTopology) {
    const patch = { spec: { topology: { version: target.version } } };
    await tried(`Cluster ${name}`, () => client.patch(Kinds.cluster, name, namespace, patch, true));
  }
  for (const part of [plan.controlPlane, ...plan.workers]) {
    const { template, patch } = part;
    if (template !== undefined) {
      await tried(`${template.kind} ${template.metadata.name}`, () => unlessItExists(() => client.dryRun(template)));
    }
    if (patch === undefined) continue;
    const { name: object } = part.object.metadata;
    await tried(titleOf(part), () => client.patch(part.kind, object, namespace, { spec: patch }, true));
  }
}

function refusedChange(cluster: Cluster, title: string, { problem, next }: ApiError): KnestError {
  return refusal(cluster.metadata.name, `the host refuses the change of ${title}`, next, [problem]);
}

function isRefusal(thrown: unknown): thrown is ApiError {
  return thrown instanceof ApiError && (thrown.status === 400 || thrown.status === 422 || isPolicy(thrown));
}

/**
 * Marks the Cluster as being upgraded, which keeps others from changing its machines meanwhile; gives a topology its
 * version in the same write. Throws KNEST_UPGRADE when another upgrade was faster.
 */
export async function beginUpgrade(
  client: KubernetesClient,
  { cluster, target, isTopology }: UpgradePlan,
): Promise<void> {
  const { name, namespace = '' } = cluster.metadata;
  const mark = markOf(target);
  const marked = await writeGuarded(client, Kinds.cluster, cluster, async (current) => {
    const other = upgradeOf(current);
    if (other !== undefined && markOf(other) !== mark) {
      throw refusal(name, `it is being upgraded to ${other.version} since a moment ago`, 'wait until that has ended');
    }
    const metadata = {
      resourceVersion: current.metadata.resourceVersion,
      annotations: { [Annotations.upgrade]: mark },
    };
    const spec = isTopology ? { spec: { topology: { version: target.version } } } : {};
    return client.patch(Kinds.cluster, name, namespace, { metadata, ...spec });
  });
  if (marked === undefined) throw refusal(name, 'it was deleted in the meantime');
}

/**
 * Marks the Cluster, and upgrades its control plane. Takes the mark off again when the change is refused: until that is
 * made, nothing of the cluster is changed, and nothing has to be continued. Throws KNEST_UPGRADE then.
 */
export async function upgradeControlPlane(client: KubernetesClient, plan: UpgradePlan): Promise<void> {
  const { cluster, controlPlane, isUnderWay } = plan;
  await beginUpgrade(client, plan);
  try {
    await upgradePart(client, plan, controlPlane);
  } catch (thrown) {
    const isOver =
      thrown instanceof ApiError ? isAnswered(thrown) : thrown instanceof KnestError && thrown.code === 'KNEST_UPGRADE';
    if (isUnderWay || !isOver) throw thrown;
    // A mark that stays is harmless: the same inputs begin anew.
    await endUpgrade(client, plan).catch(() => undefined);
    throw thrown instanceof ApiError ? refusedChange(cluster, titleOf(controlPlane), thrown) : thrown;
  }
}

/** Whether the host has answered for good, so that the change is not made. */
function isAnswered({ status }: ApiError): boolean {
  return status >= 400 && status < 500 && status !== 408 && status !== 429;
}

/** Makes the machine template of a part, and has the part use it, with the new version, in one write. */
export async function upgradePart(
  client: KubernetesClient,
  { cluster, target }: UpgradePlan,
  part: PartPlan,
): Promise<void> {
  const { template, patch, kind, object } = part;
  if (patch === undefined) return;
  if (template !== undefined) await makeTemplate(client, template);
  const planned = machineSpecOf(part);
  const machineTemplate = template?.metadata.name ?? planned.infrastructureRef?.name;
  await writeGuarded(client, kind, object, async (current: Scalable) => {
    const found = machineSpecOf({ kind, object: current });
    // A write whose answer was lost is repeated, and meets its own change.
    if (found.version === target.version && found.infrastructureRef?.name === machineTemplate) return current;
    if (JSON.stringify(found) !== JSON.stringify(planned)) {
      const next = 'run this step again: it looks at the cluster anew';
      throw refusal(cluster.metadata.name, `somebody else changed ${titleOf(part)} meanwhile`, next);
    }
    const { name, namespace = '', resourceVersion } = current.metadata;
    return client.patch(kind, name, namespace, { metadata: { resourceVersion }, spec: patch });
  });
}

/** Makes a machine template, unless an earlier try of the same upgrade did: its name follows from its content. */
async function makeTemplate(client: KubernetesClient, template: KubernetesObject): Promise<void> {
  await unlessItExists(async () => client.create(await client.kindOf(template), template));
}

async function unlessItExists(write: () => Promise<unknown>): Promise<void> {
  try {
    await write();
  } catch (thrown) {
    if (!isConflict(thrown)) throw thrown;
  }
}

/** Takes the mark off the Cluster, unless it is another's by now. */
export async function endUpgrade(client: KubernetesClient, { cluster, target }: UpgradePlan): Promise<void> {
  const { name, namespace = '' } = cluster.metadata;
  const current = await client.get(Kinds.cluster, name, namespace);
  if (current === undefined) return;
  await writeGuarded(client, Kinds.cluster, current, async (latest) => {
    const mark = upgradeOf(latest);
    if (mark === undefined || markOf(mark) !== markOf(target)) return undefined;
    const metadata = {
      resourceVersion: latest.metadata.resourceVersion,
      annotations: { [Annotations.upgrade]: null },
    };
    return client.patch(Kinds.cluster, name, namespace, { metadata });
  });
}

/**
 * Deletes the machine templates that the current ones replaced: those of the action for this cluster that nothing refers
 * to. Returns their names.
 */
export async function removeReplacedTemplates(
  client: KubernetesClient,
  { engine, parts, cluster }: UpgradePlan,
): Promise<readonly string[]> {
  const { name, namespace = '' } = cluster.metadata;
  const kind = engine.images === undefined ? undefined : engine.kinds?.machineTemplate;
  if (kind === undefined) return [];
  const { controlPlane } = parts;
  const master = await client.get(controlPlane.kind, controlPlane.object.metadata.name, namespace);
  // Not those of the plan: a MachineDeployment that is newer may use an old template.
  const workers = await client.list(Kinds.machineDeployment, belongingTo({ name, namespace }));
  const users = [
    ...(master === undefined ? [] : [{ kind: controlPlane.kind, object: master }]),
    ...workers.map((object) => ({ kind: Kinds.machineDeployment, object })),
  ];
  const used = new Set(users.map((one) => machineSpecOf(one).infrastructureRef?.name ?? ''));
  const removed: string[] = [];
  for (const current of used) {
    const template = await client.get(kind, current, namespace);
    const replaced = template?.metadata.annotations?.[Annotations.replaces];
    if (replaced === undefined || used.has(replaced)) continue;
    const old = await client.get(kind, replaced, namespace);
    const { labels = {} } = old?.metadata ?? {};
    if (old === undefined || labels[Labels.managed] !== 'true' || labels[Labels.clusterName] !== name) continue;
    if (await client.delete(kind, replaced, namespace, preconditionsOf(old))) removed.push(replaced);
  }
  return removed;
}
