import type { OidcHost } from '../host/oidc-host.ts';
import { certificatesIn } from '../values/pem.ts';
import { quotedAddress } from '../values/url-credentials.ts';
import type { InputReader } from './reading/reader.ts';

/** The inputs that say how to enter the host. With none of them: KUBECONFIG, ~/.kube/config, the pod's own account. */
const WAYS = ['host-kubeconfig', 'host-kubeconfig-file', 'host-server'] as const;

/**
 * Why a blank way is refused: a workflow that names a secret must not have the runner's own credentials used instead,
 * which code of a fork could then use.
 */
const BLANK =
  'is blank: pull requests from forks and of Dependabot get no secrets of the repository. Skip this step for them, or check the name of the secret. Leave the input out to use the credentials of the runner';

/** How to find and enter the host cluster. Without any field: KUBECONFIG, ~/.kube/config, the pod's own account. */
export interface HostInputs {
  readonly kubeconfig: string | undefined;
  readonly kubeconfigFile: string | undefined;
  readonly context: string | undefined;
  /** An API server that takes GitHub's OIDC tokens, instead of all of the above. */
  readonly oidc: OidcHost | undefined;
}

/** Reads how to enter the host: by a kubeconfig, or by its server's address and a token of GitHub's. */
export function readHost(reader: InputReader): HostInputs {
  const kubeconfig = reader.given('host-kubeconfig');
  const kubeconfigFile = reader.given('host-kubeconfig-file');
  const context = reader.optional('host-context');
  if (kubeconfig !== undefined && kubeconfigFile !== undefined) {
    reader.problem('host-kubeconfig-file', 'is set together with host-kubeconfig; set one of them');
  }
  checkNotBlank(reader);
  const oidc = readOidc(reader);
  const others = Object.entries({ kubeconfig, 'kubeconfig-file': kubeconfigFile, context })
    .filter(([, value]) => value !== undefined)
    .map(([name]) => `host-${name}`);
  if (oidc !== undefined && others.length > 0) {
    reader.problem('host-server', `is set together with ${others.join(' and ')}; set it, or a kubeconfig`);
  }
  return { kubeconfig, kubeconfigFile, context, oidc };
}

/** Refuses ways that are all blank. Beside one that is not, a blank one is as good as not given. */
function checkNotBlank(reader: InputReader): void {
  if (WAYS.some((way) => reader.given(way) !== undefined)) return;
  for (const way of WAYS) if (reader.isBlank(way)) reader.problem(way, BLANK);
}

function readOidc(reader: InputReader): OidcHost | undefined {
  const server = reader.given('host-server');
  const audience = reader.optional('host-oidc-audience');
  const caText = reader.optional('host-ca-certificate');
  if (server === undefined) {
    const [given] = [audience && 'host-oidc-audience', caText && 'host-ca-certificate'].filter(Boolean);
    if (given !== undefined && !reader.isBlank('host-server'))
      reader.problem('host-server', `is missing, but ${given} is set and needs it`);
    return undefined;
  }
  const problem = serverProblem(server);
  if (problem !== undefined) reader.problem('host-server', problem);
  if (audience === undefined) {
    reader.problem('host-oidc-audience', 'is missing; the audience that the host expects, for example knest:my-host');
  }
  const caCertificate = caText && pemOf(caText);
  if (caText !== undefined && caCertificate === undefined) {
    reader.problem('host-ca-certificate', 'is not a certificate: PEM, or its base64 as in a kubeconfig');
  }
  return { server: server.replace(/\/+$/, ''), caCertificate, audience: audience ?? '' };
}

/** Why a text is not the address of an API server; undefined when it is one. */
function serverProblem(text: string): string | undefined {
  const url = URL.parse(text);
  // First: what might be a password is not repeated.
  if (url !== null && `${url.username}${url.password}` !== '')
    return 'contains a user name; the token identifies the caller';
  const quoted = quotedAddress(text);
  if (url?.protocol === 'http:') return `${quoted} is http: a token is only sent over https`;
  if (url?.protocol !== 'https:') return `${quoted} is not an https URL; for example https://host.example.com:6443`;
  return url.search + url.hash === '' ? undefined : 'has a query or a fragment; remove it';
}

/** The certificates in a text, which is PEM or its base64; undefined when there is none, or one that is broken. */
function pemOf(text: string): string | undefined {
  return certificatesIn(text.includes('-----BEGIN') ? text : Buffer.from(text, 'base64').toString('utf8'));
}
