import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parse, stringify } from 'yaml';
import { KnestError } from '../errors.ts';
import type { KubernetesClient } from '../host/client.ts';
import { Kinds } from '../host/kinds.ts';
import type { Secret } from '../host/objects.ts';
import { watchTarget, watchUntil } from '../host/watch.ts';
import type { ClusterHandle } from './view.ts';

/** A kubeconfig of one cluster and one user, as Cluster API writes it. */
export interface Kubeconfig {
  readonly clusters: readonly { readonly name: string; readonly cluster: KubeconfigCluster }[];
  readonly users: readonly { readonly name: string; readonly user: Readonly<Record<string, unknown>> }[];
  readonly [field: string]: unknown;
}

interface KubeconfigCluster {
  readonly server: string;
  readonly 'tls-server-name'?: string;
  readonly [field: string]: unknown;
}

/**
 * The nested cluster's own kubeconfig, waited for. Source: Cluster API writes it into the Secret `<name>-kubeconfig`,
 * key `value` (util/kubeconfig/kubeconfig.go).
 */
export async function readKubeconfig(
  client: KubernetesClient,
  { name, namespace }: ClusterHandle,
  signal: AbortSignal,
): Promise<Kubeconfig> {
  const secretName = `${name}-kubeconfig`;
  const read = async (): Promise<Secret | undefined> => client.get(Kinds.secret, secretName, namespace);
  const secret = (await read()) ?? (await appearing(client, secretName, namespace, signal));
  const kubeconfig = parseKubeconfig(Buffer.from(secret.data?.['value'] ?? '', 'base64').toString('utf8'));
  if (!URL.canParse(serverOf(kubeconfig)) || kubeconfig.users[0] === undefined) {
    throw new KnestError({
      code: 'KNEST_API_ACCESS',
      problem: `the Secret ${namespace}/${secretName} holds no kubeconfig`,
      next: 'look at the control plane provider on the host, which writes it',
    });
  }
  return kubeconfig;
}

/** The kubeconfig that a text is: without the clusters and users that are none. */
export function parseKubeconfig(text: string): Kubeconfig {
  const kubeconfig = parse(text) as Partial<Kubeconfig> | null;
  return {
    ...kubeconfig,
    clusters: entries(kubeconfig?.clusters).filter((entry) => isObject(entry.cluster)),
    users: entries(kubeconfig?.users).filter((entry) => isObject(entry.user)),
  };
}

/** The objects of a list; nothing for what is no list, whatever its type says. */
function entries<T>(list: readonly T[] | undefined): readonly T[] {
  return Array.isArray(list) ? (list as readonly T[]).filter(isObject) : [];
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

async function appearing(
  client: KubernetesClient,
  name: string,
  namespace: string,
  signal: AbortSignal,
): Promise<Secret> {
  const target = watchTarget(Kinds.secret, { namespace, fieldSelector: `metadata.name=${name}` });
  return watchUntil(client, [target], () => target.objects.get(`${namespace}/${name}`), signal);
}

/** The address of the API server in a kubeconfig. */
export function serverOf(kubeconfig: Kubeconfig): string {
  return kubeconfig.clusters[0]?.cluster.server ?? '';
}

/** The same kubeconfig for another way to the same API server, whose certificate names `tlsServerName`. */
export function withServer(kubeconfig: Kubeconfig, server: string, tlsServerName: string | undefined): Kubeconfig {
  const clusters = kubeconfig.clusters.map(({ name, cluster }) => ({
    name,
    cluster: { ...cluster, server, ...(tlsServerName !== undefined && { 'tls-server-name': tlsServerName }) },
  }));
  return { ...kubeconfig, clusters };
}

/** The YAML of a kubeconfig. */
export function kubeconfigText(kubeconfig: Kubeconfig): string {
  // Unfolded: a key that is broken over lines could not be masked.
  return stringify(kubeconfig, { lineWidth: 0 });
}

const SHORTEST_SECRET = 8;

/**
 * Every text in a kubeconfig that must not be shown: keys, tokens and passwords, as they are, decoded, and line by
 * line. The YAML as a whole is none: the runner would mask each of its lines, `kind: Config` too.
 */
export function secretLeaves(kubeconfig: Kubeconfig): readonly string[] {
  const secret = ['client-key-data', 'token', 'password'] as const;
  return kubeconfig.users.flatMap(({ user }) =>
    secret.flatMap((field) => {
      const value = user[field];
      if (typeof value !== 'string' || value === '') return [];
      if (field !== 'client-key-data') return [value, Buffer.from(value).toString('base64')];
      const lines = Buffer.from(value, 'base64').toString('utf8').split('\n');
      // A last line of a few characters gives nothing away, and masking it would riddle the log.
      return [value, ...lines.filter((line) => line.length >= SHORTEST_SECRET && !line.startsWith('-----'))];
    }),
  );
}

/** Writes a file that nobody else could read at any moment. */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  // An existing file would keep its mode, and a link would be followed.
  await rm(path, { force: true });
  await writeFile(path, text, { mode: 0o600, flag: 'wx' });
  await chmod(path, 0o600);
}
