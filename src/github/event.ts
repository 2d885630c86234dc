import { readFileSync } from 'node:fs';

/** A pull request, as far as events say which one it is. */
interface Numbered {
  readonly number?: unknown;
}

/** The events that are about a pull request. Source: docs.github.com, "Webhook events and payloads". */
interface Event {
  /** pull_request, pull_request_target, pull_request_review, pull_request_review_comment. */
  readonly pull_request?: Numbered | null;
  /** issues, issue_comment: a pull request is an issue that has `pull_request`. */
  readonly issue?: (Numbered & { readonly pull_request?: unknown }) | null;
  /** workflow_run: none for a run of a fork. */
  readonly workflow_run?: {
    readonly event?: unknown;
    readonly pull_requests?: readonly (Numbered & { readonly base?: { readonly repo?: Identified } })[] | null;
  } | null;
  readonly repository?: Identified;
}

interface Identified {
  readonly id?: unknown;
}

/**
 * The number of the pull request that a run is for; undefined for any other run, and where the event does not say. It
 * is that of the ref, else that of the event itself: GITHUB_REF is the base under pull_request_target, and the default
 * branch for a comment and for a workflow_run.
 */
export function pullRequestOf(env: NodeJS.ProcessEnv): string | undefined {
  const fromRef = /^refs\/pull\/(\d+)\//.exec(env['GITHUB_REF'] ?? '')?.[1];
  return fromRef ?? numberIn(readEvent(env['GITHUB_EVENT_PATH'] ?? ''));
}

/** The event of the run; an empty one where it cannot be read: the number only has a cluster deleted earlier. */
function readEvent(file: string): Event {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as Event | null) ?? {};
  } catch {
    return {};
  }
}

function numberIn({ pull_request: pullRequest, issue, workflow_run: run, repository }: Event): string | undefined {
  const own = numberOf(pullRequest) ?? (isThere(issue?.pull_request) ? numberOf(issue) : undefined);
  if (own !== undefined) return own;
  // A push to a branch is not for the pull requests that happen to be open for the branch.
  if (typeof run?.event !== 'string' || !run.event.startsWith('pull_request')) return undefined;
  const ofThis = (run.pull_requests ?? []).filter(({ base }) => base?.repo?.id === repository?.id);
  // With several, it is unknown which one it was.
  return ofThis.length === 1 ? numberOf(ofThis[0]) : undefined;
}

function numberOf(numbered: Numbered | null | undefined): string | undefined {
  const number = numbered?.number;
  return Number.isSafeInteger(number) ? String(number) : undefined;
}

function isThere(value: unknown): boolean {
  return value !== undefined && value !== null;
}
