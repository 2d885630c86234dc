import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writePrivateFile } from '../../cluster/access/kubeconfig.ts';
import type { TunnelReady, TunnelSettings } from '../../cluster/tunnel/settings.ts';
import type { Cluster } from '../../host/api/cluster-api-objects.ts';
import { identify, type BackgroundProcess } from '../../runner/background.ts';
import type { Runtime } from '../../runtime.ts';

/** The tunnel that has the port of a cluster's registry, which all steps of a job share: only one process can listen. */
interface RegistryTunnel extends BackgroundProcess, TunnelReady, Pick<TunnelSettings, 'claim'> {
  readonly job: string;
}

type Job = Pick<Runtime, 'directory' | 'env'>;

/** Saves a tunnel to the registry of a cluster for the later steps of this job, in their private directory. */
export async function saveRegistryTunnel(
  { uid, claim }: TunnelSettings,
  listener: BackgroundProcess,
  ready: TunnelReady,
  { directory, env }: Job,
): Promise<void> {
  const tunnel: RegistryTunnel = { ...listener, ...ready, job: jobOf(env), ...(claim !== undefined && { claim }) };
  await writePrivateFile(fileOf(uid, directory), JSON.stringify(tunnel));
}

/**
 * The tunnel by which an earlier step of this job reaches the registry of that very cluster on that port; undefined when
 * there is none, when it has ended, or when it ends because of `claim`, which this step has or will have on the cluster.
 */
export async function findRegistryTunnel(
  { metadata: { uid = '' } }: Cluster,
  port: number,
  claim: string | undefined,
  { directory, env }: Job,
): Promise<TunnelReady | undefined> {
  const text = await readFile(fileOf(uid, directory), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const tunnel = JSON.parse(text) as RegistryTunnel;
  const isRunning = tunnel.job === jobOf(env) && identify(tunnel.pid)?.startTime === tunnel.startTime;
  const stays = tunnel.claim === undefined || claim === undefined || claim === tunnel.claim;
  return isRunning && stays && tunnel.registryPort === port ? tunnel : undefined;
}

function fileOf(uid: string, directory: string): string {
  return join(directory, `registry-of-${uid}.json`);
}

/** A job that was lost may have left its files to the next one. */
function jobOf({ GITHUB_RUN_ID, GITHUB_RUN_ATTEMPT, GITHUB_JOB }: NodeJS.ProcessEnv): string {
  return [GITHUB_RUN_ID, GITHUB_RUN_ATTEMPT, GITHUB_JOB].join('/');
}
