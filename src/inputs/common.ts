import { readHost, type HostInputs } from './host.ts';
import type { InputReader } from './reading/reader.ts';

/** Cluster names stay below this, so that `<name>-cp-xxxxx-xxxxx` and the VM's pod still fit 63 characters. */
export const MAX_NAME_LENGTH = 40;

/** Names of pools stay below this: those of their clusters end in `-slot-` and a number. */
export const MAX_POOL_NAME_LENGTH = 30;

/** The longest that GitHub lets a job run, on a self-hosted runner. Seconds. */
const LONGEST_JOB_SECONDS = 5 * 86_400;

/** The inputs of every command. */
export interface CommonInputs {
  readonly host: HostInputs;
  readonly namespace: string;
  /** One budget for the whole command, in seconds. */
  readonly timeoutSeconds: number;
}

/** Reads the inputs of every command. `namespace` is that of the input unless the command has its own words for it. */
export function readCommon(reader: InputReader, namespace = readNamespace(reader)): CommonInputs {
  return {
    host: readHost(reader),
    namespace,
    timeoutSeconds: readTimeout(reader),
  };
}

function readTimeout(reader: InputReader): number {
  const seconds = reader.duration('timeout');
  if (seconds > LONGEST_JOB_SECONDS) reader.problem('timeout', 'is longer than a job can run; at most 5d');
  return seconds;
}

function readNamespace(reader: InputReader): string {
  const namespace = reader.optionalName('namespace', { maxLength: 63, first: 'letter or digit' });
  if (namespace === undefined) reader.problem('namespace', 'is missing; for example knest');
  return namespace ?? '';
}
