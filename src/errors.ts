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
  | 'KNEST_UPGRADE'
  | 'KNEST_IMAGE_PULL'
  | 'KNEST_UNSCHEDULABLE'
  | 'KNEST_BOOTSTRAP'
  | 'KNEST_INFRASTRUCTURE'
  | 'KNEST_TIMEOUT'
  | 'KNEST_API_ACCESS'
  | 'KNEST_REGISTRY'
  | 'KNEST_DELETE'
  | 'KNEST_CLOCK_SKEW'
  | 'KNEST_MAX_DELETIONS'
  | 'KNEST_INTERNAL';

/** What a `KnestError` is made of: the problem in one sentence, what was seen, and what to do about it. */
export interface Failure {
  readonly code: ErrorCode;
  /** One sentence; it becomes the annotation. */
  readonly problem: string;
  /** Lines of evidence, most important first. */
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

/** What keeps an input from being used. */
export interface InputProblem {
  readonly input: string;
  readonly problem: string;
}

/** The error for inputs that cannot be used, a problem each, beginning with the input's name. */
export function inputError(problems: readonly (string | InputProblem)[]): KnestError {
  const evidence = problems.map((one) => (typeof one === 'string' ? one : `${one.input}: ${one.problem}`));
  return new KnestError({
    code: 'KNEST_INPUT',
    problem: `${problems.length === 1 ? '1 input' : `${problems.length} inputs`} cannot be used; nothing was created`,
    evidence,
  });
}

/** Errors of the file system that are the runner's, with what a person can do. Source: man 3 errno. */
const RUNNER_ADVICE: Readonly<Record<string, string>> = {
  ENOSPC: 'free space on the disk of this runner, or use a larger one',
  EDQUOT: 'free space: the user that runs the job has reached its disk quota',
  EROFS:
    'mount it writable: the action writes to RUNNER_TEMP, RUNNER_TOOL_CACHE and the files that GITHUB_* variables name',
  EACCES: 'give the user that runs the job access to it',
  EPERM: 'give the user that runs the job access to it',
  ENOTDIR: 'remove the file where a directory is expected; check RUNNER_TEMP and RUNNER_TOOL_CACHE',
  EEXIST: 'remove the file where a directory is expected; check RUNNER_TEMP and RUNNER_TOOL_CACHE',
  EISDIR: 'remove the directory where a file is expected',
  ENOENT: 'do not remove files of the running job: RUNNER_TEMP and the files that GITHUB_* variables name must exist',
  EMFILE: 'increase the limit of open files (ulimit -n)',
  ENFILE: 'increase the limit of open files of this machine',
  EIO: 'check the disk of this runner',
};

/** The code of a failure of the system, such as ENOENT: for a message that must not repeat the path in its text. */
export function systemCodeOf(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'error';
}

/** What to do when a program may not be run: the action runs the programs that it downloads from RUNNER_TEMP. */
const NOT_EXECUTABLE = 'mount RUNNER_TEMP without noexec: the action runs the programs that it downloads from there';

/**
 * A failure of the runner's file system, or of the start of a program, as KNEST_RUNNER; undefined for any other failure.
 * Node gives such an error the path that it is about.
 */
export function runnerProblem(thrown: unknown): KnestError | undefined {
  if (!(thrown instanceof Error)) return undefined;
  const { code = '', path, syscall }: NodeJS.ErrnoException = thrown;
  const isSpawn = syscall?.startsWith('spawn') === true;
  const isKnown = Object.hasOwn(RUNNER_ADVICE, code);
  if (!isKnown && !(syscall !== undefined && (isSpawn || path !== undefined))) return undefined;
  const next =
    isSpawn && code === 'EACCES' ? NOT_EXECUTABLE : (RUNNER_ADVICE[code] ?? 'check this runner and its disk');
  const problem = `this runner cannot do what the action needs: ${thrown.message}`;
  return new KnestError({ code: 'KNEST_RUNNER', problem, next, cause: thrown });
}

/** Whatever was thrown, as a `KnestError`. What neither the action nor the runner's file system is known for is a defect. */
export function toKnestError(thrown: unknown): KnestError {
  if (thrown instanceof KnestError) return thrown;
  const ofRunner = runnerProblem(thrown);
  if (ofRunner !== undefined) return ofRunner;
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
