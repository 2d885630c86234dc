/** GitHub's own API. It has the digests of releases, which a GitHub Enterprise Server does not. */
export const GITHUB_API = 'https://api.github.com';
const GITHUB = 'https://github.com';

/** The API of the job's server, without a slash at its end. The runner names it; outside of a runner the server does. */
export function apiOf(env: NodeJS.ProcessEnv): string {
  const server = withoutSlash(env['GITHUB_SERVER_URL'] ?? GITHUB);
  return withoutSlash(env['GITHUB_API_URL'] ?? (server === GITHUB ? GITHUB_API : `${server}/api/v3`));
}

/** The token of the job for an API; undefined where it would go to another server than its own, or in plain text. */
export function tokenFor(api: string, token: string | undefined, env: NodeJS.ProcessEnv): string | undefined {
  return api === apiOf(env) && isPrivateWay(api) ? token : undefined;
}

/** Whether nobody in between can read what is sent: https, or this machine itself. */
export function isPrivateWay(url: string): boolean {
  const { protocol, hostname } = URL.parse(url) ?? { protocol: '', hostname: '' };
  return protocol === 'https:' || /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname);
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '');
}
