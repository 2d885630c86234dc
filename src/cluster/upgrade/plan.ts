import { versionOn } from '../../catalog/node-images.ts';
import { inputError } from '../../errors.ts';
import type { KubernetesClient } from '../../host/api/client.ts';
import type { Cluster } from '../../host/api/cluster-api-objects.ts';
import type { KubernetesObject } from '../../host/api/objects.ts';
import { choiceOn, type UpgradeInputs } from '../../inputs.ts';
import type { Variables } from '../../values/variables.ts';
import type { Version } from '../../values/version.ts';
import type { Engine, EngineKinds } from '../engines/engine.ts';
import { engineOf } from '../engines/engines.ts';
import { markOf, targetOf, upgradeOf, type UpgradeTarget } from '../identity/upgrade-mark.ts';
import { poolsOf } from '../machines/address-pool.ts';
import { findObstacle, findRisks } from './checks.ts';
import { isUpgraded } from './goals.ts';
import { templateFor } from './machine-template.ts';
import { findParts, machineSpecOf, patchOf, titleOf, type Part, type Parts } from './parts.ts';
import { refusal } from './refusal.ts';

/** What is changed of a part. */
export interface PartPlan extends Part {
  /** The machine template to make; undefined when it keeps the one that it has. */
  readonly template: KubernetesObject | undefined;
  /** The new spec, as a merge patch; undefined when it is as it is to be. */
  readonly patch: object | undefined;
}

/** What is changed of a cluster, and in which order. */
export interface UpgradePlan {
  readonly cluster: Cluster;
  readonly engine: Engine;
  readonly target: UpgradeTarget;
  readonly parts: Parts;
  readonly controlPlane: PartPlan;
  readonly workers: readonly PartPlan[];
  /** Whether the Cluster itself has the version, and Cluster API changes its parts. */
  readonly isTopology: boolean;
  /** Whether an upgrade to this very target has begun: the control plane or the topology has the version already. */
  readonly isUnderWay: boolean;
  /** Whether there is nothing to change. */
  readonly isDone: boolean;
  readonly risks: readonly string[];
}

/** What a cluster is upgraded to. */
interface Goods {
  readonly version: Version;
  readonly images: Variables;
}

/** Plans an upgrade, and writes nothing. Throws KNEST_UPGRADE with the reason why there is none, and KNEST_INPUT. */
export async function planUpgrade(
  client: KubernetesClient,
  cluster: Cluster,
  inputs: UpgradeInputs,
): Promise<UpgradePlan> {
  const { name, namespace = '' } = cluster.metadata;
  const engine = engineOf(cluster);
  const isTopology = cluster.spec?.topology !== undefined;
  const infrastructure = cluster.spec?.infrastructureRef?.kind ?? 'not set';
  if (engine.kinds === undefined && !isTopology) {
    throw refusal(name, `its infrastructure is ${infrastructure}, whose machine templates the action does not know`);
  }
  if ((await poolsOf(client, { name, namespace })).length > 0) {
    const next = 'create a cluster of the new version, and move what the disks hold';
    throw refusal(
      name,
      'it is persistent, and new machines have new disks: the data on the old ones would be lost',
      next,
    );
  }
  const { version, images } = isTopology ? goodsOfTopology(engine, inputs) : goodsOn(engine, inputs);
  const target = targetOf(version.text, images);
  const underWay = upgradeOf(cluster);
  if (underWay !== undefined && markOf(underWay) !== markOf(target)) throw otherTarget(name, underWay, target);
  const parts = await findParts(client, cluster);
  // With the mark alone, nothing of it is under way: whatever moves or is unwell has another reason.
  const begun = isTopology ? cluster.spec.topology.version : machineSpecOf(parts.controlPlane).version;
  const isUnderWay = underWay !== undefined && begun === target.version;
  const obstacle = findObstacle(cluster, parts, version, isUnderWay);
  if (obstacle !== undefined) throw refusal(name, obstacle.reason, obstacle.next);
  const planned = (part: Part): Promise<PartPlan> =>
    isTopology
      ? Promise.resolve({ ...part, template: undefined, patch: undefined })
      : planPart(client, cluster, part, target, images, engine);
  const controlPlane = await planned(parts.controlPlane);
  const workers = await Promise.all(parts.workers.map(planned));
  const all = [controlPlane, ...workers];
  if (!isUnderWay) checkNewVersion(name, all, target.version);
  const isSet = isTopology ? begun === target.version : all.every(({ patch }) => patch === undefined);
  const isDone =
    underWay === undefined && isSet && parts.machines.every((machine) => isUpgraded(machine, target.version));
  const risks = findRisks(parts);
  return { cluster, engine, target, parts, controlPlane, workers, isTopology, isUnderWay, isDone, risks };
}

/** The images alone are changed by no upgrade. */
function checkNewVersion(name: string, parts: readonly PartPlan[], version: string): void {
  const same = parts.find((part) => part.patch !== undefined && machineSpecOf(part).version === version);
  if (same === undefined) return;
  const next = 'set kubernetes-version to a newer one; for another image of the same version, create a new cluster';
  throw refusal(name, `${titleOf(same)} has ${version} already, of another image`, next);
}

function otherTarget(name: string, underWay: UpgradeTarget, target: UpgradeTarget): Error {
  const isSameVersion = underWay.version === target.version;
  return refusal(
    name,
    `it is being upgraded to ${underWay.version}${isSameVersion ? ', with other images' : ''}`,
    'run the step that began with the same inputs again: it continues. Another target while one is under way could lose etcd',
  );
}

/** Version and images, as a create chooses them. */
function goodsOn({ name }: Engine, inputs: UpgradeInputs): Goods {
  if (name === 'other') throw new Error('an engine without a name has no images');
  const choice = choiceOn(name, { ...inputs, clusterTemplate: undefined, persistent: false });
  if ('problems' in choice) throw inputError(choice.problems);
  return { version: choice.kubernetesVersion, images: choice.images };
}

/** The version alone: which images a ClusterClass has for it is known to its author. */
function goodsOfTopology({ name }: Engine, { askedVersion, nodeImage, controlPlane, workers }: UpgradeInputs): Goods {
  const images = {
    'node-image': nodeImage,
    'control-plane-machine-kernel-image': controlPlane.kernelImage,
    'control-plane-machine-rootfs-image': controlPlane.rootfsImage,
    'worker-machine-kernel-image': workers.kernelImage,
    'worker-machine-rootfs-image': workers.rootfsImage,
  };
  const given = Object.entries(images).filter(([, image]) => image !== undefined);
  if (given.length > 0) {
    const problem = 'the cluster has a ClusterClass, which chooses the images itself';
    throw inputError(given.map(([input]) => ({ input, problem })));
  }
  const version =
    askedVersion.kind === 'exact' ? askedVersion.version : name !== 'other' && versionOn(name, askedVersion);
  if (version === undefined || version === false) {
    throw inputError(['kubernetes-version: has to be a full version for this cluster, for example 1.36.3']);
  }
  return { version, images: {} };
}

async function planPart(
  client: KubernetesClient,
  cluster: Cluster,
  part: Part,
  { version }: UpgradeTarget,
  images: Variables,
  { kinds, images: ofTemplates }: Engine,
): Promise<PartPlan> {
  const template =
    ofTemplates === undefined || kinds === undefined
      ? undefined
      : await planTemplate(
          client,
          cluster,
          part,
          version,
          (current) => ofTemplates.replace(current, part.role, images),
          kinds,
        );
  const isSet = template === undefined && machineSpecOf(part).version === version;
  return { ...part, template, patch: isSet ? undefined : patchOf(part, version, template?.metadata.name) };
}

async function planTemplate(
  client: KubernetesClient,
  cluster: Cluster,
  part: Part,
  version: string,
  replace: (current: KubernetesObject) => KubernetesObject | undefined,
  { machineTemplate }: EngineKinds,
): Promise<KubernetesObject | undefined> {
  const { name, namespace = '' } = cluster.metadata;
  const { kind, name: referred = '' } = machineSpecOf(part).infrastructureRef ?? {};
  const title = `${kind ?? 'machine template'} ${referred}`;
  if (kind !== machineTemplate.kind) throw refusal(name, `${titleOf(part)} makes its machines from ${title}`);
  const current = await client.get(machineTemplate, referred, namespace);
  if (current === undefined) throw refusal(name, `${title} of ${titleOf(part)} does not exist`);
  const changed = replace(current);
  if (changed !== undefined) return templateFor(current, changed, part.object.metadata.name, version, cluster);
  throw refusal(name, `${title} does not name its image in the one place that the action knows`);
}
