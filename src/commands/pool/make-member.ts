import { checkServedObjects } from '../../cluster/lifecycle/name-conflicts.ts';
import { identify, type ClusterIdentity } from '../../cluster/identity/identity.ts';
import type { ClaimedCluster } from '../../cluster/lifecycle/claim.ts';
import { memberIdentity } from '../../cluster/pool/member.ts';
import { toKnestError } from '../../errors.ts';
import type { Connection } from '../../host/connection.ts';
import type { ChosenInputs } from '../../inputs.ts';
import type { WithKubeconfig } from '../../install/clusterctl.ts';
import type { JobRuntime } from '../../runtime.ts';
import { claim, complete } from '../create/claim.ts';
import { installMissing } from '../create/install-missing.ts';
import { planCluster, type CreatePlan } from '../create/plan.ts';
import { undo } from '../create/roll-back.ts';

/** The pool that a cluster is made for. */
interface PoolSlot {
  readonly pool: string;
  /** The name of the cluster. */
  readonly name: string;
  readonly fingerprint: string;
}

/**
 * Makes the objects of a cluster for a pool, and does not wait for it. Resolves false when the name is taken, so that
 * another filler makes it, or made it before. Errors: those of create; what was made is deleted then.
 */
export async function makeMember(
  host: Connection,
  { pool, name, fingerprint }: PoolSlot,
  inputs: ChosenInputs,
  withKubeconfig: WithKubeconfig,
  now: number,
  runtime: JobRuntime,
): Promise<boolean> {
  const identity = memberIdentity(identify({ ...inputs, name }, runtime.job, now), pool, fingerprint);
  const begun = await begin(host, identity, inputs, withKubeconfig, runtime);
  if (begun === undefined) {
    runtime.report.log.line(`▸ ${identity.namespace}/${name} exists already: it is left to its owner`);
    return false;
  }
  try {
    await complete(host.client, begun.plan, begun.claimed, runtime);
    return true;
  } catch (thrown) {
    throw await undo(host, identity, { keepOnFailure: false, created: true }, thrown, runtime);
  }
}

/** Plans a cluster and creates its Cluster. Resolves undefined when its name is taken. */
async function begin(
  host: Connection,
  identity: ClusterIdentity,
  inputs: ChosenInputs,
  withKubeconfig: WithKubeconfig,
  runtime: JobRuntime,
): Promise<{ readonly plan: CreatePlan; readonly claimed: ClaimedCluster } | undefined> {
  try {
    const plan = await planCluster(host, identity, inputs, runtime);
    await installMissing(host, plan, inputs, withKubeconfig, runtime);
    if (plan.hasForeignTemplate) await checkServedObjects(host.client, plan.objects.others);
    return { plan, claimed: await claim(host.client, plan, runtime) };
  } catch (thrown) {
    const failure = toKnestError(thrown);
    if (failure.code === 'KNEST_OWNED_BY_OTHER') return undefined;
    throw failure;
  }
}
