import { readFileSync } from 'node:fs';
import { KnestError, systemCodeOf } from '../../errors.ts';
import { certificatesIn, isKeyOf, privateKeyIn } from '../../values/pem.ts';
import { splitCredentials } from '../../values/url-credentials.ts';
import { problemsOfExec } from './exec-checks.ts';
import { isProxyAddress, proxyFor } from './proxy.ts';
import { notUsable, type Cluster, type Context, type Kubeconfig, type User } from './kubeconfig.ts';

/** One context of a kubeconfig, checked, with its certificates and keys read: everything that a connection needs. */
export interface Login {
  readonly context: string;
  readonly cluster: LoginCluster;
  readonly user: LoginUser;
}

type PlainCluster = Pick<
  Cluster,
  'name' | 'tlsServerName' | 'insecureSkipTlsVerify' | 'disableCompression' | 'execConfig'
>;

/** The API server of a login. */
export interface LoginCluster extends PlainCluster {
  /** As it is written. */
  readonly address: string;
  /** Without user and password, and without a slash at its end. */
  readonly server: string;
  /** The header for the user and password that the address had; undefined when it had none. */
  readonly authorization: string | undefined;
  /** PEM; blank when a public authority signed the server's certificate. */
  readonly certificateAuthority: string;
  /** Blank when there is none on the way. */
  readonly proxyUrl: string;
  /** That of the kubeconfig; blank when it has none, or the environment named the one on the way. */
  readonly ownProxyUrl: string;
}

type PlainUser = Omit<User, 'clientCertificate' | 'clientCertificateData' | 'clientKey' | 'clientKeyData'>;

/** The user of a login. */
export interface LoginUser extends PlainUser {
  /** PEM, as is the key; blank when there is none. */
  readonly certificate: string;
  readonly key: string;
}

/** The user of a login that sends no credentials. */
export function nobody(name: string): LoginUser {
  return {
    name,
    certificate: '',
    key: '',
    token: '',
    tokenFile: '',
    username: '',
    password: '',
    impersonate: { user: '', uid: '', groups: [], extra: new Map() },
    authProvider: undefined,
    exec: undefined,
    lastAnswer: undefined,
  };
}

/** What people get instead of a secret when they print a kubeconfig without `--raw`. */
const REDACTED = ['REDACTED', 'DATA+OMITTED'];

/** Notes a problem; it must not quote what may be a secret. */
type Note = (problem: string) => void;

/**
 * Checks a context as kubectl does before it sends anything, and reads the files of its cluster and user. `context` is
 * the current one when undefined; `env` names the proxies. Throws KNEST_HOST_CONFIG, without a word of any secret.
 * Source: client-go tools/clientcmd/client_config.go and validation.go.
 */
export function loginOf(
  kubeconfig: Kubeconfig,
  context: string | undefined,
  source: string,
  env: NodeJS.ProcessEnv,
): Login {
  const { name, cluster: clusterName, user: userName } = contextOf(kubeconfig, context, source);
  const refuse = (missing: string): Error =>
    notUsable(source, [`it has no ${missing}, which its context "${name}" names`]);
  const cluster = kubeconfig.clusters.get(clusterName);
  if (cluster === undefined) throw refuse(`cluster "${clusterName}"`);
  const user = userName === '' ? undefined : kubeconfig.users.get(userName);
  if (user === undefined && userName !== '') throw refuse(`user "${userName}"`);
  const problems: string[] = [];
  const checkedUser =
    user === undefined
      ? nobody('anonymous')
      : userOf(user, (problem) => problems.push(`user "${user.name}": ${problem}`));
  const checkedCluster = clusterOf(cluster, env, (problem) => problems.push(`cluster "${cluster.name}": ${problem}`));
  if (problems.length > 0) throw notUsable(source, problems);
  // Over plain HTTP, as `kubectl proxy` serves it, kubectl sends no credentials, but whom they act as.
  const isPlain = checkedCluster.server.startsWith('http:');
  return {
    context: name,
    cluster: checkedCluster,
    user: isPlain ? { ...nobody(checkedUser.name), impersonate: checkedUser.impersonate } : checkedUser,
  };
}

/** The context that is named, else the current one. */
function contextOf({ contexts, currentContext }: Kubeconfig, named: string | undefined, source: string): Context {
  const context = contexts.get(named ?? currentContext);
  if (context !== undefined) return context;
  const there = contexts.size === 0 ? 'it has no context at all' : `it has ${[...contexts.keys()].join(', ')}`;
  const next = `set host-context, or current-context in the kubeconfig; ${there}`;
  if (named !== undefined) {
    throw new KnestError({
      code: 'KNEST_HOST_CONFIG',
      problem: `host-context: ${source} has no context "${named}"`,
      next: there,
    });
  }
  const missing = currentContext === '' ? 'current-context' : `context "${currentContext}", its current-context`;
  throw new KnestError({ code: 'KNEST_HOST_CONFIG', problem: `${source} has no ${missing}`, next });
}

function clusterOf(cluster: Cluster, env: NodeJS.ProcessEnv, note: Note): LoginCluster {
  const { name, tlsServerName, insecureSkipTlsVerify, disableCompression, execConfig } = cluster;
  const { url, authorization } = splitCredentials(cluster.server);
  const parsed = URL.parse(url);
  if (cluster.server === '') note('it has no server');
  else if (parsed === null || !/^https?:$/.test(parsed.protocol)) note('its server does not begin with https://');
  const proxyUrl = cluster.proxyUrl === '' ? proxyFor(url, env) : cluster.proxyUrl;
  if (proxyUrl !== '' && !isProxyAddress(proxyUrl))
    note('proxy-url does not begin with http://, https:// or socks5://');
  const pem = pemOf('certificate-authority', cluster.certificateAuthority, cluster.certificateAuthorityData, note);
  const certificateAuthority = pem === '' ? '' : certificatesIn(pem);
  if (certificateAuthority === undefined) note('certificate-authority does not contain a valid certificate');
  if (pem !== '' && insecureSkipTlsVerify)
    note('insecure-skip-tls-verify and certificate-authority are mutually exclusive');
  return {
    name,
    address: cluster.server,
    server: parsed === null ? '' : `${parsed.origin}${parsed.pathname}`.replace(/\/+$/, ''),
    authorization,
    tlsServerName,
    certificateAuthority: certificateAuthority ?? '',
    insecureSkipTlsVerify,
    disableCompression,
    proxyUrl,
    ownProxyUrl: cluster.proxyUrl,
    execConfig,
  };
}

function userOf(user: User, note: Note): LoginUser {
  const { clientCertificate, clientCertificateData, clientKey, clientKeyData, ...plain } = user;
  const { token, username, password, impersonate, exec, authProvider } = user;
  const hasCertificate = clientCertificate + clientCertificateData !== '';
  if (hasCertificate && clientKey + clientKeyData === '') note('client-certificate needs client-key');
  const certificate = hasCertificate ? pemOf('client-certificate', clientCertificate, clientCertificateData, note) : '';
  const key = hasCertificate ? pemOf('client-key', clientKey, clientKeyData, note) : '';
  if (certificate !== '' && key !== '') checkPair(certificate, key, note);
  if (token !== '' && username + password !== '') note('token and username are mutually exclusive');
  if (REDACTED.includes(token) || REDACTED.includes(password)) note('its secrets are left out: print it with --raw');
  const { user: as, uid, groups, extra } = impersonate;
  if (as === '' && (uid !== '' || groups.length + extra.size > 0)) note('as-uid, as-groups and as-user-extra need as');
  if (exec !== undefined) problemsOfExec(exec).forEach(note);
  if (exec !== undefined && authProvider !== undefined) note('exec and auth-provider are mutually exclusive');
  return { ...plain, certificate, key };
}

function checkPair(certificate: string, key: string, note: Note): void {
  const first = certificatesIn(certificate);
  const pem = privateKeyIn(key);
  if (first === undefined) note('client-certificate does not contain a valid certificate');
  if (pem === undefined) note('client-key does not contain a private key without a passphrase');
  if (first !== undefined && pem !== undefined && !isKeyOf(pem, first))
    note('client-key does not belong to client-certificate');
}

/** The PEM of a field that names a file, or of its twin that holds the data. */
function pemOf(field: string, file: string, data: string, note: Note): string {
  if (file !== '' && data !== '') note(`${field} and ${field}-data are mutually exclusive`);
  const decoded = Buffer.from(data, 'base64').toString('utf8');
  if (REDACTED.includes(data)) note(`${field}-data is left out: print it with --raw`);
  if (file === '' || data !== '') return decoded;
  try {
    return readFileSync(file, 'utf8');
  } catch (thrown) {
    // Neither the path nor the system's message, which repeats it: a key may stand in its place.
    const home = file.includes('/~/') || file.startsWith('~') ? '; ~ is not expanded in a kubeconfig' : '';
    note(`${field} names a file that cannot be read (${systemCodeOf(thrown)})${home}`);
    return '';
  }
}
