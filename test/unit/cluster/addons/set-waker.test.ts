import { setImmediate as turn } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { SetWaker } from '../../../../src/cluster/addons/set-waker.ts';
import { refusal, type Answer } from '../../../support/api-server.ts';
import { clientOfStore } from '../../host/store.ts';

/** How often a waker has woken Cluster API after each of these looks: seconds since the start, and workloads that run. */
async function wakes(looks: readonly (readonly [seconds: number, running: number])[], answer?: Answer) {
  const { client } = await clientOfStore(() => answer);
  const patch = vi.spyOn(client, 'patch');
  let seconds = 0;
  const waker = new SetWaker(client, { name: 'pr', namespace: 'knest' }, () => seconds * 1000);
  const counts: number[] = [];
  for (const [at, running] of looks) {
    seconds = at;
    waker.wake(running);
    await Promise.allSettled(patch.mock.results.map(({ value }) => value as Promise<unknown>));
    await turn(); // so that the waker has seen the answer
    counts.push(patch.mock.calls.length);
  }
  for (const [kind, name] of patch.mock.calls) expect([kind.kind, name]).toEqual(['ClusterResourceSet', 'pr-addons']);
  return counts;
}

it('wakes Cluster API when a workload runs, and every 10 s', async () => {
  const looks = [
    [1, 0],
    [2, 1],
    [3, 1],
    [4, 2],
    [13, 2],
    [14, 2],
    [15, 2],
  ] as const;
  expect(await wakes(looks)).toEqual([0, 1, 1, 2, 2, 3, 3]);
});

it('asks no more once it may not', async () => {
  const looks = [
    [10, 0],
    [20, 0],
    [30, 1],
  ] as const;
  expect(await wakes(looks, refusal(403, 'Forbidden', 'no'))).toEqual([1, 1, 1]);
  expect(await wakes(looks, refusal(409, 'Conflict', 'busy'))).toEqual([1, 2, 3]);
});
