import { awaitAnswer, isForbidden } from '../../cluster/access/await-answer.ts';
import { SET_UP_BY_KUBEADM } from '../../cluster/access/probe.ts';
import { nameOf } from '../../cluster/access/routes.ts';
import type { Access } from '../../cluster/access/find-access.ts';
import type { ClusterHandle } from '../../cluster/identity/cluster-handle.ts';
import type { ClusterView } from '../../cluster/status/cluster-view.ts';
import { follow, type Goal } from '../../cluster/status/wait.ts';
import type { KubernetesClient } from '../../host/api/client.ts';
import type { Cluster } from '../../host/api/cluster-api-objects.ts';
import { Kinds } from '../../host/api/kinds.ts';
import type { ChosenInputs } from '../../inputs.ts';
import type { StepLog } from '../../report/log.ts';
import type { Runtime } from '../../runtime.ts';
import type { JobTunnel } from '../steps/open-tunnel.ts';
import { readMasked } from '../steps/write-kubeconfig.ts';

/** What a cluster is followed for, and whether an answer of its API server is enough. */
export interface ProvableGoal extends Goal {
  readonly endsWithProof: boolean;
}

/**
 * Follows a cluster, and asks its API server by every way of this job meanwhile: Cluster API looks every 30 s only, and a
 * tunnel that is needed is there in time. Ends when the goal is reached, or with the proof where that is enough. Returns
 * the way by which the API server has answered; undefined when it has not.
 * Errors: those of `follow`; KNEST_PERMISSION, KNEST_OWNED_BY_OTHER of a tunnel that was asked for.
 */
export async function followWithProof(
  client: KubernetesClient,
  handle: ClusterHandle,
  goal: ProvableGoal,
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
  let access: Access | undefined;
  const enough = Promise.withResolvers<Access>();
  const onProof = (found: Access): void => {
    access = found;
    if (goal.endsWithProof) enough.resolve(found);
    else step.line(`control plane: answers by ${nameOf(found.route)}`);
  };
  const onFailure = (thrown: unknown): void => {
    // Without a proof, what Cluster API sees counts; the next step tries again, and says what is wrong then.
    if (isForbidden(thrown) && inputs.apiAccess === 'tunnel') enough.reject(thrown);
  };
  let proof: Promise<void> | undefined;
  const isReached = (view: ClusterView): boolean => {
    if (goal.isReached(view)) return true;
    // There is nothing to ask before the cluster has an address.
    const { host = '', port = 0 } = view.cluster?.spec?.controlPlaneEndpoint ?? {};
    if (view.cluster !== undefined && host !== '' && port !== 0) proof ??= prove(view.cluster).then(onProof, onFailure);
    return false;
  };
  const seen = follow(client, handle, { ...goal, isReached }, step, stop).then(() => access);
  try {
    return await Promise.race([seen, enough.promise]);
  } finally {
    ended.abort();
    await Promise.allSettled([seen, proof]);
  }
}
