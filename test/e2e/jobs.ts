import { afterEach } from 'vitest';
import type { Host } from '../host/host.ts';
import type { Job, StepOptions } from '../support/runner.ts';
import { jobOn } from './support.ts';

/** Makes a job, with these inputs and options on top of those that all jobs of the file have. */
export type StartJob = (inputs: Readonly<Record<string, string>>, options?: Partial<StepOptions>) => Job;

/** What makes the jobs of a file on a host. What they leave on the runner goes after each test. */
export function jobStarter(
  host: Host,
  common: Readonly<Record<string, string>>,
  commonOptions: Partial<StepOptions> = {},
): StartJob {
  const jobs: Job[] = [];
  afterEach(() => jobs.splice(0).forEach((job) => job.clean()));
  return (inputs, options = {}) => {
    const job = jobOn(host, { ...common, ...inputs }, { ...commonOptions, ...options });
    jobs.push(job);
    return job;
  };
}
