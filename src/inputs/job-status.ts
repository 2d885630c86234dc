import type { InputReader } from './reading/reader.ts';

const STATUSES = ['success', 'failure', 'cancelled'] as const;

/** The status of the job so far, as in `job.status`. */
export type JobStatus = (typeof STATUSES)[number];

/**
 * The status of the job so far; undefined when it is unknown. In the post step it is the final one, since the
 * runner evaluates the defaults of inputs again for each stage. Source: actions/runner src/Runner.Worker/ActionRunner.cs.
 */
export function readJobStatus(reader: InputReader): JobStatus | undefined {
  const text = reader.optional('job-status');
  return STATUSES.find((status) => status === text);
}
