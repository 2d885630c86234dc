import type { ErrorCode } from '../../errors.ts';
import type { KubernetesObject } from '../../host/api/objects.ts';

/** A state that waiting does not fix. */
export interface DeadEnd {
  readonly code: ErrorCode;
  /** Why, as the end of the sentence `<cluster> cannot start: …`. */
  readonly problem: string;
  readonly evidence: readonly string[];
  readonly next: string;
  /** What the provider could not create, when nothing says why: the host is asked for it. */
  readonly refused?: KubernetesObject;
}

/** How long each thing has been wrong, in seconds, by a name for it. */
export type Ages = (key: string) => number;
