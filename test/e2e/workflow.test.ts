import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { tool } from '../host/binaries.ts';
import type { Host } from '../host/host.ts';
import { CommandError, run } from '../host/process.ts';
import { lineReport } from '../host/report.ts';
import { hostInputs, kubernetesVersion, leftovers, sharedHost } from './support.ts';

const root = resolve(import.meta.dirname, '../..');
const repository = 'octo-org/octo-repo';
/** As the action names it: after the run and its attempt, which act does not count, the job, and the step's id. */
const cluster = 'knest-1-1-test-cluster';
const failingStep = `
      - name: Fail
        run: exit 1
`;

let host: Host;
let act: string;
/** Below it: the action with a test host's defaults, act's files, and a repository for each run. */
let directory: string;

beforeAll(async () => {
  host = sharedHost();
  act = await tool('act', lineReport());
  directory = mkdtempSync(join(tmpdir(), 'knest-workflow-'));
  mkdirSync(join(directory, 'home'));
  copyAction(join(directory, 'action'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** The action as a workflow finds it, but for what a test host needs to be otherwise, which becomes the default. */
function copyAction(copy: string): void {
  const file = parse(readFileSync(join(root, 'action.yml'), 'utf8')) as {
    inputs: Record<string, { default?: string }>;
  };
  const own = { mirror: host.mirror, ...hostInputs };
  for (const [name, value] of Object.entries(own)) file.inputs[name] = { ...file.inputs[name], default: value };
  mkdirSync(copy);
  writeFileSync(join(copy, 'action.yml'), stringify(file));
  cpSync(join(root, 'dist'), join(copy, 'dist'), { recursive: true });
}

interface Workflow {
  /** The repository that the pull request comes from. */
  readonly from?: string;
  /** YAML behind the last step. */
  readonly more?: string;
  /** Options of act. */
  readonly options?: readonly string[];
}

/** What of this process's environment act passes on to the steps, with an empty home; kubectl comes from the host. */
function actEnvironment(): NodeJS.ProcessEnv {
  const { environment } = host;
  return {
    ...environment,
    KUBECONFIG: undefined,
    PATH: [dirname(process.execPath), environment['PATH'] ?? ''].join(delimiter),
    HOME: join(directory, 'home'),
    XDG_CACHE_HOME: join(directory, 'cache'),
    KNEST_HOST_KUBECONFIG: readFileSync(host.kubeconfig, 'utf8'),
  };
}

/** A repository with the workflow in it. Returns where it is. */
async function makeRepository({ more = '' }: Workflow, env: NodeJS.ProcessEnv): Promise<string> {
  const path = mkdtempSync(join(directory, 'repository-'));
  const workflows = join(path, '.github/workflows');
  mkdirSync(workflows, { recursive: true });
  writeFileSync(
    join(workflows, 'pull-request.yml'),
    readFileSync(join(root, 'workflows/pull-request.yml'), 'utf8') + more,
  );
  const git = (...args: string[]): Promise<string> => run('git', ['-C', path, ...args], { env });
  await git('init', '--quiet', '--initial-branch=main');
  await git('remote', 'add', 'origin', `https://github.com/${repository}`);
  await git('add', '.');
  await git('-c', 'user.name=test', '-c', 'user.email=test@example.com', 'commit', '--quiet', '--message=test');
  return path;
}

/** Runs the workflow for a pull request, without Docker, in the host's network. */
async function runWorkflow(workflow: Workflow): Promise<{ code: number | null; log: string }> {
  const env = actEnvironment();
  const path = await makeRepository(workflow, env);
  const event = join(path, '.git', 'event.json');
  const head = { ref: 'topic', repo: { full_name: workflow.from ?? repository } };
  writeFileSync(event, JSON.stringify({ pull_request: { number: 7, head, base: { ref: 'main' } } }));
  const { command, args } = host.command([
    ...[act, 'pull_request', '--directory', path, '--eventpath', event],
    ...['--platform', 'ubuntu-latest=-self-hosted', '--no-cache-server'],
    // The checkout needs no network: act has copied the repository already.
    ...['--local-repository', `knest/knest-action@v1=${join(directory, 'action')}`],
    // Its value is in the environment, where other users of the machine do not see it.
    ...['--secret', 'KNEST_HOST_KUBECONFIG', ...(workflow.options ?? [])],
  ]);
  try {
    return { code: 0, log: await run(command, args, { env, timeout: 5 * 60_000 }) };
  } catch (thrown) {
    if (!(thrown instanceof CommandError)) throw thrown;
    return { code: thrown.code, log: thrown.output };
  }
}

/** What must not be in any log: the host's private key, as it is in the kubeconfig and as the PEM that it stands for. */
function secretLeaves(): string[] {
  const { users } = parse(readFileSync(host.kubeconfig, 'utf8')) as {
    users: { user: { 'client-key-data': string } }[];
  };
  return users.flatMap(({ user: { 'client-key-data': key } }) => {
    const lines = Buffer.from(key, 'base64').toString().split('\n');
    return [key, ...lines.filter((line) => line !== '' && !line.startsWith('-----'))];
  });
}

function expectNoSecrets(log: string): void {
  const leaves = secretLeaves();
  expect(leaves.length).toBeGreaterThan(3);
  for (const leaf of leaves) expect(log.includes(leaf), 'a secret of the host is in the log').toBe(false);
}

describe('workflows/pull-request.yml', { timeout: 6 * 60_000 }, () => {
  it('has a cluster for its steps, which is gone after the job', async ({ skip }) => {
    skip(!host.hasVirtink, 'the modules of Virtink are not to be had');
    const { code, log } = await runWorkflow({});
    expect(code, log).toBe(0);
    expect(log).toContain('Job succeeded');
    // What kubectl printed, in the steps of the workflow: a node of this cluster, then the object that they made.
    expect(log).toMatch(new RegExp(`\\| ${cluster}-\\S+ +\\w+ +control-plane +\\S+ +v${kubernetesVersion}\\n`));
    expect(log).toMatch(/\| configmap\/hello created\n/);
    expect(log).toMatch(/\| hello +1 +\d+s\n/);
    expect(log).toContain(`nothing of ${cluster} is left`);
    expectNoSecrets(log);
    expect(await leftovers(host, 'knest', cluster)).toEqual([]);
  });

  it('deletes the cluster of a job that fails, too', async ({ skip }) => {
    skip(!host.hasVirtink, 'the modules of Virtink are not to be had');
    const { code, log } = await runWorkflow({ more: failingStep });
    expect(code, log).not.toBe(0);
    expect(log).toMatch(/Failure - Main Fail/);
    expect(log).toMatch(/\| configmap\/hello created\n/);
    expect(log).toMatch(/Success - Post .*knest-action@v1/);
    expectNoSecrets(log);
    expect(await leftovers(host, 'knest', cluster)).toEqual([]);
  });

  it('skips pull requests from forks, which have no secrets', async () => {
    const { code, log } = await runWorkflow({ from: 'octo-fork/octo-repo', options: ['--verbose'] });
    expect(code, log).toBe(0);
    expect(log).toContain("Skipping job 'test' due to 'github.event.pull_request.head.repo.full_name");
    expect(log).not.toContain('⭐ Run');
  });
});
