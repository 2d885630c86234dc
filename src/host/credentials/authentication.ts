import { readFileSync } from 'node:fs';
import { KnestError, systemCodeOf, type Failure } from '../../errors.ts';
import { secretForms } from '../../values/secret-forms.ts';
import { basicAuthorization } from '../../values/url-credentials.ts';
import { answerOf, isAlive, runPlugin, type Answer, type PluginRuntime } from './exec-plugin.ts';
import type { AuthProvider, Exec, Impersonation } from '../kubeconfig/kubeconfig.ts';
import type { Login, LoginUser } from '../kubeconfig/login.ts';
import { portable } from './flatten-kubeconfig.ts';

/** Who a request is from. */
export interface Credentials {
  /** A header with several values is sent several times. */
  readonly headers: Readonly<Record<string, string | string[]>>;
  /** PEM, as is the key; blank for a client without a certificate. */
  readonly certificate: string;
  readonly key: string;
}

/** Gives credentials for requests, and new ones once the server refuses the current ones. */
export interface Authentication {
  /** Throws KNEST_HOST_CREDENTIALS when they cannot be obtained. */
  credentials(): Promise<Credentials>;
  /** Has other credentials used from here on, unless that has happened since these were given out. */
  forget(credentials: Credentials): void;
  /** What a person needs to know about credentials that the server refuses. */
  refused(): Pick<Failure, 'evidence' | 'next'>;
}

/** Token files are read again this often, as by kubectl: the kubelet replaces them. Milliseconds. */
const REREAD = 60_000;

/**
 * The credentials of a kubeconfig's user, as kubectl gets them: user and password of the address come first, then a
 * token, a password, an auth provider and a plugin. Source: client-go transport/round_trippers.go.
 */
export class UserAuthentication implements Authentication {
  readonly #login: Login;
  readonly #runtime: PluginRuntime;
  #current: Promise<Credentials> | undefined;
  /** The credentials of #current, once they are there. */
  #given: Credentials | undefined;
  /** When they are obtained again. Milliseconds since the epoch. */
  #until = Number.POSITIVE_INFINITY;
  #lastAnswer: Answer | undefined;
  #lastToken: string;

  constructor(login: Login, runtime: PluginRuntime) {
    this.#login = login;
    this.#runtime = runtime;
    this.#lastToken = login.user.token;
    const answer = answerOf((login.user.lastAnswer ?? {}) as Readonly<Record<string, unknown>>);
    this.#lastAnswer = 'problem' in answer ? undefined : answer;
  }

  /** The login for later processes, with the last token or answer, for when the file or plugin is gone by then. */
  copy(): string {
    const { user } = this.#login;
    return portable({ ...this.#login, user: { ...user, token: this.#lastToken } }, this.#lastAnswer);
  }

  async credentials(): Promise<Credentials> {
    if (Date.now() >= this.#until) this.#current = undefined;
    this.#current ??= this.#renew();
    return this.#current;
  }

  forget(credentials: Credentials): void {
    if (this.#given !== credentials) return;
    this.#current = undefined;
    this.#lastAnswer = undefined;
  }

  refused(): Pick<Failure, 'evidence' | 'next'> {
    return { next: 'the credentials are wrong or expired: pass fresh ones' };
  }

  async #renew(): Promise<Credentials> {
    this.#until = Number.POSITIVE_INFINITY;
    try {
      const obtained = await this.#obtain();
      this.#given = { ...obtained, headers: { ...obtained.headers, ...impersonation(this.#login.user.impersonate) } };
      return this.#given;
    } catch (thrown) {
      this.#current = undefined;
      throw thrown;
    }
  }

  async #obtain(): Promise<Credentials> {
    const { cluster, user } = this.#login;
    const { certificate, key, username, password } = user;
    const as = (authorization: string | undefined): Credentials => ({
      headers: authorization === undefined ? {} : { Authorization: this.#header(authorization) },
      certificate,
      key,
    });
    if (cluster.authorization !== undefined) return as(cluster.authorization);
    if (user.token + user.tokenFile !== '') return as(`Bearer ${this.#token(user)}`);
    if (username + password !== '') return as(basicAuthorization(`${username}:${password}`));
    if (user.authProvider !== undefined) return as(`Bearer ${idTokenOf(user.authProvider, this.#fail)}`);
    if (user.exec === undefined || certificate !== '') return as(undefined);
    const answer = await this.#ask(user.exec);
    this.#lastAnswer = answer;
    if (answer.expires !== '') this.#until = Date.parse(answer.expires);
    const bearer = answer.token === '' ? {} : as(`Bearer ${answer.token}`).headers;
    return { headers: bearer, certificate: answer.certificate, key: answer.key };
  }

  /** What the plugin answers; where it cannot be asked any more, what it answered before, while that lasts. */
  async #ask(exec: Exec): Promise<Answer> {
    try {
      return await runPlugin(exec, this.#login.cluster, this.#runtime);
    } catch (thrown) {
      if (this.#lastAnswer === undefined || !isAlive(this.#lastAnswer)) throw thrown;
      return this.#lastAnswer;
    }
  }

  /** The token in the user's file, which is read from time to time, else the one in the kubeconfig. */
  #token({ tokenFile, name }: LoginUser): string {
    if (tokenFile === '') return this.#lastToken;
    this.#until = Date.now() + REREAD;
    try {
      const text = readFileSync(tokenFile, 'utf8').trim();
      for (const form of secretForms(text)) this.#runtime.mask(form);
      if (text !== '') this.#lastToken = text;
      else if (this.#lastToken === '') throw this.#fail(`tokenFile of user "${name}" is empty`);
    } catch (thrown) {
      if (thrown instanceof KnestError) throw thrown;
      // Not the path: a token may stand in its place.
      if (this.#lastToken === '')
        throw this.#fail(`tokenFile of user "${name}" cannot be read (${systemCodeOf(thrown)})`);
    }
    return this.#lastToken;
  }

  /** A header as kubectl sends it: the bytes of its text. */
  #header(text: string): string {
    if (/[^\P{Cc}\t]/u.test(text)) throw this.#fail('a token has line breaks or other characters that cannot be sent');
    return latin1(text);
  }

  readonly #fail = (problem: string): KnestError =>
    new KnestError({
      code: 'KNEST_HOST_CREDENTIALS',
      problem: `the credentials for ${this.#login.cluster.server} cannot be used: ${problem}`,
      next: 'check the user entry of the host kubeconfig and the files or commands that it names',
    });
}

/** Seconds before its end at which kubectl takes an id-token for expired. */
const LEEWAY = 10;

function idTokenOf({ name, config }: AuthProvider, fail: (problem: string) => KnestError): string {
  if (name !== 'oidc') throw fail(`kubectl no longer supports the auth-provider ${name}: use an exec plugin`);
  const token = config.get('id-token') ?? '';
  if (token === '') throw fail('its auth-provider has no id-token: use an exec plugin, which gets one');
  const { exp } = claimsOf(token);
  if (typeof exp === 'number' && Date.now() / 1000 < exp - LEEWAY) return token;
  throw fail('the id-token of its auth-provider has expired: use an exec plugin, which gets a new one');
}

function claimsOf(token: string): { readonly exp?: unknown } {
  try {
    return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as { exp?: unknown };
  } catch {
    return {};
  }
}

function impersonation({ user, uid, groups, extra }: Impersonation): Credentials['headers'] {
  if (user === '') return {};
  const more = [...extra].map(([key, values]) => [`Impersonate-Extra-${escaped(key)}`, values.map(latin1)] as const);
  return {
    'Impersonate-User': latin1(user),
    ...(uid !== '' && { 'Impersonate-Uid': latin1(uid) }),
    ...(groups.length > 0 && { 'Impersonate-Group': groups.map(latin1) }),
    ...Object.fromEntries(more),
  };
}

/** A key as part of a header's name: what cannot stand there is percent-encoded, as by client-go. */
function escaped(key: string): string {
  return latin1(key).replace(
    /[^!#$&'*+.^_`|~0-9A-Za-z-]/g,
    (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

/** Bytes as undici takes them: a character each. */
function latin1(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
