import { jobOn } from '../test/e2e/support.ts';
import type { Host } from '../test/host/host.ts';
import type { Job } from '../test/support/runner.ts';
import { median, percentile, rounded, type Row } from './bench-row.ts';
import { print } from './stage.ts';
import { timed } from './timed.ts';

const NAMESPACE = 'bench';
/** Clusters that the pool has at once: more do not fit on a small machine. */
const SIZE = 4;
const CLUSTER = { namespace: NAMESPACE, infrastructure: 'virtink', pool: 'bench', 'worker-machine-count': '1' };

/**
 * Measures claims from a pool, each from the start of the action to a kubeconfig that answers. A pool is filled for each
 * round, and then emptied by jobs that come one after the other.
 */
export async function benchClaim(rounds: number, host: Host): Promise<readonly Row[]> {
  const seconds: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    await succeed(jobOn(host, { command: 'pool', size: String(SIZE), 'max-concurrent': '2', ...CLUSTER }));
    const jobs: Job[] = [];
    for (let number = 1; number <= SIZE; number++) {
      const job = jobOn(host, { ...CLUSTER, 'wait-for': 'control-plane' });
      jobs.push(job);
      seconds.push(await timed(() => claim(host, job)));
    }
    await Promise.all(jobs.map((job) => job.post()));
    jobs.forEach((job) => job.clean());
    print(`round ${round}: ${seconds.slice(-SIZE).map((one) => one.toFixed(1)).join(', ')} s`); // prettier-ignore
  }
  const goal = { of: 'ours', bound: 'most', value: 2 } as const;
  const common = { engine: 'virtink', unit: 's', n: seconds.length } as const;
  return [
    { name: 'claim-median', ours: rounded(median(seconds)), ...common },
    { name: 'claim-p95', ours: rounded(percentile(seconds, 0.95)), ...common, goal },
  ];
}

async function claim(host: Host, job: Job): Promise<void> {
  const { outputs } = await succeed(job);
  if (outputs['pool'] !== CLUSTER.pool) throw new Error('the pool was empty');
  await host.run(['kubectl', '--kubeconfig', outputs['kubeconfig-path'] ?? '', 'get', '--raw', '/readyz']);
}

async function succeed(job: Job): ReturnType<Job['main']> {
  const main = await job.main();
  if (main.exitCode !== 0) throw new Error(`the action failed:\n${main.log}`);
  return main;
}
