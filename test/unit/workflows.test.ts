import { globSync, readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readAction } from '../../scripts/docs.ts';

const root = resolve(import.meta.dirname, '../..');

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, string>>;
}

interface WorkflowJob {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly 'timeout-minutes'?: number;
  readonly if?: string;
  /** Undefined for a job that calls a workflow. */
  readonly steps?: readonly Step[];
  readonly uses?: string;
}

interface Workflow {
  readonly name: string;
  readonly on: Readonly<Record<string, { readonly types?: readonly string[] } | null>>;
  readonly permissions: Readonly<Record<string, string>>;
  readonly concurrency?: { readonly group: string; readonly 'cancel-in-progress': boolean | string };
  readonly jobs: Readonly<Record<string, WorkflowJob>>;
}

const inputs = Object.keys(readAction().inputs);
const text = (file: string): string => readFileSync(resolve(root, file), 'utf8');
const templates = globSync('workflows/*.yml', { cwd: root }).sort();
const own = globSync('.github/workflows/*.yml', { cwd: root }).sort();
const stepsOf = ({ steps = [] }: WorkflowJob): readonly Step[] => steps;
const isThisAction = ({ uses = '' }: Step): boolean => uses === './' || uses.startsWith('knest/knest-action@');

describe.each([...templates, ...own])('%s', (file) => {
  const workflow = parse(text(file)) as Workflow;
  const jobs = Object.values(workflow.jobs);
  const steps = jobs.flatMap(stepsOf);

  it('sets permissions for each job that needs some, and none for others', () => {
    expect(workflow.permissions).toEqual({});
    for (const job of jobs) {
      const { permissions } = job;
      const checksOut = stepsOf(job).some(({ uses = '' }) => uses.startsWith('actions/checkout@'));
      if (checksOut) expect(permissions?.['contents']).toBeDefined();
      // A comment explains each of them.
      for (const name of Object.keys(permissions ?? {}))
        expect(text(file)).toMatch(new RegExp(`^ +${name}: \\w+ # `, 'm'));
    }
  });

  it('has a timeout for each job, and does not cancel itself', () => {
    // GitHub allows none for a job that calls a workflow: the jobs of that workflow have theirs.
    for (const job of jobs) expect((job['timeout-minutes'] ?? 0) > 0).toBe(job.uses === undefined);
    // A called workflow leaves concurrency to its caller: the same group in both would cancel the caller.
    expect(workflow.concurrency === undefined).toBe('workflow_call' in workflow.on);
  });

  it('has no expression in a shell script', () => {
    expect(steps.filter(({ run }) => run?.includes('${{'))).toEqual([]);
  });

  it('pins actions to a commit, and names its version', () => {
    const used = [...text(file).matchAll(/^ *(?:- )?uses: (.*)$/gm)].map(([, what = '']) => what);
    const pinned = /^[\w-]+\/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/;
    const offered = templates.includes(file) ? ['knest/knest-action@v1'] : ['./', ...own.map((name) => `./${name}`)];
    expect(used).toHaveLength([...jobs, ...steps].filter(({ uses }) => uses !== undefined).length);
    expect(used.filter((what) => !offered.includes(what) && !pinned.test(what))).toEqual([]);
  });

  it('keeps no token in the checkout', () => {
    const checkouts = steps.filter(({ uses = '' }) => uses.startsWith('actions/checkout@'));
    for (const step of checkouts) expect(step.with).toMatchObject({ 'persist-credentials': false });
  });

  it('uses inputs that exist', () => {
    const given = steps.filter(isThisAction).flatMap((step) => Object.keys(step.with ?? {}));
    expect(given.filter((name) => !inputs.includes(name))).toEqual([]);
  });
});

describe.each(templates)('%s, a template', (file) => {
  const workflow = parse(text(file)) as Workflow;
  const jobs = Object.values(workflow.jobs);

  it('has the properties that GitHub shows', () => {
    const properties = JSON.parse(text(file.replace(/\.yml$/, '.properties.json'))) as Record<string, unknown>;
    expect(properties).toMatchObject({
      name: expect.stringMatching(/^\S.*\S$/) as string,
      description: expect.stringMatching(/^\S.*\.$/) as string,
      iconName: expect.stringMatching(/^octicon [a-z-]+$/) as string,
    });
    const { categories } = properties as { categories: string[] };
    const known = ['Automation', 'Continuous integration', 'Deployment'];
    expect(categories.length).toBeGreaterThan(0);
    expect(categories.filter((category) => !known.includes(category))).toEqual([]);
  });

  it('uses the action', () => {
    expect(jobs.flatMap(stepsOf).some(isThisAction)).toBe(true);
  });

  it('gives a fork only the reason why it has no cluster', () => {
    const events = ['pull_request', 'workflow_call'];
    const secret = jobs.filter((job) => stepsOf(job).some(isThisAction));
    const isForPullRequests = events.some((event) => event in workflow.on);
    for (const job of secret)
      expect(job.if?.includes('head.repo.full_name == github.repository') ?? false).toBe(isForPullRequests);
    expect('fork' in workflow.jobs).toBe(isForPullRequests);
  });

  it('runs no code of a pull request when pull_request_target provides secrets', () => {
    const isTarget = 'pull_request_target' in workflow.on;
    const reached = jobs.filter(({ if: condition = '' }) => condition.includes("event_name == 'pull_request_target'"));
    expect(reached).toHaveLength(isTarget ? 1 : 0);
    for (const job of reached) expect(stepsOf(job).every(isThisAction)).toBe(true);
    if (!isTarget) return;
    expect(workflow.on['pull_request_target']?.types).toEqual(['closed']);
    for (const job of jobs.filter((candidate) => !reached.includes(candidate))) {
      expect(job.if).toContain("event_name == 'pull_request'");
    }
  });
});

describe('docs/oidc/authentication.yaml', () => {
  interface Configuration {
    readonly jwt: readonly [{ readonly claimValidationRules: readonly { readonly expression: string }[] }];
  }
  const [{ claimValidationRules }] = (parse(text('docs/oidc/authentication.yaml')) as Configuration).jwt;
  /** Whether a job is admitted. The CEL in these rules means the same in JavaScript. */
  const letsIn = (eventName: string, workflow: string, repository = 'octocat/hello'): boolean => {
    const claims = {
      repository,
      repository_owner_id: '583231',
      event_name: eventName,
      job_workflow_ref: `octocat/hello/.github/workflows/${workflow}@refs/heads/main`,
    };
    return claimValidationRules.every(({ expression }) => runInNewContext(expression, { claims }) === true);
  };

  it.each(templates)('admits the jobs of %s for each of its events', (file) => {
    const { on } = parse(text(file)) as Workflow;
    for (const event of Object.keys(on)) expect(letsIn(event, basename(file)), event).toBe(true);
  });

  it.each(['other.yml', 'not-pull-request-environment.yml', 'pull-request-environment.yml.yml'])(
    'admits pull_request_target for no other workflow: %s',
    (workflow) => {
      expect(letsIn('pull_request_target', workflow)).toBe(false);
      expect(letsIn('push', workflow)).toBe(true);
    },
  );

  it('refuses a workflow of the same name from another repository', () => {
    expect(letsIn('pull_request_target', 'pull-request-environment.yml', 'octocat/other')).toBe(false);
  });
});

it('no two workflows share a concurrency group, in which one would cancel queued runs of the other', () => {
  const groups = [...templates, ...own].flatMap((file) => (parse(text(file)) as Workflow).concurrency?.group ?? []);
  const prefixes = groups.map((group) => group.replace(/\$\{\{.*/, ''));
  expect(groups.length).toBeGreaterThan(5);
  expect(new Set(prefixes).size).toBe(groups.length);
});

it('docs/recipes/workflows.md names every template', () => {
  const links = [...text('docs/recipes/workflows.md').matchAll(/\]\(\.\.\/\.\.\/(workflows\/[^)]+)\)/g)].map(
    ([, file]) => file,
  );
  expect([...new Set(links)].sort()).toEqual(templates);
});

it('each template has a file with properties', () => {
  const stems = (pattern: string): string[] =>
    globSync(`workflows/*${pattern}`, { cwd: root })
      .map((file) => basename(file, pattern))
      .sort();
  expect(templates.length).toBeGreaterThanOrEqual(5);
  expect(stems('.properties.json')).toEqual(stems('.yml'));
});
