import { EnvHttpProxyAgent, fetch, type Dispatcher } from 'undici';
import { messageOf } from '../errors.ts';
import { causeOf } from '../host/rest.ts';
import { mapConcurrently } from '../values/concurrency.ts';
import type { Job } from '../world.ts';

/** How to ask the GitHub API. */
export interface GithubApi {
  /** Without a slash at its end; a GitHub Enterprise Server's is its own. */
  readonly url: string;
  /** Undefined: asked as nobody, which public repositories answer. */
  readonly token: string | undefined;
}

/** What GitHub said about pull requests. */
export interface PullRequestStates {
  /** The numbers of those that are closed, merged ones among them. */
  readonly closed: ReadonlySet<string>;
  /** Why others could not be asked, a line each. */
  readonly problems: readonly string[];
}

/** How many requests are under way at once: GitHub asks for few. */
const CONCURRENCY = 4;
/** Milliseconds until a request is given up. */
const PATIENCE = 10_000;

/**
 * Asks which pull requests of the job's repository are closed, a request each; read only. An answer that does not come,
 * or is about another repository than the job's, counts as "not closed". Rejects when the signal aborts.
 */
export async function askPullRequests(
  { url, token }: GithubApi,
  { repository, repositoryId }: Job,
  numbers: readonly string[],
  signal: AbortSignal,
): Promise<PullRequestStates> {
  const dispatcher = new EnvHttpProxyAgent();
  try {
    const answers = await mapConcurrently(numbers, CONCURRENCY, async (number) => {
      try {
        const asked = `${url}/repos/${repository}/pulls/${encodeURIComponent(number)}`;
        const isClosed = await ask(asked, token, repositoryId, dispatcher, signal);
        return { number, isClosed, problem: undefined };
      } catch (thrown) {
        signal.throwIfAborted();
        return { number, isClosed: false, problem: `pull request ${number}: ${messageOf(causeOf(thrown))}` };
      }
    });
    return {
      closed: new Set(answers.filter(({ isClosed }) => isClosed).map(({ number }) => number)),
      problems: answers.flatMap(({ problem }) => problem ?? []),
    };
  } finally {
    await dispatcher.destroy();
  }
}

/** Source: docs.github.com, REST API, "Get a pull request". */
interface PullRequest {
  readonly state?: string;
  readonly base?: { readonly repo?: { readonly id?: number } };
}

async function ask(
  url: string,
  token: string | undefined,
  repositoryId: string,
  dispatcher: Dispatcher,
  signal: AbortSignal,
): Promise<boolean> {
  const response = await fetch(url, {
    headers: {
      Accept: 'application/vnd.github+json',
      'User-Agent': 'knest-action',
      ...(token !== undefined && { Authorization: `Bearer ${token}` }),
    },
    dispatcher,
    signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)]),
  });
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`GitHub answered ${response.status} ${response.statusText}`.trim());
  }
  const { state, base } = (await response.json()) as PullRequest;
  // The name of a repository may be set wrong where no runner sets it, or be another one's by now; its id is not.
  if (String(base?.repo?.id) !== repositoryId) throw new Error(`it is of another repository than ${repositoryId}`);
  return state === 'closed';
}
