import { KnestError } from '../errors.ts';

/** The runners that the action runs on, in Node's words. */
const PLATFORMS: readonly string[] = ['linux', 'darwin'];
const ARCHITECTURES: readonly string[] = ['x64', 'arm64'];

/** Node's words that people do not use. */
const NAMES: Readonly<Record<string, string>> = { win32: 'Windows' };

/**
 * Checks that the action can run here, before it reads anything: it runs clusterctl, which is released for these
 * systems, and depends on file modes and signals that Windows does not have. Throws KNEST_RUNNER.
 */
export function checkPlatform(platform: string, architecture: string): void {
  if (PLATFORMS.includes(platform) && ARCHITECTURES.includes(architecture)) return;
  throw new KnestError({
    code: 'KNEST_RUNNER',
    problem: `this action does not run on ${NAMES[platform] ?? platform} (${architecture}), only on Linux and macOS, x64 and arm64`,
    next: 'run the job on another runner, for example runs-on: ubuntu-latest',
  });
}
