import { KnestError, messageOf } from '../../errors.ts';
import { formatInstant } from '../../values/instant.ts';
import { retry } from '../../retry.ts';

/** Asks GitHub for a token that proves to an audience which job this is. The caller masks it. */
export type MintToken = (audience: string) => Promise<string>;

/** The claims that show why a server refuses the token. Source: docs.github.com, "OpenID Connect reference". */
interface Claims {
  readonly iss?: string;
  readonly aud?: string | readonly string[];
  readonly iat?: number;
  readonly exp?: number;
  readonly repository?: string;
  readonly repository_id?: string;
  readonly event_name?: string;
}

interface Minted {
  readonly token: string;
  readonly claims: Claims;
  /** Milliseconds of performance.now(): the clocks of GitHub, runner and server need not agree. */
  readonly mintedAt: number;
  readonly lifeMilliseconds: number;
}

/** The part of its life after which a token is no longer used: 4 of GitHub's 5 minutes. */
const USED_PART = 0.8;
/** That of GitHub's tokens, for one that does not name its own. In seconds. */
const USUAL_LIFE = 300;
const MINT_TRIES = 3;
const MINT_TIMEOUT = 20_000;
const MINT_PAUSE = 1_000;

/** The OIDC tokens of this job for one audience: one at a time, minted again before it expires or once it is refused. */
export class IdTokens {
  readonly audience: string;
  readonly #mint: MintToken;
  #current: Promise<Minted> | undefined;
  /** The token of #current, once it is there. */
  #usable: string | undefined;
  #last: Minted | undefined;

  constructor(audience: string, mint: MintToken) {
    this.audience = audience;
    this.#mint = mint;
  }

  /** A token with a fifth of its life left at least. Throws KNEST_HOST_CREDENTIALS when GitHub gives none. */
  async token(): Promise<string> {
    const current = await (this.#current ?? this.#renew());
    const isFresh = performance.now() - current.mintedAt < current.lifeMilliseconds * USED_PART;
    if (isFresh) return current.token;
    this.forget(current.token);
    return (await (this.#current ?? this.#renew())).token;
  }

  /** Has another token minted before the next use, unless that has happened since this one was given out. */
  forget(token: string): void {
    if (this.#usable !== token) return;
    this.#usable = undefined;
    this.#current = undefined;
  }

  /** Milliseconds that the newest token lives, from when it was minted. */
  get lifeMilliseconds(): number {
    return this.#last?.lifeMilliseconds ?? USUAL_LIFE * 1000;
  }

  /** The claims of the newest token, to compare with what the server requires. None of them is a secret. */
  describe(): string {
    const { claims } = this.#last ?? {};
    if (claims === undefined) return 'there is no token yet';
    const { iss, aud, repository, repository_id: id, event_name: event, exp } = claims;
    const expiry = exp === undefined ? 'without an expiry' : expiryText(exp);
    return (
      `the token has issuer ${iss ?? 'unknown'}, audience ${[aud ?? 'none'].flat().join(', ')}, ` +
      `repository ${repository ?? 'unknown'} (id ${id ?? 'unknown'}), event ${event ?? 'unknown'}, ${expiry}`
    );
  }

  async #renew(): Promise<Minted> {
    const minting = this.#mintPatiently().then((minted) => {
      this.#usable = minted.token;
      this.#last = minted;
      return minted;
    });
    this.#current = minting;
    minting.catch(() => (this.#current = undefined));
    return minting;
  }

  async #mintPatiently(): Promise<Minted> {
    const { signal } = new AbortController(); // three tries end soon enough
    try {
      return await retry(() => this.#mintOnce(), {
        signal,
        isRetried: () => true,
        tries: MINT_TRIES,
        firstPause: MINT_PAUSE,
      });
    } catch (thrown) {
      throw new KnestError({
        code: 'KNEST_HOST_CREDENTIALS',
        problem: 'GitHub gave this job no OIDC token for the host',
        evidence: [messageOf(thrown).replace(/\s+/g, ' ').trim().slice(0, 300)],
        next: 'run the job again; if the problem persists, see githubstatus.com',
        cause: thrown,
      });
    }
  }

  /** One token. Rejects for one without life: nothing but the next request would find out, again and again. */
  async #mintOnce(): Promise<Minted> {
    const token = await Promise.race([this.#mint(this.audience), timeout(MINT_TIMEOUT)]);
    const claims = claimsOf(token);
    const { iat, exp } = claims;
    const life = iat !== undefined && exp !== undefined ? exp - iat : USUAL_LIFE;
    if (life <= 0) throw new Error(`the token had expired when it was issued (iat ${iat}, exp ${exp})`);
    return { token, claims, mintedAt: performance.now(), lifeMilliseconds: life * 1000 };
  }
}

async function timeout(milliseconds: number): Promise<never> {
  const signal = AbortSignal.timeout(milliseconds);
  return new Promise((_resolve, reject) =>
    signal.addEventListener('abort', () => reject(new Error(`no answer within ${milliseconds / 1000} s`))),
  );
}

/** The claims of a JWT, unverified: that is the server's part. Empty for text that is not a JWT. */
function claimsOf(token: string): Claims {
  try {
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as Claims | null;
    const { iat, exp, ...rest } = claims ?? {};
    return { ...rest, ...(isTime(iat) && { iat }), ...(isTime(exp) && { exp }) };
  } catch {
    return {};
  }
}

function isTime(claim: unknown): claim is number {
  return typeof claim === 'number' && Number.isFinite(claim);
}

function expiryText(exp: number): string {
  const text = formatInstant(exp * 1000);
  return exp * 1000 < Date.now() ? `expired since ${text} by this runner's clock` : `valid until ${text}`;
}
