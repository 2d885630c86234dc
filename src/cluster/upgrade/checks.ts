import { removedIn } from '../../catalog/kubelet-flags.ts';
import type { Cluster, KubeadmConfigSpec, Machine } from '../../host/api/cluster-api-objects.ts';
import { conditionOf } from '../../host/api/objects.ts';
import { compareVersions, parseVersion, type Version } from '../../values/version.ts';
import { DEPLOYMENT_NAME, hasJoined, hasReadyNode, isControlPlane } from '../status/cluster-view.ts';
import { machineSpecOf, titleOf, type Part, type Parts } from './parts.ts';

/** Why a cluster is not upgraded, as the end of a sentence, and what can be done. */
export interface Obstacle {
  readonly reason: string;
  readonly next?: string;
}

/** On an object that its controller leaves alone, whatever the value. */
const PAUSED = 'cluster.x-k8s.io/paused';

/** How many minor versions a kubelet may be older than the API server. Source: kubernetes.io, "Version Skew Policy". */
const KUBELET_SKEW = { since: 28, minors: 3, before: 2 };

/**
 * Why a cluster cannot be upgraded to a version; undefined when it can. `isUnderWay`: whether an upgrade to it has begun,
 * whose machines are neither all new nor all well.
 */
export function findObstacle(
  cluster: Cluster,
  parts: Parts,
  target: Version,
  isUnderWay: boolean,
): Obstacle | undefined {
  return (
    (cluster.metadata.deletionTimestamp === undefined ? undefined : { reason: 'it is being deleted' }) ??
    (cluster.spec?.paused === true
      ? { reason: 'it is paused', next: 'set spec.paused of the Cluster to false' }
      : undefined) ??
    heldPart(parts) ??
    versionObstacle(parts, target) ??
    strayMachine(parts.machines) ??
    (isUnderWay ? undefined : (foreignRollout(parts) ?? unwellMachine(parts.machines))) ??
    removedFlag(parts, target)
  );
}

/** A part whose machines Cluster API does not replace by itself. Source: cluster-api util/annotations. */
function heldPart({ controlPlane, workers }: Parts): Obstacle | undefined {
  for (const part of [controlPlane, ...workers]) {
    const { metadata, spec } = part.object;
    if (spec?.paused === true || metadata.annotations?.[PAUSED] !== undefined) {
      const next = `set its spec.paused to false, and remove its annotation ${PAUSED}`;
      return { reason: `${titleOf(part)} is paused`, next };
    }
    if (spec?.rollout?.strategy?.type === 'OnDelete') {
      const next = 'set its spec.rollout.strategy.type to RollingUpdate';
      return { reason: `${titleOf(part)} replaces machines only when they are deleted (OnDelete)`, next };
    }
  }
  return undefined;
}

/** Forward only, and one minor version of the control plane at a time. */
function versionObstacle({ controlPlane, workers, machines }: Parts, target: Version): Obstacle | undefined {
  const named = [
    ...[controlPlane, ...workers].map((part) => ({ title: titleOf(part), version: machineSpecOf(part).version })),
    ...machines.map(({ metadata, spec }) => ({ title: `Machine ${metadata.name}`, version: spec?.version })),
  ].flatMap(({ title, version = '' }) => {
    const parsed = parseVersion(version);
    return parsed === undefined ? [] : [{ title, version: parsed }];
  });
  const newer = named.find(({ version }) => compareVersions(version, target) > 0);
  if (newer !== undefined) {
    return {
      reason: `${newer.title} has v${newer.version.text}, which is newer than v${target.text}`,
      next: 'Kubernetes cannot be downgraded: create another cluster',
    };
  }
  const masters = machines.filter(isControlPlane).flatMap(({ spec }) => parseVersion(spec?.version ?? '') ?? []);
  const oldest = masters.toSorted(compareVersions)[0];
  if (oldest !== undefined && (oldest.major !== target.major || target.minor - oldest.minor > 1)) {
    return {
      reason: `from v${oldest.text} to v${target.text} is more than one minor version`,
      next: `upgrade it to a version ${oldest.major}.${oldest.minor + 1} first`,
    };
  }
  const skew = target.minor >= KUBELET_SKEW.since ? KUBELET_SKEW.minors : KUBELET_SKEW.before;
  const tooOld = named.find(({ version }) => target.minor - version.minor > skew);
  return (
    tooOld && { reason: `the kubelets of ${tooOld.title} (v${tooOld.version.text}) are too old for v${target.text}` }
  );
}

/** A Machine that neither control plane nor MachineDeployment makes anew. */
function strayMachine(machines: readonly Machine[]): Obstacle | undefined {
  const stray = machines.find(
    (machine) => !isControlPlane(machine) && machine.metadata.labels?.[DEPLOYMENT_NAME] === undefined,
  );
  return (
    stray && { reason: `Machine ${stray.metadata.name} belongs to neither a control plane nor a MachineDeployment` }
  );
}

/** A newer Cluster API or a person may have changed what machines are to be. */
function foreignRollout({ machines }: Parts): Obstacle | undefined {
  const moving = machines.find(
    (machine) =>
      machine.metadata.deletionTimestamp !== undefined || conditionOf(machine, 'UpToDate')?.status === 'False',
  );
  if (moving === undefined) return undefined;
  const { reason = '', message = '' } = conditionOf(moving, 'UpToDate') ?? {};
  const why = moving.metadata.deletionTimestamp === undefined ? `${reason}: ${message}` : 'it is being deleted';
  return {
    reason: `its machines are being replaced already, by no upgrade of this action: ${moving.metadata.name} (${why.replace(/\s+/g, ' ').trim()})`,
    next: 'wait until that has ended, and run this step again',
  };
}

/** New machines take the place of old ones only while all are well. */
function unwellMachine(machines: readonly Machine[]): Obstacle | undefined {
  const missing = machines.find((machine) => !hasJoined(machine));
  if (missing !== undefined) return { reason: `machine ${missing.metadata.name} is not a node yet` };
  const notReady = machines.find((machine) => !isControlPlane(machine) && !hasReadyNode(machine));
  return (
    notReady && {
      reason: `the node of machine ${notReady.metadata.name} is not Ready, and Cluster API replaces workers only by Ready ones`,
      next: 'install a CNI first, or wait until it is Ready',
    }
  );
}

/** A kubelet does not start with a flag that it does not know. */
function removedFlag({ controlPlane, workers }: Parts, target: Version): Obstacle | undefined {
  for (const part of [controlPlane, ...workers]) {
    for (const { flag } of kubeletFlags(part)) {
      const minor = removedIn(flag, target);
      if (minor === undefined) continue;
      return {
        reason: `its kubelets of ${titleOf(part)} have the flag --${flag}, which Kubernetes ${minor} removed`,
        next: 'remove it from kubeletExtraArgs, or create the cluster with the new version',
      };
    }
  }
  return undefined;
}

function kubeletFlags({ kubeadm }: Part): readonly { readonly flag: string; readonly value: string }[] {
  const argumentsOf = ({ initConfiguration, joinConfiguration }: KubeadmConfigSpec) =>
    [initConfiguration, joinConfiguration].flatMap((one) => one?.nodeRegistration?.kubeletExtraArgs ?? []);
  return kubeadm.flatMap(argumentsOf).map(({ name = '', value = '' }) => ({ flag: name, value }));
}

/** What may go wrong and cannot be known, a line each. */
export function findRisks({ controlPlane, workers, machines }: Parts): readonly string[] {
  return [controlPlane, ...workers].flatMap((part) => {
    const gates = kubeletFlags(part).find(({ flag }) => flag === 'feature-gates')?.value;
    const { deletion } = machineSpecOf(part);
    const hasMachines = machines.length > 0 && part.object.spec?.replicas !== 0;
    return [
      ...(gates === undefined
        ? []
        : [`${titleOf(part)} sets feature gates of kubelets, which the new version has to know: ${gates}`]),
      ...(deletion?.nodeDrainTimeoutSeconds !== undefined || !hasMachines
        ? []
        : [
            `${titleOf(part)} has no nodeDrainTimeoutSeconds: a PodDisruptionBudget may hold its old machines until timeout`,
          ]),
    ];
  });
}
