import { firstLineOf, KnestError } from '../errors.ts';
import type { KubernetesClient } from '../host/client.ts';
import { Kinds } from '../host/kinds.ts';
import { describePodProblem, podProblem } from '../host/pods.ts';
import { watchTarget, watchUntil } from '../host/watch.ts';
import type { StepLog } from '../report/log.ts';
import type { Component } from './components.ts';
import { daemonSetProblem, deploymentProblem } from './inventory.ts';

/** Waits until all workloads of the components are available, a line for each. Throws with what keeps them when aborted. */
export async function waitForWorkloads(
  client: KubernetesClient,
  components: readonly Component[],
  log: StepLog | undefined,
  signal: AbortSignal,
): Promise<void> {
  const deployments = watchTarget(Kinds.deployment, {});
  const daemonSets = watchTarget(Kinds.daemonSet, {});
  const workloads = components.flatMap((component) => component.workloads);
  if (workloads.length === 0) return;
  const awaited = new Set<string>();
  const unavailable = (): string[] =>
    workloads.flatMap(({ kind, namespace, name }) => {
      const key = `${namespace}/${name}`;
      const problem =
        kind === 'Deployment'
          ? deploymentProblem(deployments.objects.get(key))
          : daemonSetProblem(daemonSets.objects.get(key));
      if (problem === undefined) {
        if (awaited.delete(key)) log?.line(`${key} is available`);
        return [];
      }
      awaited.add(key);
      return [`${kind} ${key} ${problem}`];
    });
  try {
    await watchUntil(client, [deployments, daemonSets], () => unavailable().length === 0 || undefined, signal);
  } catch (thrown) {
    if (!(thrown instanceof KnestError && thrown.code === 'KNEST_TIMEOUT')) throw thrown;
    const namespaces = new Set(workloads.map(({ namespace }) => namespace));
    throw thrown.with(...unavailable(), ...(await podProblems(client, namespaces)));
  }
}

/** What is wrong with the pods of these namespaces. Never rejects: the failure that is explained must come through. */
async function podProblems(client: KubernetesClient, namespaces: ReadonlySet<string>): Promise<string[]> {
  const briefly = client.until(AbortSignal.timeout(10_000));
  try {
    const pods = await Promise.all([...namespaces].map((namespace) => briefly.list(Kinds.pod, { namespace })));
    return pods.flat().flatMap((pod) => {
      const problem = podProblem(pod);
      return problem === undefined ? [] : [describePodProblem(pod, problem)];
    });
  } catch (thrown) {
    return [`the pods could not be looked at: ${firstLineOf(thrown)}`];
  }
}
