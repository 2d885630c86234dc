import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parse, stringify } from 'yaml';
import type { Host } from '../host/host.ts';
import { requestToken, type IssuerAddress } from '../support/issuer.ts';

const program = join(import.meta.dirname, '../support/issuer.ts');
const documented = join(import.meta.dirname, '../../docs/oidc/authentication.yaml');

interface AuthenticationConfiguration {
  readonly jwt: readonly [{ readonly issuer: object }];
}

/** An issuer of GitHub's tokens in the network of a host. */
export class Issuer {
  readonly #process: ChildProcess;
  readonly #address: IssuerAddress;
  /** The audience of each token that it gave out. */
  readonly minted: readonly string[];

  private constructor(process: ChildProcess, address: IssuerAddress, minted: readonly string[]) {
    this.#process = process;
    this.#address = address;
    this.minted = minted;
  }

  static async start(host: Host): Promise<Issuer> {
    const { command, args } = host.command([process.execPath, program]);
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const lines = createInterface({ input: child.stdout });
    const first = await new Promise<string>((resolve, reject) => {
      lines.once('line', resolve);
      child.once('exit', (code) => reject(new Error(`the issuer ended with ${code ?? 'a signal'}`)));
    });
    const minted: string[] = [];
    lines.on('line', (audience) => minted.push(audience));
    return new Issuer(child, JSON.parse(first) as IssuerAddress, minted);
  }

  /** docs/oidc/authentication.yaml, with this issuer's address for GitHub's keys. */
  get configuration(): string {
    const configuration = parse(readFileSync(documented, 'utf8')) as AuthenticationConfiguration;
    const { discoveryUrl: discoveryURL, certificateAuthority } = this.#address;
    const [jwt] = configuration.jwt;
    return stringify({
      ...configuration,
      jwt: [{ ...jwt, issuer: { ...jwt.issuer, discoveryURL, certificateAuthority } }],
    });
  }

  /** What GitHub sets for a job that may ask for tokens; `parameters` change those, see the issuer. */
  environment(parameters: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
    return {
      ACTIONS_ID_TOKEN_REQUEST_URL: `${this.#address.requestUrl}&${new URLSearchParams(parameters).toString()}`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: requestToken,
    };
  }

  /** A token, as a job would be given it. */
  async token(host: Host, audience: string): Promise<string> {
    const script = `fetch(process.argv[1], { headers: { authorization: 'Bearer ${requestToken}' } })
      .then(async (response) => console.log((await response.json()).value))`;
    const url = `${this.#address.requestUrl}&audience=${audience}`;
    return (await host.run([process.execPath, '-e', script, url])).trim();
  }

  stop(): void {
    this.#process.kill();
  }
}
