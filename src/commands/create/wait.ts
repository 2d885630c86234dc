import type { ClusterFacts } from '../../cluster/lifecycle/adopted.ts';
import type { ClaimedCluster } from '../../cluster/lifecycle/claim.ts';
import { CNI_SUFFIX } from '../../cluster/addons/resource-set.ts';
import { engineNamed, engineOf } from '../../cluster/engines/engines.ts';
import type { MachineCounts } from '../../cluster/machines/machine-counts.ts';
import { hasJoined, hasReadyNode, isInitialised, type ClusterView } from '../../cluster/status/cluster-view.ts';
import { follow } from '../../cluster/status/wait.ts';
import type { Access } from '../../cluster/access/try-routes.ts';
import type { KubernetesClient } from '../../host/api/client.ts';
import type { ChosenInputs } from '../../inputs.ts';
import type { Runtime } from '../../runtime.ts';
import type { JobTunnel } from '../steps/open-tunnel.ts';
import type { CreatePlan } from './plan.ts';
import { followUntilProved } from './proof.ts';

/** A cluster that is claimed, and whose objects exist. */
export type MadeCluster = ClaimedCluster & ClusterFacts;

/**
 * Waits until the cluster is as far as `wait-for` asks, and logs each step on its way. Returns the way to its API server
 * when that has answered already. Errors: those of `followUntilProved`.
 */
export async function waitForCluster(
  client: KubernetesClient,
  { identity }: CreatePlan,
  { cluster: object, created, machines }: MadeCluster,
  inputs: ChosenInputs,
  tunnel: JobTunnel,
  runtime: Runtime,
): Promise<Access | undefined> {
  const { cni, infrastructure: asked, persistent, timeoutSeconds, waitFor } = inputs;
  const {
    report: { log },
    clock: { signal },
  } = runtime;
  const engine = engineOf(object, engineNamed(asked));
  // An adopted cluster keeps its CNI, whatever this create asks for.
  const hasCni = ({ resourceSets }: ClusterView): boolean =>
    created
      ? cni.kind !== 'none'
      : resourceSets.some(({ metadata }) => metadata.name === `${identity.name}${CNI_SUFFIX}`);
  let areReady = false;
  const common = { engine, persistent, verb: 'start', timeoutSeconds };
  if (waitFor === 'nodes') {
    const isReached = (view: ClusterView): boolean => {
      areReady = hasCni(view);
      return isInitialised(view) && areNodes(view, machines, areReady);
    };
    return log.step('Wait for nodes', async (step) => {
      await follow(client, identity, { ...common, isReached }, step, signal);
      return { value: undefined, result: areReady ? 'nodes: Ready' : 'nodes: there' };
    });
  }
  return log.step('Wait for control plane', async (step) => {
    const access = await followUntilProved(client, identity, common, inputs, tunnel, step, runtime);
    return { value: access, result: access === undefined ? 'control plane: there' : 'control plane: answers' };
  });
}

/** Whether all machines are nodes, Ready ones with a CNI. Where their number is unknown, all that exist count. */
function areNodes(view: ClusterView, { controlPlane, workers }: MachineCounts, hasCni: boolean): boolean {
  const nodes = view.machines.filter(hasJoined);
  const joined = (hasCni ? nodes.filter(hasReadyNode) : nodes).length;
  const isKnown = controlPlane !== undefined && workers !== undefined;
  return joined >= (controlPlane ?? 0) + (workers ?? 0) && (isKnown || joined === view.machines.length);
}
