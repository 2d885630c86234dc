import { formatDuration } from '../../values/duration.ts';
import type { CommonInputs } from '../common.ts';
import { readCreate, type CreateInputs } from './create.ts';
import type { InputReader } from '../reading/reader.ts';

/** The inputs of `command: pool`. */
export interface PoolInputs extends CommonInputs {
  readonly command: 'pool';
  readonly pool: string;
  /** How many ready clusters there are to be. */
  readonly size: number;
  /** Seconds that a cluster may wait for a job. */
  readonly maxAgeSeconds: number;
  /** How many clusters are made at once, at most. */
  readonly maxConcurrent: number;
  /** How its clusters are made. Their names and the end of their lives are the pool's. */
  readonly member: CreateInputs;
}

/** More clusters than this are no pool of anybody's. */
const MOST_MEMBERS = 100;
const MOST_CONCURRENT = 20;

/** Reads the inputs of `pool`. */
export function readPool(reader: InputReader): PoolInputs {
  const create = readCreate(reader);
  const { pool, host, namespace, timeoutSeconds } = create;
  if (pool === undefined) reader.problem('pool', 'is missing; for example small');
  const maxAgeSeconds = reader.duration('max-age');
  // One that takes the whole time to be made would be replaced at once.
  if (maxAgeSeconds > 0 && maxAgeSeconds < 2 * timeoutSeconds) {
    const least = formatDuration(2 * timeoutSeconds);
    reader.problem('max-age', `is too short for clusters that may take as long as timeout; at least ${least}`);
  }
  return {
    command: 'pool',
    host,
    namespace,
    timeoutSeconds,
    pool: pool ?? '',
    size: reader.integer('size', 0, MOST_MEMBERS),
    maxAgeSeconds,
    maxConcurrent: reader.integer('max-concurrent', 1, MOST_CONCURRENT),
    member: { ...create, persistent: false, ephemeral: false, keepOnFailure: false, ttlSeconds: maxAgeSeconds },
  };
}
