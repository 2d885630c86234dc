import { randomUUID } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writePrivateFile } from '../../cluster/access/kubeconfig.ts';
import { KnestError, messageOf } from '../../errors.ts';
import { type Connection, type ConnectRuntime, type UsedOidc } from '../../host/connection.ts';
import { connectWith } from '../../host/connect.ts';
import { connectByOidc, kubeconfigWithTokenFile } from '../../host/oidc.ts';
import type { WithKubeconfig } from '../../install/clusterctl.ts';
import type { SavedHost } from '../../post-state.ts';
import type { Runtime } from '../../runtime.ts';

/** What is left of the host's credentials for others than this process. */
export interface KeptCredentials {
  /** For the post step. */
  readonly saved: SavedHost;
  /** For a program that this process runs. */
  readonly withKubeconfig: WithKubeconfig;
}

/**
 * Saves the credentials of the host in private files, which are named after the cluster and belong to this use of the
 * action alone. OIDC tokens are not saved.
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

/** Does `work` with a kubeconfig file whose token never expires, since it is renewed; both files are removed at the end. */
async function withTokenFile<T>(
  { oidc, tokens }: UsedOidc,
  file: string,
  work: (file: string) => Promise<T>,
): Promise<T> {
  const tokenFile = `${file}.token`;
  const renew = async (): Promise<void> => {
    // A new one: the current one may be about to expire.
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

/** What a connection needs of the runtime. `wasReached`: whether this job has reached the host before. */
export function connectRuntime(
  { env, run, secrets: { mask, redact }, clock: { signal }, report: { log } }: Runtime,
  wasReached = false,
): ConnectRuntime {
  const observe = { request: log.debug, outage: (line: string) => log.line(line) };
  return { env, run, mask, redact, signal, observe, wasReached };
}

/**
 * Connects to a host with saved credentials; `source` is their origin as the log names it. A requested `context` must be
 * the one that was used. `wasReached`: whether the host is worth waiting for when it does not answer. Throws KNEST_HOST_CONFIG, KNEST_HOST_CREDENTIALS.
 */
export async function connectSaved(
  saved: SavedHost,
  source: string,
  runtime: Runtime,
  { context, wasReached = false }: { readonly context?: string | undefined; readonly wasReached?: boolean } = {},
): Promise<Connection> {
  if ('hostKubeconfigFile' in saved) {
    return connectWith(await readCopy(saved.hostKubeconfigFile), source, connectRuntime(runtime, wasReached), context);
  }
  if (context === undefined)
    return { ...connectByOidc(saved.hostOidc, runtime.mintToken, connectRuntime(runtime, wasReached)), source };
  throw new KnestError({
    code: 'KNEST_HOST_CONFIG',
    problem: `host-context: the job connected to ${source} by OIDC, without a context`,
    next: 'leave host-context out, or pass the kubeconfig that has it',
  });
}

/** Removes saved credentials. */
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
