import type { DownloadInputs } from '../../src/inputs.ts';
import type { DownloadRuntime } from '../../src/install/download.ts';

/** Downloads from GitHub itself, as the action's defaults have it. */
export const fromGithub: DownloadInputs = {
  mirror: undefined,
  mirrorLogin: undefined,
  checksumPolicy: 'require',
  checksumsFile: undefined,
  githubToken: undefined,
};

/** What a downloader needs, with its files in `directory`. */
export function downloadRuntime(directory: string, warn: (text: string) => void = () => undefined): DownloadRuntime {
  return { env: {}, directory, signal: new AbortController().signal, warn };
}
