import { describe, expect, it } from 'vitest';
import type { ContainerStatus, Pod } from '../../../src/host/api/objects.ts';
import { describePodProblem, podProblem } from '../../../src/host/pods.ts';

function podWith(status: Pod['status'], namespace?: string): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', ...(namespace !== undefined && { namespace }) },
    ...(status !== undefined && { status }),
  };
}
const container = (state: ContainerStatus['state'], name = 'c'): ContainerStatus => ({
  name,
  image: `${name}:1`,
  ...(state !== undefined && { state }),
});
const waiting = (reason: string, message?: string): ContainerStatus['state'] => ({
  waiting: { reason, ...(message !== undefined && { message }) },
});
const notScheduled = (reason: string): Pod['status'] => ({
  conditions: [
    { type: 'PodScheduled', status: 'False', reason, message: 'no memory', lastTransitionTime: '2026-11-22T19:00:00Z' },
  ],
});

describe('podProblem', () => {
  it.each([
    ['ErrImagePull', 'image'],
    ['ImagePullBackOff', 'image'],
    ['InvalidImageName', 'image'],
    ['ErrImageNeverPull', 'image'],
    ['ImageInspectError', 'image'],
    ['CrashLoopBackOff', 'crashing'],
    ['CreateContainerConfigError', 'waiting'],
  ])('classifies a container that waits with %s as %s', (reason, kind) => {
    expect(podProblem(podWith({ containerStatuses: [container(waiting(reason, 'm'))] }))).toEqual({
      kind,
      reason,
      message: 'm',
      container: { name: 'c', image: 'c:1', isInit: false },
    });
  });

  it('reports why a pod is not scheduled, and since when', () => {
    expect(podProblem(podWith(notScheduled('Unschedulable')))).toEqual({
      kind: 'unschedulable',
      reason: 'Unschedulable',
      message: 'no memory',
      since: '2026-11-22T19:00:00Z',
    });
    expect(podProblem(podWith(notScheduled('SchedulingGated')))).toBeUndefined();
  });

  it.each([
    [{ exitCode: 1, reason: 'Error', message: 'panic' }, 'Error', 'panic'],
    [{ exitCode: 137, reason: 'OOMKilled' }, 'OOMKilled', 'exit code 137'],
    [{ exitCode: 2 }, 'Error', 'exit code 2'],
    [{}, 'Error', 'exit code unknown'],
  ])('classifies a container that ended with %o as crashing', (terminated, reason, message) => {
    const problem = podProblem(podWith({ initContainerStatuses: [container({ terminated })] }));
    expect(problem).toEqual({
      kind: 'crashing',
      reason,
      message,
      container: { name: 'c', image: 'c:1', isInit: true },
    });
  });

  it.each<[string, Pod['status']]>([
    ['has no status', undefined],
    ['has an empty status', {}],
    ['is scheduled', { conditions: [{ type: 'PodScheduled', status: 'True' }] }],
    ['is being created', { containerStatuses: [container(waiting('ContainerCreating'))] }],
    ['waits for its init containers', { containerStatuses: [container(waiting('PodInitializing'))] }],
    ['waits without a reason', { containerStatuses: [container({ waiting: {} })] }],
    ['is running', { containerStatuses: [container({ running: { startedAt: '2026-11-22T19:00:00Z' } })] }],
    ['has no state yet', { containerStatuses: [container(undefined)] }],
    ['has completed its init container', { initContainerStatuses: [container({ terminated: { exitCode: 0 } })] }],
  ])('finds no problem in a pod that %s', (_what, status) => expect(podProblem(podWith(status))).toBeUndefined());

  it('returns the first of several problems: init containers, then the others', () => {
    const main = [container({ running: {} }, 'fine'), container(waiting('CrashLoopBackOff'), 'main')];
    const init = [container({ terminated: { exitCode: 0 } }, 'done'), container(waiting('ErrImagePull'), 'init')];
    expect(podProblem(podWith({ containerStatuses: main }))?.container?.name).toBe('main');
    expect(podProblem(podWith({ initContainerStatuses: init, containerStatuses: main }))?.container).toEqual({
      name: 'init',
      image: 'init:1',
      isInit: true,
    });
  });

  it('works without an image in the status', () => {
    const status = { name: 'c', state: { waiting: { reason: 'ErrImagePull' } } };
    expect(podProblem(podWith({ containerStatuses: [status] }))).toMatchObject({
      message: '',
      container: { image: '' },
    });
  });
});

describe('describePodProblem', () => {
  const described = (pod: Pod): string => {
    const problem = podProblem(pod);
    if (problem === undefined) throw new Error('it has no problem');
    return describePodProblem(pod, problem);
  };

  it.each<[Pod, string]>([
    [podWith(notScheduled('Unschedulable'), 'knest'), 'Pod knest/p: Unschedulable: no memory'],
    [
      podWith({ initContainerStatuses: [container(waiting('ErrImagePull', 'not found'))] }, 'knest'),
      'Pod knest/p, init container c: ErrImagePull: not found',
    ],
    [
      podWith(
        { containerStatuses: [container(waiting('ErrImagePull', 'no match for platform in manifest'))] },
        'knest',
      ),
      'Pod knest/p, container c: ErrImagePull: no match for platform in manifest (the image is for another architecture than that of the node)',
    ],
    [
      podWith({ containerStatuses: [container(waiting('CrashLoopBackOff'))] }, 'knest'),
      'Pod knest/p, container c: CrashLoopBackOff',
    ],
    [podWith({ containerStatuses: [container(waiting('CrashLoopBackOff'))] }), 'Pod /p, container c: CrashLoopBackOff'],
  ])('describes container and reason (%#)', (pod, line) => expect(described(pod)).toBe(line));
});
