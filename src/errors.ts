/** Every way in which the action can fail. The codes are stable: they are documented, and scripts may match them. */
export type ErrorCode =
  | 'KNEST_INPUT'
  | 'KNEST_CANCELLED'
  | 'KNEST_RUNNER'
  | 'KNEST_HOST_CONFIG'
  | 'KNEST_HOST_UNREACHABLE'
  | 'KNEST_HOST_CREDENTIALS'
  | 'KNEST_HOST_REQUEST'
  | 'KNEST_PERMISSION'
  | 'KNEST_HOST_NETWORK'
  | 'KNEST_DOWNLOAD'
  | 'KNEST_CHECKSUM'
  | 'KNEST_INSTALL'
  | 'KNEST_UNSUPPORTED_VERSION'
  | 'KNEST_TEMPLATE'
  | 'KNEST_CNI'
  | 'KNEST_OWNED_BY_OTHER'
  | 'KNEST_NOT_FOUND'
  | 'KNEST_STORAGE_CLASS'
  | 'KNEST_ADDRESS_POOL'
  | 'KNEST_SCALE'
  | 'KNEST_IMAGE_PULL'
  | 'KNEST_UNSCHEDULABLE'
  | 'KNEST_BOOTSTRAP'
  | 'KNEST_INFRASTRUCTURE'
  | 'KNEST_TIMEOUT'
  | 'KNEST_API_ACCESS'
  | 'KNEST_DELETE'
  | 'KNEST_CLOCK_SKEW'
  | 'KNEST_MAX_DELETIONS'
  | 'KNEST_INTERNAL';

/** What a `KnestError` is made of: the problem in one sentence, what was seen, and what to do about it. */
export interface Failure {
  readonly code: ErrorCode;
  /** One sentence; it becomes the annotation. */
  readonly problem: string;
  /** Lines of evidence, most telling first. */
  readonly evidence?: readonly string[];
  /** The next step a person can take. */
  readonly next?: string;
  readonly cause?: unknown;
}

/** The one error type that leaves a room. `message` is the whole text: problem, evidence, next step. */
export class KnestError extends Error {
  readonly code: ErrorCode;
  readonly problem: string;
  readonly evidence: readonly string[];
  readonly next: string | undefined;

  constructor(failure: Failure) {
    super(text(failure), { cause: failure.cause });
    this.name = 'KnestError';
    this.code = failure.code;
    this.problem = failure.problem;
    this.evidence = failure.evidence ?? [];
    this.next = failure.next;
  }

  /** The same failure with more evidence at its end, for example what became of the half-made cluster. */
  with(...evidence: string[]): KnestError {
    return new KnestError({
      code: this.code,
      problem: this.problem,
      evidence: [...this.evidence, ...evidence],
      ...(this.next !== undefined && { next: this.next }),
      cause: this.cause,
    });
  }
}

function text(failure: Failure): string {
  return [
    `${failure.problem} (${failure.code})`,
    ...(failure.evidence ?? []),
    ...(failure.next === undefined ? [] : [`Next: ${failure.next}`]),
  ].join('\n');
}

/** The error for inputs that cannot be used, a problem each, beginning with the input's name. */
export function inputError(problems: readonly string[]): KnestError {
  return new KnestError({
    code: 'KNEST_INPUT',
    problem: `${problems.length === 1 ? '1 input' : `${problems.length} inputs`} cannot be used; nothing was created`,
    evidence: problems,
  });
}

/** Whatever was thrown, as a `KnestError`; what is none of ours is a defect, and says so. */
export function toKnestError(thrown: unknown): KnestError {
  if (thrown instanceof KnestError) return thrown;
  return new KnestError({
    code: 'KNEST_INTERNAL',
    problem: `an unexpected error: ${firstLineOf(thrown)}`,
    evidence: thrown instanceof Error && thrown.stack !== undefined ? thrown.stack.split('\n').slice(1, 6) : [],
    next: 'this is a defect of knest-action: please report it with these lines',
    cause: thrown,
  });
}

/** The message of whatever was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The first line of that message: what fits beside other text. */
export function firstLineOf(thrown: unknown): string {
  return messageOf(thrown).split('\n')[0] ?? '';
}
