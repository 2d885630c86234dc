import { existsSync } from 'node:fs';

/**
 * Why the docker daemon of this job has another localhost than the job, with what works instead; undefined when nothing
 * says so. `docker push` is done by the daemon, and the tunnel listens on the localhost of the job.
 */
export function describeOtherDaemon(
  env: NodeJS.ProcessEnv,
  platform: string = process.platform,
  isContainer: boolean = existsSync('/.dockerenv') || existsSync('/run/.containerenv'),
): string | undefined {
  const { DOCKER_HOST: daemon = '' } = env;
  const reason =
    platform === 'darwin'
      ? 'on macOS, docker runs in a virtual machine'
      : isContainer
        ? 'this job runs in a container, its docker daemon does not'
        : /^(?:tcp|ssh|https?):/.test(daemon)
          ? 'DOCKER_HOST names another machine'
          : /\/run\/user\//.test(daemon)
            ? 'DOCKER_HOST names a rootless daemon, which has another network'
            : undefined;
  return reason === undefined
    ? undefined
    : `docker push may not reach the registry: ${reason}. Push with crane, skopeo or ko, see docs/recipes/registry.md`;
}
