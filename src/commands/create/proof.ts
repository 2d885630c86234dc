import { awaitAnswer, isForbidden } from '../../cluster/access/await-answer.ts';
import { SET_UP_BY_KUBEADM } from '../../cluster/access/probe.ts';
import type { Access } from '../../cluster/access/try-routes.ts';
import type { ClusterHandle } from '../../cluster/identity/cluster-handle.ts';
import { isInitialised, type ClusterView } from '../../cluster/status/cluster-view.ts';
import { follow, type Goal } from '../../cluster/status/wait.ts';
import type { KubernetesClient } from '../../host/api/client.ts';
import type { Cluster } from '../../host/api/cluster-api-objects.ts';
import { Kinds } from '../../host/api/kinds.ts';
import type { ChosenInputs } from '../../inputs.ts';
import type { StepLog } from '../../report/log.ts';
import type { Runtime } from '../../runtime.ts';
import type { JobTunnel } from '../steps/open-tunnel.ts';
import { readMasked } from '../steps/write-kubeconfig.ts';

/**
 * Follows a cluster until its control plane is there: as Cluster API sees it, which looks every 30 s only, or as the
 * nested API server proves it by an answer to this job. Returns the way to it when that came first.
 * Errors: those of `follow`; KNEST_PERMISSION, KNEST_OWNED_BY_OTHER of a tunnel that was asked for.
 */
export async function followUntilProved(
  client: KubernetesClient,
  handle: ClusterHandle,
  goal: Omit<Goal, 'isReached'>,
  inputs: ChosenInputs,
  tunnel: JobTunnel,
  step: StepLog,
  { env, secrets, clock: { signal } }: Runtime,
): Promise<Access | undefined> {
  const ended = new AbortController();
  const stop = AbortSignal.any([signal, ended.signal]);
  const prove = async ({ spec }: Cluster): Promise<Access> => {
    const kubeconfig = await readMasked(client, handle, secrets, stop);
    const objects = spec?.controlPlaneRef?.kind === Kinds.kubeadmControlPlane.kind ? SET_UP_BY_KUBEADM : [];
    const openTunnel = async (): Promise<string> => tunnel.open(step, stop);
    const onNote = (line: string): void => step.line(line);
    return awaitAnswer(client, handle, kubeconfig, inputs, objects, { env, signal: stop, onNote, openTunnel });
  };
  const proved = Promise.withResolvers<Access>();
  let proof: Promise<void> | undefined;
  const isReached = (view: ClusterView): boolean => {
    if (isInitialised(view)) return true;
    // There is nothing to ask before the cluster has an address.
    const { host = '', port = 0 } = view.cluster?.spec?.controlPlaneEndpoint ?? {};
    if (view.cluster !== undefined && host !== '' && port !== 0)
      proof ??= prove(view.cluster).then(proved.resolve, (thrown: unknown) => {
        // Without a proof, what Cluster API sees counts; the next step tries again, and says what is wrong then.
        if (isForbidden(thrown) && inputs.apiAccess === 'tunnel') proved.reject(thrown);
      });
    return false;
  };
  const seen = follow(client, handle, { ...goal, isReached }, step, stop).then(() => undefined);
  try {
    return await Promise.race([seen, proved.promise]);
  } finally {
    ended.abort();
    await Promise.allSettled([seen, proof]);
  }
}
