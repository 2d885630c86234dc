import { awaitAnswer } from '../../cluster/access/await-answer.ts';
import { SET_UP_BY_KUBEADM } from '../../cluster/access/probe.ts';
import type { Access } from '../../cluster/access/try-routes.ts';
import type { ClusterHandle } from '../../cluster/identity/cluster-handle.ts';
import { isInitialised, type ClusterView } from '../../cluster/status/cluster-view.ts';
import { follow, type Goal } from '../../cluster/status/wait.ts';
import type { KubernetesClient } from '../../host/api/client.ts';
import { Kinds } from '../../host/api/kinds.ts';
import type { ChosenInputs } from '../../inputs.ts';
import type { StepLog } from '../../report/log.ts';
import type { Runtime } from '../../runtime.ts';
import { readMasked } from '../steps/write-kubeconfig.ts';

/**
 * Follows a cluster until its control plane is there: as Cluster API sees it, which looks every 30 s only, or as the
 * nested API server proves itself by a route of this job. Returns the way to it when it proved itself first.
 */
export async function followUntilProved(
  client: KubernetesClient,
  cluster: ClusterHandle,
  goal: Omit<Goal, 'isReached'>,
  inputs: ChosenInputs,
  step: StepLog,
  { env, secrets, clock: { signal } }: Runtime,
): Promise<Access | undefined> {
  const ended = new AbortController();
  const stop = AbortSignal.any([signal, ended.signal]);
  const proved = Promise.withResolvers<Access>();
  let isAsked = false;
  const isReached = (view: ClusterView): boolean => {
    if (isInitialised(view)) return true;
    const { controlPlaneEndpoint, controlPlaneRef } = view.cluster?.spec ?? {};
    if (isAsked || !controlPlaneEndpoint?.host) return false;
    isAsked = true;
    const objects = controlPlaneRef?.kind === Kinds.kubeadmControlPlane.kind ? SET_UP_BY_KUBEADM : [];
    readMasked(client, cluster, secrets, stop)
      .then(async (kubeconfig) => awaitAnswer(client, cluster, kubeconfig, inputs, objects, { env, signal: stop }))
      // Without a proof, what Cluster API sees counts, and the step that hands the kubeconfig over says what is wrong.
      .then(proved.resolve, () => undefined);
    return false;
  };
  try {
    const seen = follow(client, cluster, { ...goal, isReached }, step, stop).then(() => undefined);
    seen.catch(() => undefined); // It rejects when it is ended.
    return await Promise.race([seen, proved.promise]);
  } finally {
    ended.abort();
  }
}
