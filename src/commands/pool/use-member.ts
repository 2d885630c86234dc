import type { Access } from '../../cluster/access/find-access.ts';
import { kubeconfigText } from '../../cluster/access/kubeconfig.ts';
import type { Manifest } from '../../cluster/addons/manifest.ts';
import { readFacts, type ClusterFacts } from '../../cluster/lifecycle/adopted.ts';
import { countedMachines } from '../../cluster/machines/machine-counts.ts';
import { tunnelUse } from '../../cluster/tunnel/settings.ts';
import { KnestError } from '../../errors.ts';
import { connectPlain } from '../../host/connect.ts';
import type { Connection } from '../../host/connection.ts';
import type { KubernetesClient } from '../../host/api/client.ts';
import { Kinds } from '../../host/api/kinds.ts';
import { conditionOf } from '../../host/api/objects.ts';
import type { ChosenInputs } from '../../inputs.ts';
import type { SavedHost } from '../../post-state.ts';
import { pause } from '../../retry.ts';
import type { JobRuntime } from '../../runtime.ts';
import { diagnose, IN_MAIN } from '../steps/diagnose.ts';
import { JobTunnel } from '../steps/open-tunnel.ts';
import { reachCluster } from '../steps/write-kubeconfig.ts';
import { handOver } from '../create/hand-over.ts';
import { announce } from '../create/record.ts';
import { downloaderFor, planAddons } from '../create/plan.ts';
import { undo } from '../create/roll-back.ts';
import { discard, takeFromPool, type ClaimedMember } from './take-from-pool.ts';

/** Seconds in which a claimed cluster has to answer: it was ready before, but this job may need a tunnel to it. */
const ANSWER_SECONDS = 120;
/** Milliseconds between two looks at its nodes. */
const NODES_EVERY = 1_000;

/**
 * Gives the job a ready cluster of the pool that the inputs name. Resolves false when it has none: the log has the reason.
 * Also when the one that was claimed does not answer, or lacks nodes: it is deleted, and only one, since the reason may be
 * the way from this job to it. `now`: milliseconds since the epoch, by the clock of the host. Errors: those of `create`.
 */
export async function useMember(
  host: Connection,
  saved: SavedHost,
  pool: string,
  now: number,
  inputs: ChosenInputs,
  runtime: JobRuntime,
): Promise<boolean> {
  const { outputs, clock } = runtime;
  const installed = { cni: OF_POOL, addons: await addonsOf(inputs, runtime) }; // what may fail comes before the claim
  const member = await takeFromPool(host, pool, now, inputs, runtime);
  if (member === undefined) return false;
  const { identity, cluster } = member;
  const isOver = (): boolean => clock.signal.aborted;
  const tunnel = new JobTunnel(host.client, identity, inputs.relayImage, tunnelUse(saved, identity), runtime);
  try {
    const proven = await prove(host, member, inputs, tunnel, runtime).catch(async (thrown: unknown) => {
      if (isOver()) throw thrown;
      await discard(host.client, member, thrown, runtime);
    });
    if (proven === undefined) return false;
    announce(identity, runtime);
    outputs.set('created', 'true');
    const { access, ...facts } = proven;
    // It counts as just made: the job waits for its add-ons.
    const made = { cluster, created: true, isUnfinished: true, ...facts };
    const done = { identity, installed, made, newComponents: [], access, tunnel, verb: 'claimed' } as const;
    await handOver(host, saved, done, inputs, runtime);
    outputs.set('pool', pool);
    return true;
  } catch (thrown) {
    await diagnose(host.client, identity, IN_MAIN, runtime);
    throw await undo(host, identity, { keepOnFailure: inputs.keepOnFailure, created: true }, thrown, runtime);
  }
}

/** What the pool had installed. */
const OF_POOL: Manifest = { description: 'that of the pool', objects: [] };

/** The add-ons that a job waits for, where it waits for any. */
async function addonsOf(inputs: ChosenInputs, runtime: JobRuntime): Promise<Manifest> {
  if (inputs.addons.length === 0 || inputs.waitFor !== 'nodes') return OF_POOL;
  return planAddons(inputs, downloaderFor(inputs, runtime), runtime);
}

/** What a cluster consists of, and the way to it. */
interface Proven extends ClusterFacts {
  /** Undefined where the job waits for nothing. */
  readonly access: Access | undefined;
}

/**
 * Proves by the nested API server itself that a claimed cluster can be used, and finds the way of this job to it. Throws
 * KNEST_API_ACCESS when it does not answer with all of its nodes in time.
 */
async function prove(
  host: Connection,
  { identity, cluster }: ClaimedMember,
  inputs: ChosenInputs,
  tunnel: JobTunnel,
  runtime: JobRuntime,
): Promise<Proven> {
  const { clock, report } = runtime;
  const late = new AbortController();
  let state = 'does not answer';
  const timer = setTimeout(() => {
    const problem = `${identity.name} ${state} within ${ANSWER_SECONDS} s`;
    late.abort(new KnestError({ code: 'KNEST_API_ACCESS', problem }));
  }, ANSWER_SECONDS * 1000);
  const signal = AbortSignal.any([clock.signal, late.signal]);
  const client = host.client.until(signal);
  try {
    const facts = await readFacts(client, cluster);
    if (inputs.waitFor === 'none') return { ...facts, access: undefined };
    return await report.log.step('Prove', async (step) => {
      const briefly = { ...runtime, clock: { ...clock, signal } };
      const access = await reachCluster(client, identity, inputs, tunnel, step, briefly);
      const nested = connectPlain(kubeconfigText(access.kubeconfig, identity), signal);
      const wanted = countedMachines(facts.machines);
      let nodes = await countNodes(nested, inputs);
      for (; nodes < wanted; nodes = await countNodes(nested, inputs)) {
        state = `has ${nodes} of ${wanted} nodes`;
        await pause(NODES_EVERY, signal);
      }
      return { value: { ...facts, access }, result: `answers, with ${nodes} nodes` };
    });
  } finally {
    clearTimeout(timer);
  }
}

/** How many nodes a cluster has that can be used: Ready ones with a CNI. */
async function countNodes(nested: KubernetesClient, { cni }: ChosenInputs): Promise<number> {
  const nodes = await nested.list(Kinds.node);
  return cni.kind === 'none'
    ? nodes.length
    : nodes.filter((node) => conditionOf(node, 'Ready')?.status === 'True').length;
}
