import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { stringify } from 'yaml';
import { KnestError } from '../../errors.ts';
import type { KubernetesClient } from '../../host/api/client.ts';
import { Kinds } from '../../host/api/kinds.ts';
import { NESTED_CLUSTER } from '../../host/kubeconfig/kubeconfig.ts';
import type { Secret } from '../../host/api/objects.ts';
import { namedTarget, watchUntil } from '../../host/api/watch.ts';
import { secretForms } from '../../values/secret-forms.ts';
import { checkEndpoint, parseNested, type Kubeconfig } from './nested-kubeconfig.ts';
import type { ClusterHandle } from '../identity/cluster-handle.ts';

/**
 * The nested cluster's own kubeconfig, waited for: `onWait` is called once with what is missing. Source: Cluster API writes
 * it into the Secret `<name>-kubeconfig`, key `value` (util/kubeconfig/kubeconfig.go). Throws KNEST_API_ACCESS when it is
 * more than a plain kubeconfig of that cluster: anyone who may write Secrets in the namespace could have put it there.
 */
export async function readKubeconfig(
  client: KubernetesClient,
  { name, namespace }: ClusterHandle,
  signal: AbortSignal,
  onWait: (line: string) => void = () => undefined,
): Promise<Kubeconfig> {
  const secretName = `${name}-kubeconfig`;
  const read = async (): Promise<Secret | undefined> => client.get(Kinds.secret, secretName, namespace);
  const secret = (await read()) ?? (await appearing(client, secretName, namespace, signal, onWait));
  const cluster = await client.get(Kinds.cluster, name, namespace);
  const text = Buffer.from(secret.data?.['value'] ?? '', 'base64').toString('utf8');
  const { kubeconfig, problems } = parseNested(text);
  const all = [...problems, ...checkEndpoint(kubeconfig.server, cluster?.spec?.controlPlaneEndpoint)];
  if (all.length === 0) return kubeconfig;
  throw new KnestError({
    code: 'KNEST_API_ACCESS',
    problem: `cannot use the kubeconfig in Secret ${namespace}/${secretName}: ${all[0] ?? ''}`,
    evidence: all.slice(1),
    next: 'the action accepts only the address, certificates, key and token that a control plane provider writes: check who wrote this Secret',
  });
}

async function appearing(
  client: KubernetesClient,
  name: string,
  namespace: string,
  signal: AbortSignal,
  onWait: (line: string) => void,
): Promise<Secret> {
  const lack = `Secret ${namespace}/${name} does not exist yet: the control plane provider writes it once the Cluster has its endpoint`;
  onWait(lack);
  const target = namedTarget(Kinds.secret, namespace, () => [name]);
  return watchUntil(client, [target], () => target.objects.get(`${namespace}/${name}`), signal).catch(
    (thrown: unknown) => {
      throw thrown instanceof KnestError && thrown.code === 'KNEST_TIMEOUT' ? thrown.with(lack) : thrown;
    },
  );
}

/** The YAML of a kubeconfig with one context, which has the name that Cluster API gives it. It names its cluster. */
export function kubeconfigText(
  { server, tlsServerName, certificateAuthority, clientCertificate, clientKey, token, proxyUrl }: Kubeconfig,
  { name, namespace }: ClusterHandle,
): string {
  const user = `${name}-admin`;
  const context = `${user}@${name}`;
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name,
        cluster: {
          server,
          'tls-server-name': tlsServerName,
          'proxy-url': proxyUrl,
          'certificate-authority-data': base64(certificateAuthority),
          extensions: [{ name: NESTED_CLUSTER, extension: { name, namespace } }],
        },
      },
    ],
    users: [
      {
        name: user,
        user: {
          'client-certificate-data': base64(clientCertificate),
          'client-key-data': base64(clientKey),
          token,
        },
      },
    ],
    contexts: [{ name: context, context: { cluster: name, user } }],
    'current-context': context,
  };
  // Unfolded: a key that is broken over lines could not be masked.
  return stringify(kubeconfig, { lineWidth: 0 });
}

function base64(text: string | undefined): string | undefined {
  return text === undefined ? undefined : Buffer.from(text).toString('base64');
}

/**
 * Every text in a kubeconfig that must not be shown. The YAML as a whole is not one of them: the runner would mask each
 * of its lines, `kind: Config` too.
 */
export function secretsOf({ clientKey, token }: Kubeconfig): readonly string[] {
  return [clientKey, token].flatMap((secret) => (secret === undefined ? [] : secretForms(secret)));
}

/** Writes a file that no other user can read at any moment. */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  // An existing file would keep its mode, and a link would be followed.
  await rm(path, { force: true });
  await writeFile(path, text, { mode: 0o600, flag: 'wx' });
  await chmod(path, 0o600);
}
