import { factsOf, inspectAdopted, type ClusterFacts } from '../../cluster/lifecycle/adopted.ts';
import { createDependents } from '../../cluster/lifecycle/apply.ts';
import { claimCluster, markFinished, type ClaimedCluster } from '../../cluster/lifecycle/claim.ts';
import type { KubernetesClient } from '../../host/api/client.ts';
import type { Runtime } from '../../runtime.ts';
import type { CreatePlan } from './plan.ts';

/** Creates or adopts the Cluster. Errors: KNEST_OWNED_BY_OTHER. */
export async function claim(
  client: KubernetesClient,
  { identity, objects }: CreatePlan,
  { report: { log }, clock: { signal } }: Runtime,
): Promise<ClaimedCluster> {
  return log.step('Claim', async (step) => {
    const claimed = await claimCluster(client, objects, identity, step, signal);
    const verb = claimed.created ? 'is created' : 'already exists and is adopted';
    return { value: claimed, result: `Cluster ${identity.namespace}/${identity.name} ${verb}` };
  });
}

/**
 * Creates what a claimed Cluster lacks. An adopted one that was finished stays as it is: a warning names each difference
 * from the inputs, with the command that makes it go. Resolves what the cluster consists of. Errors:
 * KNEST_OWNED_BY_OTHER, KNEST_TEMPLATE.
 */
export async function complete(
  client: KubernetesClient,
  { identity, objects }: CreatePlan,
  claimed: ClaimedCluster,
  { report: { log }, clock: { signal } }: Runtime,
): Promise<ClusterFacts> {
  return log.step('Apply', async () => {
    const expiry = identity.expiresAt === undefined ? 'never expires' : `expires ${identity.expiresAt}`;
    if (claimed.isUnfinished) {
      const { others } = objects;
      const created = await createDependents(client, others, claimed.cluster, identity, signal);
      await markFinished(client, claimed.cluster);
      const rest = created === others.length ? '' : ` (${others.length - created} of them already existed)`;
      return { value: factsOf([objects.cluster, ...others]), result: `${others.length + 1} objects${rest}, ${expiry}` };
    }
    const { differences, ...facts } = await inspectAdopted(client, claimed.cluster, objects);
    for (const difference of differences) log.warn(`${identity.name} stays as it is: ${difference}`);
    return { value: facts, result: `nothing: the adopted cluster stays as it is, ${expiry}` };
  });
}
