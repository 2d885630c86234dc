import { expect } from 'vitest';
import type { Host } from '../host/host.ts';
import { leftovers } from './support.ts';

/**
 * Expects that the host has nothing of a cluster, now or within 5 minutes. On a busy machine, a deletion may take longer
 * than a job waits for it. Where a log claims that everything is gone, check `leftovers` at once instead.
 */
export async function expectGone(host: Host, namespace: string, name: string): Promise<void> {
  await expect.poll(() => leftovers(host, namespace, name), { timeout: 300_000, interval: 1_000 }).toEqual([]);
}

/** The warnings and errors of a log, except that a deletion goes on without the job. */
export function complaintsOf(log: string): readonly string[] {
  return log.match(/^::(warning|error)(?!.* is being deleted, but not gone .*\(KNEST_DELETE\)$).*$/gm) ?? [];
}
