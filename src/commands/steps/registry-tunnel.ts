import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writePrivateFile } from '../../cluster/access/kubeconfig.ts';
import type { TunnelReady, TunnelSettings } from '../../cluster/tunnel/settings.ts';
import type { Metadata } from '../../host/api/objects.ts';
import { identify, type BackgroundProcess } from '../../runner/background.ts';

/*
 * One process can listen on the port of a registry. These notes let the steps of a job share it: a file for each cluster,
 * in the private directory that they have in common.
 */

interface RegistryTunnel extends BackgroundProcess, TunnelReady, Pick<TunnelSettings, 'uid' | 'claim'> {}

/** Saves which process has the port of a cluster's registry, for later steps of this job. */
export async function noteRegistryTunnel(
  { name, namespace, uid, claim }: TunnelSettings,
  process: BackgroundProcess,
  ready: TunnelReady,
  directory: string,
): Promise<void> {
  const tunnel: RegistryTunnel = { ...process, ...ready, uid, ...(claim !== undefined && { claim }) };
  await writePrivateFile(fileOf(name, namespace, directory), JSON.stringify(tunnel));
}

/**
 * The tunnel by which an earlier step of this job reaches the registry of that very cluster on that port; undefined when
 * there is none, or it has ended. `claim`: the one that it has to end with, if any.
 */
export async function notedRegistryTunnel(
  { metadata: { name, namespace = '', uid } }: { readonly metadata: Metadata },
  port: number,
  directory: string,
  claim?: string,
): Promise<TunnelReady | undefined> {
  try {
    const text = await readFile(fileOf(name, namespace, directory), 'utf8');
    const tunnel = JSON.parse(text) as RegistryTunnel;
    const isRunning = identify(tunnel.pid)?.startTime === tunnel.startTime;
    const isMeant = tunnel.uid === uid && tunnel.registryPort === port && [undefined, tunnel.claim].includes(claim);
    return isRunning && isMeant ? tunnel : undefined;
  } catch {
    return undefined;
  }
}

function fileOf(name: string, namespace: string, directory: string): string {
  return join(directory, `registry-of-${namespace}-${name}.json`);
}
