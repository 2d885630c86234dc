import { assetPath, type ReleaseAsset } from '../../catalog/release-asset.ts';
import { KnestError, runnerProblem } from '../../errors.ts';
import type { DownloadInputs } from '../../inputs.ts';
import { basicAuthorization, shownAddress } from '../../values/url-credentials.ts';
import { describeWebProblem, type Web, type WebRequest } from '../../web.ts';
import { adviceOnDownload } from './advice.ts';

const GITHUB = 'https://github.com';
/** What clusterctl's own `--from` takes for an address of GitHub: the page of a file. */
const GITHUB_PAGE = /^(https:\/\/github\.com\/[^/]+\/[^/]+)\/blob\//;

/** Where downloads come from: GitHub, or the mirror in its place. */
export class AssetSource {
  readonly #inputs: Pick<DownloadInputs, 'mirror' | 'mirrorLogin'>;
  readonly #web: Web;

  constructor(inputs: Pick<DownloadInputs, 'mirror' | 'mirrorLogin'>, web: Web) {
    this.#inputs = inputs;
    this.#web = web;
  }

  /** The address of an asset. */
  addressOf(asset: ReleaseAsset): string {
    return `${this.#inputs.mirror ?? GITHUB}/${assetPath(asset)}`;
  }

  /** Where the file at an address is: on the mirror, when the address is one of GitHub. */
  addressFor(url: string): string {
    const raw = url.replace(GITHUB_PAGE, '$1/raw/');
    const { mirror } = this.#inputs;
    return mirror === undefined || !isAt(GITHUB, raw) ? raw : `${mirror}${raw.slice(GITHUB.length)}`;
  }

  /** Whether an address is one of the mirror. */
  isOnMirror(url: string): boolean {
    return this.#inputs.mirror !== undefined && isAt(this.#inputs.mirror, url);
  }

  /** Writes what is at an address to a file. `whenMissing`: advice for when there is nothing. Throws KNEST_DOWNLOAD. */
  download(url: string, file: string, whenMissing: string): Promise<void> {
    return this.#ask(url, whenMissing, (request) => this.#web.download(request, file));
  }

  /** The text at an address. Throws as `download` does. */
  text(url: string, whenMissing: string): Promise<string> {
    return this.#ask(url, whenMissing, (request) => this.#web.text(request));
  }

  /** Asks for what is at an address, with the login of the mirror if it is there. */
  async #ask<T>(url: string, whenMissing: string, ask: (request: WebRequest) => Promise<T>): Promise<T> {
    const { mirror, mirrorLogin } = this.#inputs;
    const isOnMirror = this.isOnMirror(url);
    const login = isOnMirror && mirrorLogin !== undefined && basicAuthorization(mirrorLogin);
    try {
      return await ask({ url, ...(login && { authorization: login }) });
    } catch (thrown) {
      const problem = thrown instanceof KnestError ? thrown : runnerProblem(thrown);
      if (problem !== undefined) throw problem;
      const place = { isOnGithub: isAt(GITHUB, url), isOnMirror, hasMirror: mirror !== undefined, whenMissing };
      throw new KnestError({
        code: 'KNEST_DOWNLOAD',
        problem: `${shownAddress(url)} cannot be downloaded: ${describeWebProblem(thrown)}`,
        next: adviceOnDownload(thrown, place),
        cause: thrown,
      });
    }
  }
}

function isAt(root: string, url: string): boolean {
  return url.startsWith(`${root}/`);
}
