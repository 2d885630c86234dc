import { KnestError } from '../../errors.ts';

/** The error for a cluster that is not upgraded, with the reason and what can be done about it. */
export function refusal(name: string, reason: string, next?: string, evidence: readonly string[] = []): KnestError {
  return new KnestError({
    code: 'KNEST_UPGRADE',
    problem: `${name} cannot be upgraded: ${reason}`,
    evidence,
    ...(next !== undefined && { next }),
  });
}
