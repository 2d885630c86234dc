import { httpsAddress } from '../../values/https-address.ts';
import { certificatesIn, privateKeyIn } from '../../values/pem.ts';
import { messageOf } from '../../errors.ts';
import { parseYaml } from '../../values/yaml.ts';

/** How to connect to a nested cluster: everything that is taken from the kubeconfig that its control plane provider writes. */
export interface Kubeconfig {
  readonly server: string;
  /** The name in the server's certificate, when it is not in the address. */
  readonly tlsServerName: string | undefined;
  /** PEM, as are the others; undefined when a public authority signed the server's certificate. */
  readonly certificateAuthority: string | undefined;
  readonly clientCertificate: string | undefined;
  readonly clientKey: string | undefined;
  readonly token: string | undefined;
  /** The proxy by which this job reaches it; undefined for none, and always in what a provider writes. */
  readonly proxyUrl: string | undefined;
}

/** Why a kubeconfig is refused, a line each; it must not be used when there is any. */
interface Parsed {
  readonly kubeconfig: Kubeconfig;
  readonly problems: readonly string[];
}

/** What each part of a kubeconfig may have. Everything else could run programs, read files or go elsewhere. */
const ALLOWED = {
  kubeconfig: ['apiVersion', 'kind', 'clusters', 'users', 'contexts', 'current-context'],
  clusters: ['server', 'certificate-authority-data', 'tls-server-name'],
  users: ['client-certificate-data', 'client-key-data', 'token'],
  contexts: ['cluster', 'user'],
} as const;

type Fields = Readonly<Record<string, unknown>>;

/** Reads a kubeconfig of one cluster, user and context, and nothing of it but the fields of `Kubeconfig`. */
export function parseNested(text: string): Parsed {
  const problems: string[] = [];
  const root = parsed(text, problems);
  refuseOthers('', root, ALLOWED.kubeconfig, problems);
  const cluster = onlyEntry(root, 'clusters', 'cluster', problems);
  const user = onlyEntry(root, 'users', 'user', problems);
  const context = onlyEntry(root, 'contexts', 'context', problems);
  const isOne =
    root['current-context'] === context.name &&
    context.fields['cluster'] === cluster.name &&
    context.fields['user'] === user.name;
  if (problems.length === 0 && !isOne) problems.push('its current context is not that of its cluster and user');
  const read = <T>(place: Entry, field: string, take: (text: string) => T | undefined): T | undefined => {
    const value = place.fields[field];
    if (isUnset(value)) return undefined;
    const taken = typeof value === 'string' ? take(value) : undefined;
    if (taken === undefined) problems.push(`${place.path}.${field} is not valid`);
    return taken;
  };
  const kubeconfig = {
    server: read(cluster, 'server', (value) => value) ?? '',
    tlsServerName: read(cluster, 'tls-server-name', matching(/^[A-Za-z0-9.:-]+$/)),
    certificateAuthority: read(cluster, 'certificate-authority-data', decoded(certificatesIn)),
    clientCertificate: read(user, 'client-certificate-data', decoded(certificatesIn)),
    clientKey: read(user, 'client-key-data', decoded(privateKeyIn)),
    token: read(user, 'token', matching(/^[\x21-\x7e]+$/)),
    proxyUrl: undefined,
  };
  const hasCertificate = kubeconfig.clientCertificate !== undefined && kubeconfig.clientKey !== undefined;
  if (problems.length === 0 && !hasCertificate && kubeconfig.token === undefined) {
    problems.push('its user has neither a certificate with its key nor a token');
  }
  return { kubeconfig, problems };
}

/** Why an address is not the endpoint of the Cluster; empty when it is. */
export function checkEndpoint(
  server: string,
  endpoint: { readonly host?: string; readonly port?: number } | undefined,
): readonly string[] {
  const { host = '', port = 0 } = endpoint ?? {};
  if (host === '' || port === 0) return ['the Cluster has no controlPlaneEndpoint to compare its server with'];
  const expected = URL.parse(httpsAddress(host, port));
  const url = URL.parse(server);
  const isPlain = url !== null && `${url.username}${url.password}${url.search}${url.hash}` === '';
  if (isPlain && url.pathname === '/' && url.origin === expected?.origin) return [];
  return [`its server is not the Cluster's controlPlaneEndpoint, https://${host}:${port}`];
}

function parsed(text: string, problems: string[]): Fields {
  try {
    const value = parseYaml(text);
    if (isFields(value)) return value;
    problems.push('it is not a kubeconfig');
  } catch (thrown) {
    problems.push(`it is ${messageOf(thrown)}`);
  }
  return {};
}

interface Entry {
  readonly path: string;
  readonly name: unknown;
  readonly fields: Fields;
}

/** The only entry of a list of a kubeconfig, with nothing in it but what is allowed. */
function onlyEntry(root: Fields, list: 'clusters' | 'users' | 'contexts', key: string, problems: string[]): Entry {
  const path = `${list}[0].${key}`;
  const entries = root[list];
  const [entry, ...others] = Array.isArray(entries) ? (entries as readonly unknown[]) : [];
  if (isFields(entry) && isFields(entry[key]) && others.length === 0) {
    refuseOthers(`${list}[0]`, entry, ['name', key], problems);
    refuseOthers(path, entry[key], ALLOWED[list], problems);
    return { path, name: entry['name'], fields: entry[key] };
  }
  if (problems.length === 0) problems.push(`it does not have exactly one entry in ${list}`);
  return { path, name: undefined, fields: {} };
}

function refuseOthers(path: string, fields: Fields, allowed: readonly string[], problems: string[]): void {
  for (const [field, value] of Object.entries(fields)) {
    if (allowed.includes(field) || isUnset(value)) continue;
    // Other names are not shown: they may be secret.
    const name = /^[\w.-]{1,40}$/.test(field) ? field : '(a field with an unusual name)';
    problems.push(`${path === '' ? '' : `${path}.`}${name} is not allowed`);
  }
}

/** Whether kubectl takes a value for one that is left out. Cluster API writes `preferences: {}`. */
function isUnset(value: unknown): boolean {
  return (
    value === undefined ||
    value === null ||
    value === '' ||
    value === false ||
    (typeof value === 'object' && Object.keys(value).length === 0)
  );
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function matching(pattern: RegExp): (text: string) => string | undefined {
  return (text) => (pattern.test(text) ? text : undefined);
}

function decoded(take: (text: string) => string | undefined): (text: string) => string | undefined {
  return (text) => take(Buffer.from(text, 'base64').toString('utf8'));
}
