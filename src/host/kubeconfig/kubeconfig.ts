import { isAbsolute, join } from 'node:path';
import { KnestError, messageOf } from '../../errors.ts';
import { parseGoYaml } from '../../values/yaml.ts';
import { FieldReader, type Fields } from './fields.ts';

/** How to reach an API server, as in a kubeconfig. */
export interface Cluster {
  readonly name: string;
  readonly server: string;
  readonly tlsServerName: string;
  /** A path. */
  readonly certificateAuthority: string;
  /** Base64 of PEM. */
  readonly certificateAuthorityData: string;
  readonly insecureSkipTlsVerify: boolean;
  readonly disableCompression: boolean;
  readonly proxyUrl: string;
  /** Additional cluster data for a plugin; undefined when there is none. */
  readonly execConfig: unknown;
  /** The nested cluster that this is, in a kubeconfig that this action handed over; undefined for any other. */
  readonly nested: NestedCluster | undefined;
}

/** A nested cluster, as the kubeconfig that was handed over names it. */
export interface NestedCluster {
  readonly name: string;
  readonly namespace: string;
}

/** The user of an API server. A text that is not set is blank. */
export interface User {
  readonly name: string;
  /** Paths, and base64 of PEM. */
  readonly clientCertificate: string;
  readonly clientCertificateData: string;
  readonly clientKey: string;
  readonly clientKeyData: string;
  readonly token: string;
  readonly tokenFile: string;
  readonly username: string;
  readonly password: string;
  readonly impersonate: Impersonation;
  readonly authProvider: AuthProvider | undefined;
  readonly exec: Exec | undefined;
  /** What a plugin answered before, from a copy of this action; undefined when there is none. */
  readonly lastAnswer: unknown;
}

/** Whom a user acts as. */
export interface Impersonation {
  readonly user: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: ReadonlyMap<string, readonly string[]>;
}

/** A way to get tokens that is built into kubectl. */
export interface AuthProvider {
  readonly name: string;
  readonly config: ReadonlyMap<string, string>;
}

/** A program that gives credentials. */
export interface Exec {
  readonly apiVersion: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly installHint: string;
  readonly provideClusterInfo: boolean;
  readonly interactiveMode: string;
}

/** Which cluster and user go together. */
export interface Context {
  readonly name: string;
  readonly cluster: string;
  readonly user: string;
  readonly namespace: string;
}

/** What one or several kubeconfigs say. */
export interface Kubeconfig {
  readonly clusters: ReadonlyMap<string, Cluster>;
  readonly users: ReadonlyMap<string, User>;
  readonly contexts: ReadonlyMap<string, Context>;
  /** Blank when none is set. */
  readonly currentContext: string;
}

/** Where the action keeps the last answer of a plugin, in the copy that it makes of a kubeconfig. */
export const LAST_ANSWER = 'knest-action/last-answer';
/** Where a kubeconfig that this action hands over names its nested cluster. */
export const NESTED_CLUSTER = 'knest-action/nested-cluster';
/** The name of the extension with cluster data for a plugin. Source: client-go tools/clientcmd/client_config.go. */
export const EXEC_EXTENSION = 'client.authentication.k8s.io/exec';

/**
 * Reads the text of a kubeconfig as kubectl does: unknown fields are ignored, values of a wrong type are not. `directory`
 * is where its relative paths begin; left as they are without one. `source` names it for people. Throws
 * KNEST_HOST_CONFIG, without a word of the text. Source: client-go tools/clientcmd/loader.go and api/v1/types.go.
 */
export function parseKubeconfig(text: string, source: string, directory?: string): Kubeconfig {
  const reader = new FieldReader();
  const root = reader.root(parsed(text, source));
  const absolute = (path: string): string =>
    directory === undefined || path === '' || isAbsolute(path) ? path : join(directory, path);
  const kubeconfig = {
    clusters: named(reader, root, 'clusters', 'cluster', (name, fields) => clusterOf(reader, name, fields, absolute)),
    users: named(reader, root, 'users', 'user', (name, fields) => userOf(reader, name, fields, absolute)),
    contexts: named(reader, root, 'contexts', 'context', (name, fields) => ({
      name,
      cluster: reader.text(fields, 'cluster'),
      user: reader.text(fields, 'user'),
      namespace: reader.text(fields, 'namespace'),
    })),
    currentContext: reader.text(root, 'current-context'),
  };
  const kind = reader.text(root, 'kind');
  const apiVersion = reader.text(root, 'apiVersion');
  if (!['', 'Config'].includes(kind)) reader.problem('kind is not Config');
  if (!['', 'v1'].includes(apiVersion)) reader.problem('apiVersion is not v1');
  if (reader.problems.length > 0) throw notUsable(source, reader.problems);
  return kubeconfig;
}

/** Several kubeconfigs as one: of entries with the same name, and of current contexts, the first counts. */
export function merged(kubeconfigs: readonly Kubeconfig[]): Kubeconfig {
  const lastFirst = kubeconfigs.toReversed();
  return {
    clusters: new Map(lastFirst.flatMap(({ clusters }) => [...clusters])),
    users: new Map(lastFirst.flatMap(({ users }) => [...users])),
    contexts: new Map(lastFirst.flatMap(({ contexts }) => [...contexts])),
    currentContext: kubeconfigs.find(({ currentContext }) => currentContext !== '')?.currentContext ?? '',
  };
}

/** The error for a kubeconfig with these problems; none of them may quote a value of it. */
export function notUsable(source: string, problems: readonly string[]): KnestError {
  const [first = 'it cannot be read', ...others] = problems;
  return new KnestError({
    code: 'KNEST_HOST_CONFIG',
    problem: `${source} is not a usable kubeconfig: ${first}`,
    evidence: others,
    next: 'pass the whole YAML of a kubeconfig, for example from `kubectl config view --minify --flatten --raw`',
  });
}

function parsed(text: string, source: string): unknown {
  try {
    return parseGoYaml(text);
  } catch (thrown) {
    throw notUsable(source, [`it is ${messageOf(thrown)}`]);
  }
}

function clusterOf(reader: FieldReader, name: string, fields: Fields, absolute: (path: string) => string): Cluster {
  return {
    name,
    server: reader.text(fields, 'server'),
    tlsServerName: reader.text(fields, 'tls-server-name'),
    certificateAuthority: absolute(reader.text(fields, 'certificate-authority')),
    certificateAuthorityData: reader.data(fields, 'certificate-authority-data'),
    insecureSkipTlsVerify: reader.flag(fields, 'insecure-skip-tls-verify'),
    disableCompression: reader.flag(fields, 'disable-compression'),
    proxyUrl: reader.text(fields, 'proxy-url'),
    execConfig: reader.extension(fields, EXEC_EXTENSION),
    nested: nestedOf(reader.extension(fields, NESTED_CLUSTER)),
  };
}

/** The nested cluster of a mark; undefined for a mark that names none. */
function nestedOf(mark: unknown): NestedCluster | undefined {
  const { name, namespace } = (mark ?? {}) as Readonly<Record<string, unknown>>;
  const isName = (text: unknown): text is string => typeof text === 'string' && /^[a-z0-9][a-z0-9.-]*$/.test(text);
  return isName(name) && isName(namespace) ? { name, namespace } : undefined;
}

function userOf(reader: FieldReader, name: string, fields: Fields, absolute: (path: string) => string): User {
  const exec = reader.optionalFields(fields, 'exec');
  const provider = reader.optionalFields(fields, 'auth-provider');
  return {
    name,
    clientCertificate: absolute(reader.text(fields, 'client-certificate')),
    clientCertificateData: reader.data(fields, 'client-certificate-data'),
    clientKey: absolute(reader.text(fields, 'client-key')),
    clientKeyData: reader.data(fields, 'client-key-data'),
    token: reader.text(fields, 'token'),
    tokenFile: absolute(reader.text(fields, 'tokenFile')),
    username: reader.text(fields, 'username'),
    password: reader.text(fields, 'password'),
    impersonate: {
      user: reader.text(fields, 'as'),
      uid: reader.text(fields, 'as-uid'),
      groups: reader.texts(fields, 'as-groups'),
      extra: reader.map(fields, 'as-user-extra', (extra, key) => reader.texts(extra, key)),
    },
    authProvider: provider && {
      name: reader.text(provider, 'name'),
      config: reader.map(provider, 'config', (config, key) => reader.text(config, key)),
    },
    exec: exec && execOf(reader, exec, absolute),
    lastAnswer: reader.extension(fields, LAST_ANSWER),
  };
}

function execOf(reader: FieldReader, fields: Fields, absolute: (path: string) => string): Exec {
  const command = reader.text(fields, 'command');
  const apiVersion = reader.text(fields, 'apiVersion');
  const mode = reader.text(fields, 'interactiveMode');
  return {
    apiVersion,
    // A bare name is looked up in PATH.
    command: command.includes('/') ? absolute(command) : command,
    args: reader.texts(fields, 'args'),
    env: reader
      .list(fields, 'env')
      .map((entry) => ({ name: reader.text(entry, 'name'), value: reader.text(entry, 'value') })),
    installHint: reader.text(fields, 'installHint'),
    provideClusterInfo: reader.flag(fields, 'provideClusterInfo'),
    interactiveMode: mode === '' && apiVersion !== 'client.authentication.k8s.io/v1' ? 'IfAvailable' : mode,
  };
}

function named<T>(
  reader: FieldReader,
  root: Fields,
  list: string,
  key: string,
  read: (name: string, fields: Fields) => T,
): ReadonlyMap<string, T> {
  const entries = new Map<string, T>();
  for (const entry of reader.list(root, list)) {
    const name = reader.text(entry, 'name');
    if (entries.has(name)) reader.problem(`${list} has two entries of the same name`);
    entries.set(name, read(name, reader.fields(entry, key)));
  }
  return entries;
}
