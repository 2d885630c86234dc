import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../host/process.ts';
import { FaultProxy, pass, type Judge, type PassingRequest } from '../support/fault-proxy.ts';
import { inParallel } from '../support/in-parallel.ts';
import type { Job, StepResult } from '../support/runner.ts';
import { chance, randomFaults } from '../support/random-faults.ts';
import { complaintsOf } from './expect.ts';
import { jobOn, objectsIn, sharedHost } from './support.ts';

const namespace = 'faults';
const host = sharedHost();
/** `npm run soak` runs more of them. */
const runs = Number(process.env['RUNS'] ?? 20);
const seed = process.env['SEED'] ?? String(Date.now());
/** How many of them run at once. */
const PARALLEL = 6;
/** Seconds: for the command, for deleting what a failed one made, and for starting and ending on a busy machine. */
const TIMEOUT = 240;
const UNDO = 120;
const MARGIN = 60;
/** The highest share of failing requests in the post step, which has only seconds and no step after it. */
const MOST_IN_POST = 0.15;

/** The result of a create whose requests fail at random. */
interface Outcome {
  readonly name: string;
  readonly rate: number;
  /** How many requests it made, and how many of them went wrong. */
  readonly requests: number;
  readonly faults: number;
  readonly main: StepResult;
  readonly post: StepResult;
}

let proxy: FaultProxy;

function makeJob(kubeconfig: string, inputs: Readonly<Record<string, string>>): Job {
  const through = { 'host-kubeconfig': kubeconfig, 'host-kubeconfig-file': '', timeout: `${TIMEOUT}s` };
  return jobOn(host, { infrastructure: 'in-memory', namespace, 'worker-machine-count': '0', ...through, ...inputs });
}

/** A create and its post step while requests fail: none in one run, seven of ten in another. */
async function createAmidFaults(index: number): Promise<Outcome> {
  const name = `faulty-${index}`;
  const rate = chance(`${seed} ${index} rate`) * 0.7;
  let [requests, faults, isPost] = [0, 0, false];
  const random = randomFaults(`${seed} ${index}`, () => (isPost ? Math.min(rate, MOST_IN_POST) : rate));
  const kubeconfig = proxy.admit({
    decide(request) {
      const fate = random.decide(request);
      requests++;
      if (fate !== pass) faults++;
      return fate;
    },
  });
  const job = makeJob(kubeconfig, { name, 'wait-for': index % 2 === 0 ? 'control-plane' : 'none' });
  const main = await job.main();
  isPost = true;
  const post = await job.post();
  job.clean();
  return { name, rate, requests, faults, main, post };
}

/** How a create ended: `success`, or the code of its error. */
function endOf({ main }: Outcome): string {
  if (main.exitCode === 0) return 'success';
  return /^✖ .* (KNEST_\w+)$/m.exec(main.log)?.[1] ?? 'no code';
}

describe(`${runs} creates whose requests fail at random (SEED=${seed})`, () => {
  beforeAll(async () => {
    proxy = await FaultProxy.start(readFileSync(host.kubeconfig, 'utf8'), (argv) => host.command(argv));
  });
  afterAll(() => proxy.stop());

  it('recognise their own Cluster when the response to its creation is lost', async () => {
    const lost = ({ what, earlier }: PassingRequest): boolean =>
      what.startsWith('POST ') && what.includes('/clusters?') && earlier === 0;
    const judge: Judge = { decide: (request) => (lost(request) ? { kind: 'cut', where: 'answer' } : pass) };
    const job = makeJob(proxy.admit(judge), { name: 'lost', 'wait-for': 'none' });
    const main = await job.main();
    expect(main.exitCode, main.log).toBe(0);
    expect(main.outputs['created']).toBe('true');
    expect((await job.post()).log).toContain('nothing of lost is left');
    job.clean();
  });

  it('end in success or in a clear error, in time, and leave nothing behind', { timeout: runs * 120_000 }, async () => {
    const outcomes = await inParallel([...Array(runs).keys()], PARALLEL, createAmidFaults);
    const ends = Map.groupBy(outcomes, endOf);
    const sum = (of: (outcome: Outcome) => number): number => outcomes.reduce((total, one) => total + of(one), 0);
    console.log(`${sum(({ faults }) => faults)} of ${sum(({ requests }) => requests)} requests went wrong`);
    for (const [end, { length }] of ends) console.log(`${end}: ${length} of ${runs}`);
    for (const outcome of outcomes) {
      const { name, rate, main, post } = outcome;
      const log = `${name}, ${(rate * 100).toFixed(0)} % of its requests went wrong\n${main.log}${post.log}`;
      expect(main.signal, log).toBe(null);
      expect(main.seconds, log).toBeLessThan(TIMEOUT + UNDO + MARGIN);
      expect(endOf(outcome), log).toMatch(/^(success|KNEST_(?!INTERNAL)\w+)$/);
      if (main.exitCode === 0) expect(main.outputs['created'], log).toBe('true');
      expect(post.exitCode, log).toBe(0);
      expect(complaintsOf(post.log), log).toEqual([]);
    }
    // Without any success, the test would prove little.
    expect(ends.get('success')?.length).toBeGreaterThan(runs / 4);
    const left = async (): Promise<string[]> =>
      (await objectsIn(host, namespace)).filter((object) => /\/(vm-)?faulty-\d/.test(object));
    await until('the garbage collector', 300_000, async () => (await left()).length === 0).catch(() => undefined);
    expect(await left()).toEqual([]);
  });
});
