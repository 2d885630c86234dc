import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { KnestError, systemCodeOf } from '../../errors.ts';
import { httpsAddress } from '../../values/https-address.ts';

/** The text of a kubeconfig, and where it comes from. */
export interface KubeconfigText {
  readonly text: string;
  /** For people. */
  readonly source: string;
  /** Where its relative paths begin; undefined for the directory that the job runs in. */
  readonly directory: string | undefined;
}

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';
/** Longer ones are not paths, but a text in the place of one. */
const LONGEST_PATH = 255;

/** The text of the input, or what it is the base64 of: secrets are often kept so. */
export function givenText(text: string): KubeconfigText {
  const decoded = /^[A-Za-z0-9+/\s]+={0,2}\s*$/.test(text) ? Buffer.from(text, 'base64').toString('utf8') : '';
  return {
    text: /^\s*["{]?\w/.test(decoded) && decoded.includes('clusters') ? decoded : text,
    source: 'host-kubeconfig',
    directory: undefined,
  };
}

/** The file of the input, where `~` is the home directory. Throws KNEST_HOST_CONFIG when it cannot be read. */
export function givenFile(given: string, env: NodeJS.ProcessEnv): KubeconfigText {
  const path = given.replace(/^~(?=\/|$)/, () => homeOf(env));
  const problem = isPath(path) ? `there is no file ${path}` : 'its value is not a path';
  const read = isPath(path) ? readIfThere(path) : undefined;
  if (read !== undefined) return read;
  throw new KnestError({
    code: 'KNEST_HOST_CONFIG',
    problem: `host-kubeconfig-file: ${problem}`,
    next: 'check the path; it is relative to the directory that the job runs in. host-kubeconfig takes the YAML itself',
  });
}

/** The files of KUBECONFIG that are there, else ~/.kube/config if it is. Throws KNEST_HOST_CONFIG for an unreadable one. */
export function implicitFiles(env: NodeJS.ProcessEnv): readonly KubeconfigText[] {
  const usual = join(homeOf(env), '.kube', 'config');
  const paths = (env['KUBECONFIG'] ?? '') === '' ? [usual] : listedPaths(env);
  return paths.flatMap((path) => readIfThere(path) ?? []);
}

/** The files that KUBECONFIG names and that do not exist, a line for each. */
export function missingFiles(env: NodeJS.ProcessEnv): readonly string[] {
  return listedPaths(env)
    .filter((path) => !existsSync(path))
    .map(
      (path) =>
        `KUBECONFIG: there is no file ${path}${path.startsWith('~') ? ' (a shell expands ~, kubectl does not)' : ''}`,
    );
}

function listedPaths(env: NodeJS.ProcessEnv): readonly string[] {
  return [...new Set((env['KUBECONFIG'] ?? '').split(delimiter))].filter(isPath);
}

function homeOf(env: NodeJS.ProcessEnv): string {
  return env['HOME'] ?? homedir();
}

/** A kubeconfig for the account of the pod that the job runs in; undefined when it does not run in one. */
export function serviceAccount({
  KUBERNETES_SERVICE_HOST: host = '',
  KUBERNETES_SERVICE_PORT: port = '',
}: NodeJS.ProcessEnv): KubeconfigText | undefined {
  const tokenFile = join(SERVICE_ACCOUNT, 'token');
  if (host === '' || port === '' || !existsSync(tokenFile)) return undefined;
  const name = 'service-account';
  const cluster = {
    server: httpsAddress(host, port),
    'certificate-authority': join(SERVICE_ACCOUNT, 'ca.crt'),
  };
  const kubeconfig = {
    clusters: [{ name, cluster }],
    users: [{ name, user: { tokenFile } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  };
  return { text: JSON.stringify(kubeconfig), source: "the pod's service account", directory: undefined };
}

function isPath(text: string): boolean {
  return text !== '' && text.length <= LONGEST_PATH && !/[\r\n]/.test(text);
}

function readIfThere(path: string): KubeconfigText | undefined {
  try {
    return { text: readFileSync(path, 'utf8'), source: path, directory: dirname(resolve(path)) };
  } catch (thrown) {
    const code = systemCodeOf(thrown);
    if (code === 'ENOENT') return undefined;
    throw new KnestError({
      code: 'KNEST_HOST_CONFIG',
      problem: `${path} cannot be read (${code})`,
      next: 'name the file of a kubeconfig that this user can read',
    });
  }
}
