import { basename } from 'node:path';
import { getIDToken, getState } from '@actions/core';
import { cleanup } from './commands/cleanup.ts';
import { create } from './commands/create.ts';
import { deleteCluster } from './commands/delete.ts';
import { kubeconfig } from './commands/kubeconfig.ts';
import { list } from './commands/list.ts';
import { pool } from './commands/pool.ts';
import { post } from './commands/post.ts';
import { scale } from './commands/scale.ts';
import { tunnel } from './commands/tunnel.ts';
import { upgrade } from './commands/upgrade.ts';
import { crashSignal } from './runner/crash.ts';
import { firstLineOf, KnestError, toKnestError } from './errors.ts';
import { secretsOfProxies } from './host/kubeconfig/proxy.ts';
import { inputsIn, readInputs, readOutcome, type Inputs } from './inputs.ts';
import { checkPlatform } from './runner/platform.ts';
import { privateDirectory } from './runner/private-directory.ts';
import { processRunner } from './runner/process.ts';
import { githubLog, type Log } from './report/log.ts';
import { Redactor } from './report/redactor.ts';
import { failurePage, githubSummary, type Summary } from './report/summary.ts';
import { Timeline } from './report/timeline.ts';
import { exportVariable, maskSecret, saveState, setOutput } from './runner/commands.ts';
import { githubState } from './post-state.ts';
import { formatDuration } from './values/duration.ts';
import { readJob } from './github/job.ts';
import { type JobRuntime, type Runtime } from './runtime.ts';

/** Seconds for the post step: the runner ends a cancelled job 5 minutes after the cancellation, other post steps included. */
const POST_SECONDS = 120;
/** Seconds after which a tunnel ends in any case: no job is that long. */
const TUNNEL_SECONDS = 6 * 86_400;
/** Milliseconds that main takes at most once it is cancelled: the runner kills it after 7.5 s. */
const CANCEL_MILLISECONDS = 5_000;
/** Milliseconds that a connection or a child process may outlive the work: an idle connection does so by seconds. */
const LINGER_MILLISECONDS = 1_000;

/** How this process starts: by index.ts, by post.ts for the post step, or by tunnel.ts for a tunnel. */
const [entry = ''] = basename(process.argv[1] ?? '').split('.');
const isPost = entry === 'post';
const state = githubState({ getState, saveState });
const timeline = new Timeline();
const redactor = new Redactor((secret) => maskSecret(secret, process.env));
const log = githubLog(timeline, (text) => redactor.redact(text));
const summary = githubSummary(process.env);
const cancelled = cancellation();
const crashed = crashSignal();
/** Undefined until it is needed: the post step deletes its cluster also where no directory can be made. */
let directory: string | undefined;

await (entry === 'tunnel' ? runTunnel() : isPost ? runPost() : runMain());
// A crash from here on is reported all the same, unless there was a failure already.
crashed.addEventListener('abort', () => {
  if (isPost) warn(crashed.reason);
  else if (process.exitCode !== 1) void fail(toKnestError(crashed.reason), log, summary);
});
setTimeout(() => process.exit(), LINGER_MILLISECONDS).unref();

async function runMain(): Promise<void> {
  try {
    checkPlatform(process.platform, process.arch);
    const inputs = readInputs(inputsIn(process.env));
    const job = readJob(process.env, pullRequestIn(inputs));
    directory = findDirectory();
    await run(inputs, { ...makeRuntime(inputs.timeoutSeconds, crashed), job });
    crashed.throwIfAborted();
  } catch (thrown) {
    await fail(toKnestError(thrown), log, summary);
  }
}

/** The pull request that an input names. */
function pullRequestIn(inputs: Inputs): string | undefined {
  if (inputs.command === 'pool') return inputs.member.pullRequest;
  return inputs.command === 'create' ? inputs.pullRequest : undefined;
}

async function run(inputs: Inputs, runtime: JobRuntime): Promise<void> {
  switch (inputs.command) {
    case 'create':
      return create(inputs, runtime);
    case 'delete':
      return deleteCluster(inputs, runtime);
    case 'kubeconfig':
      return kubeconfig(inputs, runtime);
    case 'list':
      return list(inputs, runtime);
    case 'scale':
      return scale(inputs, runtime);
    case 'upgrade':
      return upgrade(inputs, runtime);
    case 'cleanup':
      return cleanup(inputs, runtime);
    case 'pool':
      return pool(inputs, runtime);
  }
}

async function runPost(): Promise<void> {
  try {
    // A crash does not keep it from deleting the cluster.
    await post(readOutcome(inputsIn(process.env)), makeRuntime(POST_SECONDS));
    crashed.throwIfAborted();
  } catch (thrown) {
    warn(thrown);
  }
}

/** Runs a tunnel. Its standard output goes nowhere, since masks are commands there; its log is its standard error. */
async function runTunnel(): Promise<void> {
  const write = (line: string): void => {
    process.stderr.write(`${new Date().toISOString()} ${redactor.redact(line)}\n`);
  };
  for (const event of ['unhandledRejection', 'uncaughtException'] as const) {
    // One connection must not end the others.
    process.on(event, (thrown: unknown) => write(`✖ ${firstLineOf(thrown)}`));
  }
  await tunnel(process.argv[2] ?? '', write, makeRuntime(TUNNEL_SECONDS)).catch((thrown: unknown) => {
    write(`✖ ${firstLineOf(thrown)}`);
    process.exitCode = 1;
  });
}

/** Reports a failure of the post step: the job's own work is done, and a green job stays green. */
function warn(thrown: unknown): void {
  const { problem, code, evidence, next } = toKnestError(thrown);
  log.warn(`${problem} (${code})`);
  for (const line of evidence) log.line(`  ${line}`);
  if (next !== undefined) log.line(`  Next: ${next}`);
}

async function fail(failure: KnestError, log: Log, summary: Summary): Promise<void> {
  process.exitCode = 1;
  log.fail(failure);
  await summary.add(failurePage(failure, timeline));
}

function makeRuntime(timeoutSeconds: number, ...ends: readonly AbortSignal[]): Runtime {
  const timeUp = new AbortController();
  const timer = setTimeout(() => {
    const problem = `timed out after ${formatDuration(timeoutSeconds)}`;
    const next = isPost ? 'nothing: cleanup deletes the cluster once it has expired' : 'increase the input timeout';
    timeUp.abort(new KnestError({ code: 'KNEST_TIMEOUT', problem, next }));
  }, timeoutSeconds * 1000);
  timer.unref();
  const signal = AbortSignal.any([cancelled, timeUp.signal, ...ends]);
  for (const secret of secretsOfProxies(process.env)) redactor.mask(secret);
  const end = performance.now() + timeoutSeconds * 1000;
  return {
    env: process.env,
    run: processRunner(signal),
    get directory() {
      return (directory ??= findDirectory());
    },
    state,
    report: { log, summary, timeline },
    outputs: { set: setOutput, exportVariable },
    secrets: { mask: (secret) => redactor.mask(secret), redact: (text) => redactor.redact(text) },
    clock: { signal, cancelled, secondsLeft: () => Math.max(0, (end - performance.now()) / 1000) },
    mintToken: async (audience) => {
      const token = await getIDToken(audience);
      redactor.mask(token);
      return token;
    },
  };
}

function findDirectory(): string {
  const { path, reason } = privateDirectory(process.env, state.directory);
  if (reason !== undefined) log.line(`▸ Private files are in ${path}: ${reason}`);
  if (!isPost) state.rememberDirectory(path);
  return path;
}

/** A signal that aborts when the runner asks the process to stop; then main has a moment to end by itself. */
function cancellation(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => {
      const next = 'the post step deletes what this step made for the job';
      controller.abort(new KnestError({ code: 'KNEST_CANCELLED', problem: 'the job was cancelled', next }));
      setTimeout(() => process.exit(1), CANCEL_MILLISECONDS).unref();
    });
  }
  return controller.signal;
}
