import { basename } from 'node:path';
import { KnestError } from '../../errors.ts';
import { childEnvironment } from '../../runner/process.ts';
import { certificatesIn, isKeyOf, privateKeyIn } from '../../values/pem.ts';
import { secretForms } from '../../values/secret-forms.ts';
import { parseGoYaml } from '../../values/yaml.ts';
import type { RunProcess } from '../../runner/process.ts';
import type { Exec } from '../kubeconfig/kubeconfig.ts';
import type { LoginCluster } from '../kubeconfig/login.ts';

/** What running a plugin takes. */
export interface PluginRuntime {
  readonly env: NodeJS.ProcessEnv;
  readonly run: RunProcess;
  /** Registers a text to be shown as `***` from here on. */
  readonly mask: (secret: string) => void;
  /** A text without what was registered so far. */
  readonly redact: (text: string) => string;
}

/** What a plugin answers. A text that it does not give is blank. */
export interface Answer {
  readonly token: string;
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
  /** RFC 3339; blank for an answer that is good until the server refuses it. */
  readonly expires: string;
}

/**
 * Runs a plugin once and masks all that it answers. It gets the environment of the job without the inputs of the action.
 * Throws KNEST_HOST_CREDENTIALS, without a word of what it wrote to its standard output.
 */
export async function runPlugin(exec: Exec, cluster: LoginCluster, runtime: PluginRuntime): Promise<Answer> {
  const fail = (problem: string, next?: string): KnestError =>
    new KnestError({
      code: 'KNEST_HOST_CREDENTIALS',
      problem: `the credential plugin ${basename(exec.command)} ${problem}`,
      next:
        next ?? 'run it by hand with the same environment: its whole output is not shown, since it may hold secrets',
    });
  const result = await runtime
    .run(exec.command, exec.args, environmentOf(exec, cluster, runtime.env))
    .catch((thrown: unknown) => {
      if (thrown instanceof KnestError) throw thrown;
      throw fail('cannot be started', hintOf(exec) ?? 'install it in a step before this one');
    });
  const credential = fieldsOf(parsed(result.stdout)) ?? {};
  const status = fieldsOf(credential['status']);
  // Also of an answer that is refused: a person who looks for the fault prints it.
  for (const secret of secretsOf(status ?? {})) runtime.mask(secret);
  if (result.exitCode !== 0) {
    const last = lastWords(result.stderr, result.stdout, runtime.redact);
    throw fail(`failed with exit code ${result.exitCode}${last === '' ? '' : `: ${last}`}`);
  }
  if (credential['kind'] !== 'ExecCredential') throw fail('did not return an ExecCredential');
  if (credential['apiVersion'] !== exec.apiVersion)
    throw fail(`did not return an ExecCredential of version ${exec.apiVersion}`);
  if (status === undefined) throw fail('returned an ExecCredential that has no status');
  const answer = answerOf(status);
  if ('problem' in answer) throw fail(answer.problem);
  return answer;
}

/** The answer that the status of an ExecCredential holds, or what is wrong with it. */
export function answerOf(status: Readonly<Record<string, unknown>>): Answer | { readonly problem: string } {
  const texts = ['token', 'clientCertificateData', 'clientKeyData', 'expirationTimestamp'].map(
    (field) => status[field] ?? '',
  );
  if (!texts.every((text) => typeof text === 'string'))
    return { problem: 'returned a status with fields that are not strings' };
  const [token = '', certificate = '', key = '', expires = ''] = texts;
  if (token + certificate + key === '') return { problem: 'returned neither a token nor a certificate' };
  if ((certificate === '') !== (key === '')) return { problem: 'returned only one of certificate and key' };
  if (expires !== '' && Number.isNaN(Date.parse(expires)))
    return { problem: 'returned an unreadable expirationTimestamp' };
  if (key !== '' && !isPair(certificate, key)) return { problem: 'returned a key that does not match its certificate' };
  return { token, certificate, key, expires };
}

/** Whether an answer can still be used, by this runner's clock. */
export function isAlive({ expires }: Answer): boolean {
  return expires === '' || Date.now() < Date.parse(expires);
}

function isPair(certificate: string, key: string): boolean {
  const [certificates, pem] = [certificatesIn(certificate), privateKeyIn(key)];
  return certificates !== undefined && pem !== undefined && isKeyOf(pem, certificates);
}

function environmentOf(exec: Exec, cluster: LoginCluster, env: NodeJS.ProcessEnv): Readonly<Record<string, string>> {
  const info = {
    kind: 'ExecCredential',
    apiVersion: exec.apiVersion,
    spec: { ...(exec.provideClusterInfo && { cluster: clusterInfo(cluster) }), interactive: false },
  };
  return {
    ...childEnvironment(env),
    ...Object.fromEntries(exec.env.map(({ name, value }) => [name, value])),
    KUBERNETES_EXEC_INFO: JSON.stringify(info),
  };
}

/** Source: client-go pkg/apis/clientauthentication/v1/types.go, Cluster. */
function clusterInfo(cluster: LoginCluster): object {
  const { address, tlsServerName, certificateAuthority, insecureSkipTlsVerify, ownProxyUrl, execConfig } = cluster;
  return {
    server: address,
    ...(tlsServerName !== '' && { 'tls-server-name': tlsServerName }),
    ...(insecureSkipTlsVerify && { 'insecure-skip-tls-verify': true }),
    ...(certificateAuthority !== '' && {
      'certificate-authority-data': Buffer.from(certificateAuthority).toString('base64'),
    }),
    ...(ownProxyUrl !== '' && { 'proxy-url': ownProxyUrl }),
    ...(cluster.disableCompression && { 'disable-compression': true }),
    config: execConfig ?? null,
  };
}

function parsed(text: string): unknown {
  try {
    return parseGoYaml(text);
  } catch {
    return undefined;
  }
}

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

const PUBLIC = ['clientCertificateData', 'expirationTimestamp'];

function secretsOf(status: Fields): readonly string[] {
  const secrets = Object.entries(status).filter(([field]) => !PUBLIC.includes(field));
  return secrets.flatMap(([, value]) => (typeof value === 'string' ? secretForms(value) : []));
}

/** The first line of the kubeconfig's own words on how to get the plugin. */
function hintOf({ installHint }: Exec): string | undefined {
  return installHint.split('\n').find((line) => line.trim() !== '');
}

/** Text that looks like a key or a token, or that is labelled as one. */
const SUSPICIOUS = [
  /(?=[\w+/=.-]*\d)(?=[\w+/=.-]*[A-Za-z])[\w+/=.-]{20,}/g,
  /(?<=\b(?:pass(?:word|phrase)?|secret|token|key|bearer)\b["']?\s*[=: ]\s*["']?)\S+/gi,
  /(?<=\/\/)[^/\s@]+(?=@)/g,
];
/** Words of the answer that are shorter stand in any sentence. */
const SHORTEST_WORD = 6;

/** The last line that a plugin wrote to its standard error, without anything that may be a secret. */
function lastWords(stderr: string, stdout: string, redact: (text: string) => string): string {
  const last =
    stderr
      .split(/[\r\n]+/)
      .findLast((line) => line.trim() !== '')
      ?.trim() ?? '';
  const words = stdout.split(/[\s"'{}[\],:]+/).filter((word) => word.length >= SHORTEST_WORD);
  const hidden = words.reduce((line, word) => line.replaceAll(word, '***'), redact(last));
  return SUSPICIOUS.reduce((line, pattern) => line.replace(pattern, '***'), hidden).slice(0, 300);
}
