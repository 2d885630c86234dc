import type { ClusterFacts } from '../../cluster/lifecycle/adopted.ts';
import type { ClaimedCluster } from '../../cluster/lifecycle/claim.ts';
import { waitForAddons } from '../../cluster/addons/addon-wait.ts';
import { addonsOf, hasCni, setName } from '../../cluster/addons/resource-set.ts';
import { engineNamed, engineOf } from '../../cluster/engines/engines.ts';
import type { ClusterIdentity } from '../../cluster/identity/identity.ts';
import { countedMachines, type MachineCounts } from '../../cluster/machines/machine-counts.ts';
import { hasJoined, hasReadyNode, isInitialised, type ClusterView } from '../../cluster/status/cluster-view.ts';
import type { Access } from '../../cluster/access/find-access.ts';
import { connectPlain } from '../../host/connect.ts';
import { Kinds } from '../../host/api/kinds.ts';
import type { KubernetesClient } from '../../host/api/client.ts';
import type { ChosenInputs } from '../../inputs.ts';
import type { Runtime } from '../../runtime.ts';
import type { JobTunnel } from '../steps/open-tunnel.ts';
import type { CreatePlan } from './plan.ts';
import { followWithProof } from './proof.ts';

/** A cluster that is claimed, and whose objects exist. */
export type MadeCluster = ClaimedCluster & ClusterFacts;

/**
 * Waits until the cluster is as far as `wait-for` asks, and logs each step on its way. Returns the way to its API server
 * when that has answered already. Errors: those of `followWithProof`.
 */
export async function waitForCluster(
  client: KubernetesClient,
  identity: ClusterIdentity,
  { cluster: object, created, machines }: MadeCluster,
  inputs: ChosenInputs,
  tunnel: JobTunnel,
  runtime: Runtime,
): Promise<Access | undefined> {
  const { cni, infrastructure: asked, persistent, timeoutSeconds, waitFor } = inputs;
  const { log } = runtime.report;
  const engine = engineOf(object, engineNamed(asked));
  // An adopted cluster keeps its CNI, whatever this create asks for.
  const hasOne = ({ resourceSets }: ClusterView): boolean =>
    created ? cni.kind !== 'none' : resourceSets.some((set) => hasCni(set, identity.name));
  const common = { engine, persistent, verb: 'start', timeoutSeconds };
  if (waitFor === 'nodes') {
    let areReady = false;
    const isReached = (view: ClusterView): boolean => {
      areReady = hasOne(view);
      return isInitialised(view) && areNodes(view, machines, areReady);
    };
    const goal = { ...common, isReached, endsWithProof: false };
    return log.step('Wait for nodes', async (step) => {
      const access = await followWithProof(client, identity, goal, inputs, tunnel, step, runtime);
      return { value: access, result: areReady ? 'nodes: Ready' : 'nodes: there' };
    });
  }
  const goal = { ...common, isReached: isInitialised, endsWithProof: true };
  return log.step('Wait for control plane', async (step) => {
    const access = await followWithProof(client, identity, goal, inputs, tunnel, step, runtime);
    return { value: access, result: access === undefined ? 'control plane: there' : 'control plane: answers' };
  });
}

/**
 * Waits until the add-ons run that a cluster gets which this use made, or completed. An adopted one keeps what its users
 * made of its add-ons. Errors: those of `waitForAddons`.
 */
export async function waitForInstalled(
  host: KubernetesClient,
  kubeconfig: string,
  { identity, installed: { addons } }: Pick<CreatePlan, 'identity' | 'installed'>,
  { cluster: object, isUnfinished }: MadeCluster,
  { report: { log }, clock: { signal } }: Runtime,
): Promise<void> {
  const { objects } = addons;
  if (objects.length === 0 || !isUnfinished) return;
  const set = await host.get(Kinds.clusterResourceSet, setName(identity.name), identity.namespace);
  // A job that was lost may have begun with other add-ons: a warning has said so.
  if (set === undefined || addonsOf(set) !== addons.description) return;
  const runsPods = engineOf(object).name !== 'in-memory' && hasCni(set, identity.name);
  await log.step('Wait for add-ons', async (step) => {
    if (!runsPods) step.line('their pods are not waited for: none runs on this cluster yet');
    const nested = connectPlain(kubeconfig, signal);
    const result = await waitForAddons({ host, nested, cluster: identity, objects, runsPods }, step, signal);
    return { value: undefined, result };
  });
}

/** Whether all machines are nodes, Ready ones with a CNI. Where their number is unknown, all that exist count. */
function areNodes(view: ClusterView, counts: MachineCounts, hasCni: boolean): boolean {
  const nodes = view.machines.filter(hasJoined);
  const joined = (hasCni ? nodes.filter(hasReadyNode) : nodes).length;
  const isKnown = counts.controlPlane !== undefined && counts.workers !== undefined;
  return joined >= countedMachines(counts) && (isKnown || joined === view.machines.length);
}
