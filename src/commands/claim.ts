import { factsOf, inspectAdopted, type ClusterFacts } from '../cluster/lifecycle/adopted.ts';
import { createDependents } from '../cluster/lifecycle/apply.ts';
import { claimCluster, markFinished, type ClaimedCluster } from '../cluster/lifecycle/claim.ts';
import type { ClusterIdentity } from '../cluster/identity/identity.ts';
import type { ClusterPlan } from '../cluster/template/plan.ts';
import type { KubernetesClient } from '../host/api/client.ts';
import type { World } from '../world.ts';

/** Creates or adopts the Cluster. Errors: KNEST_OWNED_BY_OTHER. */
export async function claim(
  client: KubernetesClient,
  plan: ClusterPlan,
  cluster: ClusterIdentity,
  { log, signal, output }: World,
): Promise<ClaimedCluster> {
  return log.step('Claim', async (step) => {
    const claimed = await claimCluster(client, plan, cluster, step, signal);
    output('created', String(claimed.created));
    const verb = claimed.created ? 'is created' : 'was there, and is adopted';
    return { value: claimed, result: `Cluster ${cluster.namespace}/${cluster.name} ${verb}` };
  });
}

/**
 * Creates what a claimed Cluster lacks. An adopted one that was finished stays as it is: a warning names each difference
 * from the inputs, with the command that makes it go. Resolves what the cluster consists of. Errors:
 * KNEST_OWNED_BY_OTHER, KNEST_TEMPLATE.
 */
export async function complete(
  client: KubernetesClient,
  plan: ClusterPlan,
  claimed: ClaimedCluster,
  cluster: ClusterIdentity,
  { log, signal }: World,
): Promise<ClusterFacts> {
  return log.step('Apply', async () => {
    const expiry = cluster.expiresAt === undefined ? 'never expires' : `expires ${cluster.expiresAt}`;
    if (claimed.isUnfinished) {
      const { others } = plan;
      const created = await createDependents(client, others, claimed.cluster, cluster, signal);
      await markFinished(client, claimed.cluster);
      const rest = created === others.length ? '' : ` (${others.length - created} of them existed)`;
      return { value: factsOf([plan.cluster, ...others]), result: `${others.length + 1} objects${rest}, ${expiry}` };
    }
    const { differences, ...facts } = await inspectAdopted(client, claimed.cluster, plan);
    for (const difference of differences) log.warn(`${cluster.name} stays as it is: ${difference}`);
    return { value: facts, result: `nothing: the adopted cluster stays as it is, ${expiry}` };
  });
}
