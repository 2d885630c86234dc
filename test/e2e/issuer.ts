import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import type { Host } from '../host/host.ts';
import { requestToken, type IssuerAddress } from '../support/issuer.ts';
import { Program, supportProgram } from './program.ts';

const documented = join(import.meta.dirname, '../../docs/oidc/authentication.yaml');

interface AuthenticationConfiguration {
  readonly jwt: readonly [{ readonly issuer: object }];
}

/** An issuer of GitHub's tokens in the network of a host. */
export class Issuer {
  readonly #program: Program;
  readonly #address: IssuerAddress;

  private constructor(program: Program) {
    this.#program = program;
    this.#address = JSON.parse(program.first) as IssuerAddress;
  }

  static async start(host: Host): Promise<Issuer> {
    return new Issuer(await Program.start((argv) => host.command(argv), supportProgram('issuer.ts')));
  }

  /** The audience of each token that it gave out. */
  get minted(): readonly string[] {
    return this.#program.lines;
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

  async stop(): Promise<void> {
    await this.#program.stop();
  }
}
