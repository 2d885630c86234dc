import { mapConcurrently } from '../values/concurrency.ts';
import { describeWebProblem, type Web } from '../web.ts';
import type { Job } from './job.ts';

/** How to ask the GitHub API. */
export interface GithubApi {
  /** Without a slash at its end; a GitHub Enterprise Server's is its own. */
  readonly url: string;
  /** Undefined: without a token, which is enough for public repositories. */
  readonly token: string | undefined;
}

/** GitHub's answer about pull requests. */
export interface PullRequestStates {
  /** The numbers of those that are closed, merged ones among them. */
  readonly closed: ReadonlySet<string>;
  /** Why others could not be asked, a line each. */
  readonly problems: readonly string[];
}

/** How many requests run at once: GitHub asks for few. */
const CONCURRENCY = 4;
/** Milliseconds for one pull request. */
const PATIENCE = 15_000;

/**
 * Asks which pull requests of the job's repository are closed, a request each; read only. An answer that does not come,
 * or is about another repository than the job's, counts as "not closed". Rejects when the signal of `web` aborts.
 */
export async function askPullRequests(
  web: Web,
  { url, token }: GithubApi,
  { repository, repositoryId }: Job,
  numbers: readonly string[],
): Promise<PullRequestStates> {
  const answers = await mapConcurrently(numbers, CONCURRENCY, async (number) => {
    try {
      const asked = `${url}/repos/${repository}/pulls/${encodeURIComponent(number)}`;
      return { number, isClosed: await ask(web.within(PATIENCE), asked, token, repositoryId), problem: undefined };
    } catch (thrown) {
      web.signal.throwIfAborted();
      return { number, isClosed: false, problem: `pull request ${number}: ${describeWebProblem(thrown)}` };
    }
  });
  return {
    closed: new Set(answers.filter(({ isClosed }) => isClosed).map(({ number }) => number)),
    problems: answers.flatMap(({ problem }) => problem ?? []),
  };
}

/** Source: docs.github.com, REST API, "Get a pull request". */
interface PullRequest {
  readonly state?: string;
  readonly base?: { readonly repo?: { readonly id?: number } };
}

async function ask(web: Web, url: string, token: string | undefined, repositoryId: string): Promise<boolean> {
  const authorization = token === undefined ? undefined : `Bearer ${token}`;
  const answer = await web.text({ url, accept: 'application/vnd.github+json', authorization });
  const { state, base } = pullRequestIn(answer);
  // The name of a repository may be set wrong where no runner sets it, or be another one's by now; its id is not.
  if (String(base?.repo?.id) !== repositoryId) throw new Error(`it does not belong to repository ${repositoryId}`);
  return state === 'closed';
}

function pullRequestIn(answer: string): PullRequest {
  try {
    return JSON.parse(answer) as PullRequest;
  } catch {
    throw new Error('the answer is not JSON'); // the parser's error would quote it
  }
}
