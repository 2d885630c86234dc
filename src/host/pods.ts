import { pathOf, query } from './api/paths.ts';
import { Kinds } from './api/kinds.ts';
import { conditionOf, type ContainerStatus, type Pod } from './api/objects.ts';

/** Why a pod does not run. */
export interface PodProblem {
  readonly kind: 'image' | 'unschedulable' | 'crashing' | 'waiting';
  /** Kubernetes' own word, for example `ErrImagePull`. */
  readonly reason: string;
  readonly message: string;
  /** The container and its image; undefined when the pod as a whole is at fault. */
  readonly container?: { readonly name: string; readonly image: string; readonly isInit: boolean };
  /** When it was first seen in the pod's status; undefined when the status has no time. */
  readonly since?: string;
}

const IMAGE_REASONS = [
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'ErrImageNeverPull',
  'ImageInspectError',
];

/** Whether a registry says that it does not have the image, as the next try will find too. */
export function isMissingImage({ message }: PodProblem): boolean {
  return /not found|manifest unknown|does not exist/i.test(message);
}

/** What keeps a pod from running, the most specific first; undefined while nothing does. */
export function podProblem(pod: Pod): PodProblem | undefined {
  const scheduled = conditionOf(pod, 'PodScheduled');
  if (scheduled?.status === 'False' && scheduled.reason === 'Unschedulable') {
    return {
      kind: 'unschedulable',
      reason: scheduled.reason,
      message: scheduled.message ?? '',
      ...(scheduled.lastTransitionTime !== undefined && { since: scheduled.lastTransitionTime }),
    };
  }
  const inits = (pod.status?.initContainerStatuses ?? []).map((status) => ({ status, isInit: true }));
  const mains = (pod.status?.containerStatuses ?? []).map((status) => ({ status, isInit: false }));
  const problems = [...inits, ...mains].map(({ status, isInit }) => containerProblem(status, isInit));
  return problems.find((problem) => problem !== undefined) ?? wholeProblem(pod);
}

/** An evicted pod, for example, has no containers any more. */
function wholeProblem({ status }: Pod): PodProblem | undefined {
  if (status?.phase !== 'Failed') return undefined;
  return { kind: 'crashing', reason: status.reason ?? 'Failed', message: status.message ?? '' };
}

function containerProblem(status: ContainerStatus, isInit: boolean): PodProblem | undefined {
  const container = { name: status.name, image: status.image ?? '', isInit };
  const { waiting, terminated } = status.state ?? {};
  if (waiting?.reason !== undefined && waiting.reason !== 'PodInitializing' && waiting.reason !== 'ContainerCreating') {
    const kind = IMAGE_REASONS.includes(waiting.reason)
      ? 'image'
      : waiting.reason === 'CrashLoopBackOff'
        ? 'crashing'
        : 'waiting';
    return { kind, reason: waiting.reason, message: waiting.message ?? '', container };
  }
  if (terminated !== undefined && terminated.exitCode !== 0) {
    const message = terminated.message ?? `exit code ${terminated.exitCode ?? 'unknown'}`;
    return { kind: 'crashing', reason: terminated.reason ?? 'Error', message, container };
  }
  return undefined;
}

/** The problem of a pod as a line: `Pod ns/name, init container x: ErrImagePull: message`. */
export function describePodProblem(pod: Pod, problem: PodProblem): string {
  const { name, namespace = '' } = pod.metadata;
  const { container } = problem;
  const place = container === undefined ? '' : `, ${container.isInit ? 'init ' : ''}container ${container.name}`;
  const message = problem.message === '' ? '' : `: ${problem.message}`;
  // The words of containerd. Images of Docker 29 are for one platform unless --platform names more.
  const isForeign = /no match for platform/.test(problem.message);
  const hint = isForeign ? ' (the image is for another architecture than that of the node)' : '';
  return `Pod ${namespace}/${name}${place}: ${problem.reason}${message}${hint}`;
}

/** The path of a pod's log, of its first container where `parameters`, those of the API, name no other. */
export function logPath({ metadata, spec }: Pod, parameters: Readonly<Record<string, string>>): string {
  const container = spec?.containers?.[0]?.name;
  return `${pathOf(Kinds.pod, metadata.namespace, metadata.name)}/log${query({ container, ...parameters })}`;
}
