import { randomUUID } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writePrivateFile } from '../../cluster/access/kubeconfig.ts';
import { KnestError, messageOf } from '../../errors.ts';
import { type Connection, type EntryRuntime, type UsedOidc } from '../../host/connection.ts';
import { enter } from '../../host/connect.ts';
import { connectByOidc, kubeconfigWithTokenFile } from '../../host/oidc.ts';
import type { WithKubeconfig } from '../../install/clusterctl.ts';
import type { SavedHost } from '../../state.ts';
import type { Runtime } from '../../runtime.ts';

/** What is left of the host's credentials for others than this process. */
export interface KeptCredentials {
  /** For the post step. */
  readonly saved: SavedHost;
  /** For a program that this process runs. */
  readonly withKubeconfig: WithKubeconfig;
}

/**
 * Keeps what the host was entered with, in private files that are named after the cluster and are those of this use of
 * the action alone; of OIDC tokens nothing.
 */
export async function keepCredentials(
  { credentials }: Connection,
  name: string,
  directory: string,
): Promise<KeptCredentials> {
  const file = join(directory, `host-${name}-${randomUUID()}.kubeconfig`);
  if ('oidc' in credentials) {
    return { saved: { hostOidc: credentials.oidc }, withKubeconfig: (work) => withTokenFile(credentials, file, work) };
  }
  await writePrivateFile(file, credentials.kubeconfig);
  return { saved: { hostKubeconfigFile: file }, withKubeconfig: (work) => work(file) };
}

/** How often in the life of a token a program that runs is given the next: client-go reads the file once a minute. */
const RENEWALS = 4;
/** Milliseconds between two renewals, however short a token lives. */
const SHORTEST_RENEWAL = 5_000;

/** Does `work` with a kubeconfig file whose token never expires, since it is written anew; both files go with the end. */
async function withTokenFile<T>(
  { oidc, tokens }: UsedOidc,
  file: string,
  work: (file: string) => Promise<T>,
): Promise<T> {
  const tokenFile = `${file}.token`;
  const renew = async (): Promise<void> => {
    // Not the one at hand, which may have little of its life left.
    tokens.forget(await tokens.token());
    await writePrivateFile(tokenFile, await tokens.token());
  };
  await writePrivateFile(file, kubeconfigWithTokenFile(oidc, tokenFile));
  await renew();
  // A renewal that fails leaves the token before, and the next try comes soon.
  const timer = setInterval(
    () => void renew().catch(() => undefined),
    Math.max(SHORTEST_RENEWAL, tokens.lifeMilliseconds / RENEWALS),
  );
  try {
    return await work(file);
  } finally {
    clearInterval(timer);
    await Promise.all([file, tokenFile].map((path) => rm(path, { force: true })));
  }
}

/** What entering a host takes of the runtime. `wasReached`: whether this job is known to have reached the host before. */
export function entryRuntime(
  { env, run, secrets: { mask, redact }, clock: { signal }, report: { log } }: Runtime,
  wasReached = false,
): EntryRuntime {
  const observe = { request: log.debug, outage: (line: string) => log.line(line) };
  return { env, run, mask, redact, signal, observe, wasReached };
}

/**
 * Enters a host by what was kept of it; `source` says for people what that is. A `context` that is asked for must be
 * the one that was used. `wasReached`: whether the host is worth waiting for when it does not answer. Throws KNEST_HOST_CONFIG, KNEST_HOST_CREDENTIALS.
 */
export async function enterSaved(
  saved: SavedHost,
  source: string,
  runtime: Runtime,
  { context, wasReached = false }: { readonly context?: string | undefined; readonly wasReached?: boolean } = {},
): Promise<Connection> {
  if ('hostKubeconfigFile' in saved) {
    return enter(await readCopy(saved.hostKubeconfigFile), source, entryRuntime(runtime, wasReached), context);
  }
  if (context === undefined)
    return { ...connectByOidc(saved.hostOidc, runtime.mintToken, entryRuntime(runtime, wasReached)), source };
  throw new KnestError({
    code: 'KNEST_HOST_CONFIG',
    problem: `host-context: the job connected to ${source} by OIDC, without a context`,
    next: 'leave host-context out, or pass the kubeconfig that has it',
  });
}

/** Removes what was kept. */
export async function dropCredentials(saved: SavedHost): Promise<void> {
  if ('hostKubeconfigFile' in saved) await rm(saved.hostKubeconfigFile, { force: true });
}

async function readCopy(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (thrown) {
    throw new KnestError({
      code: 'KNEST_HOST_CONFIG',
      problem: `the copy of the host's credentials that this job kept is gone: ${messageOf(thrown)}`,
      next: 'the cluster exists until it expires: delete it with command: delete; do not remove RUNNER_TEMP during a job',
      cause: thrown,
    });
  }
}
