import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writePrivateFile } from '../../cluster/access/kubeconfig.ts';
import type { NestedCluster } from '../../host/kubeconfig/kubeconfig.ts';
import type { SavedHost } from '../../post-state.ts';

/*
 * Steps that follow have the kubeconfig of the nested cluster where they had that of the host before. These notes let
 * them find the host again: a file for each nested cluster, in the private directory that the steps of a job share.
 */

/** Saves how to connect to the host of a nested cluster, for later steps of this job. */
export async function noteHost(nested: NestedCluster, host: SavedHost, directory: string): Promise<void> {
  await writePrivateFile(fileOf(nested, directory), JSON.stringify(host));
}

/** How an earlier step of this job connected to the host of a nested cluster; undefined when none saved it. */
export async function notedHost(nested: NestedCluster, directory: string): Promise<SavedHost | undefined> {
  try {
    return JSON.parse(await readFile(fileOf(nested, directory), 'utf8')) as SavedHost;
  } catch {
    return undefined;
  }
}

function fileOf({ name, namespace }: NestedCluster, directory: string): string {
  return join(directory, `host-of-${namespace}-${name}.json`);
}
