import { KnestError, type ErrorCode } from '../../errors.ts';
import type { KubernetesClient } from '../../host/api/client.ts';
import { Kinds } from '../../host/api/kinds.ts';
import { belongingTo } from '../identity/cluster-handle.ts';
import { hasJoined } from '../status/cluster-view.ts';
import { kubeProxyProblems } from './nested.ts';
import type { UpgradePlan } from './plan.ts';

/** Milliseconds for the look at what an upgrade left. */
const LOOK = 10_000;

/** What can be done where the advice for a create would change what an upgrade keeps: images, networks and sizes. */
const ADVICE: Partial<Record<ErrorCode, string>> = {
  KNEST_IMAGE_PULL:
    'make the image available under this name, and run this step again; or delete the cluster, and create it again',
  KNEST_UNSCHEDULABLE: 'make room on the host and run this step again, or delete the cluster',
  KNEST_BOOTSTRAP: 'delete the cluster, and create it again',
};

/** The failure of an upgrade that has begun, with what is left of it, and what may be done about it. */
export async function explainUnfinished(
  client: KubernetesClient,
  nested: KubernetesClient,
  { cluster, target }: UpgradePlan,
  thrown: unknown,
): Promise<unknown> {
  if (!(thrown instanceof KnestError) || thrown.code === 'KNEST_UPGRADE') return thrown;
  const { name, namespace = '' } = cluster.metadata;
  const signal = AbortSignal.timeout(LOOK);
  const briefly = client.briefly(signal);
  const current = await briefly.get(Kinds.cluster, name, namespace).catch(() => cluster);
  // One that somebody deleted is continued by nothing.
  if (current === undefined || current.metadata.deletionTimestamp !== undefined) return thrown;
  const [machines, pulls] = await Promise.all([
    briefly.list(Kinds.machine, belongingTo({ name, namespace })).catch(() => []),
    kubeProxyProblems(nested.briefly(signal)).catch(() => []),
  ]);
  const added = machines.filter((machine) => machine.spec?.version === target.version && !hasJoined(machine));
  const names = added.map(({ metadata }) => metadata.name).join(', ');
  const { code, problem, evidence, next, cause } = thrown;
  const advice = ADVICE[code] ?? next;
  return new KnestError({
    code,
    problem,
    evidence: [
      ...evidence,
      ...pulls,
      `the upgrade to ${target.version} is unfinished: the same inputs continue it, and other targets are refused`,
      ...(names === ''
        ? []
        : [`new and not yet a node: Machine ${names}; if you delete a Machine by hand, delete no other`]),
    ],
    ...(advice !== undefined && { next: advice }),
    cause,
  });
}
