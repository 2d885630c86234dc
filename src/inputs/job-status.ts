import type { InputReader } from './reader.ts';

const STATUSES = ['success', 'failure', 'cancelled'] as const;

/** How the job has gone so far, in GitHub's words for `job.status`. */
export type JobStatus = (typeof STATUSES)[number];

/**
 * How the job has gone so far; undefined where nobody says. In the post step that is how the job ends, since the
 * runner evaluates the defaults of inputs anew for each stage. Source: actions/runner src/Runner.Worker/ActionRunner.cs.
 */
export function readJobStatus(reader: InputReader): JobStatus | undefined {
  const text = reader.optional('job-status');
  return STATUSES.find((status) => status === text);
}
