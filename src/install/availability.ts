import { firstLineOf, KnestError } from '../errors.ts';
import type { KubernetesClient } from '../host/api/client.ts';
import { Kinds } from '../host/api/kinds.ts';
import { describePodProblem, podProblem } from '../host/pods.ts';
import { conditionOf, type Deployment, type KubernetesEvent } from '../host/api/objects.ts';
import { watchTarget, watchUntil } from '../host/api/watch.ts';
import type { StepLog } from '../report/log.ts';
import type { Component, Workload } from '../catalog/components/component.ts';
import { daemonSetProblem, deploymentProblem } from './workload-problem.ts';

/** The reason of a controller that may not make pods, in events and conditions. Source: k8s.io/kubernetes pkg/controller. */
const FAILED_CREATE = 'FailedCreate';
/** What no waiting changes: the namespace admits no such pods. Source: k8s.io/pod-security-admission. */
const NOT_ADMITTED = /violates PodSecurity[^\n]*/;

/**
 * Waits until all workloads of the components are available, a line for each. Throws with what keeps them when aborted,
 * and KNEST_INSTALL at once when the host admits none of their pods.
 */
export async function waitForWorkloads(
  client: KubernetesClient,
  components: readonly Component[],
  log: StepLog | undefined,
  signal: AbortSignal,
): Promise<void> {
  const deployments = watchTarget(Kinds.deployment, {});
  const daemonSets = watchTarget(Kinds.daemonSet, {});
  const events = watchTarget(Kinds.event, { fieldSelector: `reason=${FAILED_CREATE}` });
  const workloads = components.flatMap((component) => component.workloads);
  if (workloads.length === 0) return;
  let old: ReadonlySet<string | undefined> | undefined;
  const refuseNotAdmitted = (): void => {
    const seen = [...events.objects.values()];
    // Those from before may be about a namespace that admits them by now.
    old ??= new Set(seen.map(({ metadata }) => metadata.resourceVersion));
    const recent = seen.filter(({ metadata }) => !old?.has(metadata.resourceVersion));
    for (const workload of workloads) {
      const message = notAdmitted(workload, deployments.objects.get(`${workload.namespace}/${workload.name}`), recent);
      if (message !== undefined) throw notAdmittedError(workload, message);
    }
  };
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
    const evaluate = (): true | undefined => {
      if (unavailable().length === 0) return true;
      refuseNotAdmitted();
      return undefined;
    };
    await watchUntil(client, [deployments, daemonSets, events], evaluate, signal, ({ kind, isForbidden, reason }) => {
      // Without events it takes longer to find out, and without the rest it cannot be found out.
      if (isForbidden && kind !== Kinds.event) throw new KnestError({ code: 'KNEST_PERMISSION', problem: reason });
    });
  } catch (thrown) {
    if (!(thrown instanceof KnestError && thrown.code === 'KNEST_TIMEOUT')) throw thrown;
    const namespaces = new Set(workloads.map(({ namespace }) => namespace));
    throw thrown.with(...unavailable(), ...(await podProblems(client, namespaces)));
  }
}

/** Why the host rejects the pods of a workload; undefined when it admits them, as far as can be seen. */
function notAdmitted(
  { kind, namespace, name }: Workload,
  deployment: Deployment | undefined,
  events: readonly KubernetesEvent[],
): string | undefined {
  const isAbout = ({ involvedObject }: KubernetesEvent): boolean =>
    involvedObject?.kind === kind && involvedObject.namespace === namespace && involvedObject.name === name;
  const failure = conditionOf(deployment, 'ReplicaFailure');
  const messages = [
    ...(failure?.status === 'True' ? [failure.message] : []),
    ...events.filter(isAbout).map(({ message }) => message),
  ];
  return messages.map((message = '') => NOT_ADMITTED.exec(message)?.[0]).find((message) => message !== undefined);
}

function notAdmittedError({ kind, namespace, name }: Workload, message: string): KnestError {
  return new KnestError({
    code: 'KNEST_INSTALL',
    problem: `the host rejects the pods of ${kind} ${namespace}/${name}`,
    evidence: [message],
    next: `have this done: kubectl label namespace ${namespace} --overwrite pod-security.kubernetes.io/enforce=privileged && kubectl rollout restart ${kind.toLowerCase()} ${name} --namespace ${namespace}`,
  });
}

/** What is wrong with the pods of these namespaces. Never rejects: the failure that is explained must come through. */
async function podProblems(client: KubernetesClient, namespaces: ReadonlySet<string>): Promise<string[]> {
  const briefly = client.briefly(AbortSignal.timeout(10_000));
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
