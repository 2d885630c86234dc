import type { DownloadInputs } from '../../src/inputs.ts';
import type { DownloadWorld } from '../../src/install/download.ts';

/** Downloads from GitHub itself, as the action's defaults have it. */
export const fromGithub: DownloadInputs = {
  mirror: undefined,
  mirrorLogin: undefined,
  checksumPolicy: 'require',
  checksumsFile: undefined,
  githubToken: undefined,
};

/** What a downloader needs, with its files in `directory`. */
export function downloadWorld(directory: string, warn: (text: string) => void = () => undefined): DownloadWorld {
  return { env: {}, directory, signal: new AbortController().signal, warn };
}
