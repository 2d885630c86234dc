import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, delimiter, dirname, join, resolve } from 'node:path';
import { parse, stringify } from 'yaml';
import { tool } from '../../host/binaries.ts';
import type { Host } from '../../host/host.ts';
import { CommandError, run } from '../../host/process.ts';
import { lineReport } from '../../host/report.ts';
import { noteShown } from '../../support/evidence.ts';
import type { DockerDaemon } from '../docker.ts';
import { hostInputs } from '../support.ts';

const root = resolve(import.meta.dirname, '../../..');
/** The repository that the workflows are in, and its id, which act does not know by itself. */
export const repository = { name: 'octo-org/octo-repo', id: '1296269' };
/** Where on the host the clusters of the workflows are. */
export const namespace = 'workflows';

/** What starts a workflow. */
export interface Trigger {
  /** The event's name. */
  readonly event: string;
  /** Its payload, as far as the workflow reads it. */
  readonly payload?: object;
  /** Options of act. */
  readonly options?: readonly string[];
}

/** What the jobs find that the workflows do not set. */
interface Setting {
  /** These replace the defaults of action.yml. */
  readonly defaults?: Readonly<Record<string, string>>;
  /** The network of the jobs, if it is not that of the host. */
  readonly network?: Pick<Host, 'command'>;
  /** The docker daemon of the jobs. */
  readonly docker?: DockerDaemon;
}

/** How a run of a workflow ended, and all that act wrote. */
export interface WorkflowRun {
  readonly code: number | null;
  readonly log: string;
}

/** A pull request of the repository, or from a fork, as events describe it. */
export function pullRequest(number: number, from = repository.name, sha = '0'.repeat(40)): object {
  const head = { ref: 'topic', sha, repo: { full_name: from } };
  return { number, pull_request: { number, head, base: { ref: 'main', sha } } };
}

/** Runs workflows by act as GitHub runs them: without Docker, in the network of a test host. */
export class Act {
  readonly #host: Host;
  readonly #program: string;
  readonly #setting: Setting;
  /** Below it: the action with a test host's defaults, act's files, and a repository for each run. */
  readonly #directory = mkdtempSync(join(tmpdir(), 'knest-workflow-'));

  private constructor(host: Host, program: string, setting: Setting) {
    this.#host = host;
    this.#program = program;
    this.#setting = setting;
    mkdirSync(join(this.#directory, 'home'));
    this.#copyAction({ namespace, ...hostInputs(host), ...setting.defaults });
  }

  /** Prepares act for runs of workflows, which stay as they are. */
  static async prepare(host: Host, setting: Setting = {}): Promise<Act> {
    return new Act(host, await tool('act', lineReport()), setting);
  }

  /** The action as a workflow finds it, but for what a test host needs to be otherwise, which becomes the default. */
  #copyAction(defaults: Readonly<Record<string, string>>): void {
    const file = parse(readFileSync(join(root, 'action.yml'), 'utf8')) as {
      inputs: Record<string, { default?: string }>;
    };
    for (const [name, value] of Object.entries(defaults)) file.inputs[name] = { ...file.inputs[name], default: value };
    const copy = join(this.#directory, 'action');
    mkdirSync(copy);
    writeFileSync(join(copy, 'action.yml'), stringify(file));
    cpSync(join(root, 'dist'), join(copy, 'dist'), { recursive: true });
  }

  /**
   * Runs the only one of the workflows that the trigger starts, in a repository that has those files of workflows/, as
   * they are, and `files` besides: their paths and texts, all executable. What it logs is noted as shown.
   */
  async run(
    templates: readonly string[],
    { event, payload = {}, options = [] }: Trigger,
    files: Readonly<Record<string, string | Buffer>> = {},
  ): Promise<WorkflowRun> {
    const copies = templates.map((name) => [
      `.github/workflows/${name}`,
      readFileSync(join(root, 'workflows', name), 'utf8'),
    ]);
    const env = this.#environment();
    const path = await this.#makeRepository({ ...Object.fromEntries(copies), ...files } as typeof files, env);
    const eventPath = join(path, '.git', 'event.json');
    writeFileSync(eventPath, JSON.stringify(payload));
    const { network = this.#host, docker } = this.#setting;
    const { command, args } = network.command([
      ...[this.#program, event, '--directory', path, '--eventpath', eventPath],
      ...['--platform', 'ubuntu-latest=-self-hosted', '--no-cache-server'],
      ...['--env', `GITHUB_REPOSITORY_ID=${repository.id}`],
      ...(docker === undefined ? [] : ['--env', `DOCKER_HOST=${docker.host}`]),
      // The checkout needs no network: act has copied the repository already.
      ...['--local-repository', `knest/knest-action@v1=${join(this.#directory, 'action')}`],
      // Its value is in the environment, where other users of the machine do not see it.
      ...['--secret', 'KNEST_HOST_KUBECONFIG', ...options],
    ]);
    const ended = await run(command, args, { env, timeout: 10 * 60_000 }).then(
      (log) => ({ code: 0, log }),
      (thrown: unknown) => {
        if (!(thrown instanceof CommandError)) throw thrown;
        return { code: thrown.code, log: thrown.output };
      },
    );
    noteShown(basename(path), { log: ended.log });
    return ended;
  }

  /** Removes what the runs left. */
  clean(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }

  /** What of this process's environment act passes on to the steps, with an empty home; kubectl comes from the host. */
  #environment(): NodeJS.ProcessEnv {
    const { environment, kubeconfig } = this.#host;
    return {
      ...environment,
      KUBECONFIG: undefined,
      PATH: [dirname(process.execPath), environment['PATH'] ?? ''].join(delimiter),
      HOME: join(this.#directory, 'home'),
      XDG_CACHE_HOME: join(this.#directory, 'cache'),
      KNEST_HOST_KUBECONFIG: readFileSync(kubeconfig, 'utf8'),
    };
  }

  async #makeRepository(files: Readonly<Record<string, string | Buffer>>, env: NodeJS.ProcessEnv): Promise<string> {
    const path = mkdtempSync(join(this.#directory, `${basename(repository.name)}-`));
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(path, name)), { recursive: true });
      writeFileSync(join(path, name), text, { mode: 0o755 });
    }
    const git = (...args: string[]): Promise<string> => run('git', ['-C', path, ...args], { env });
    await git('init', '--quiet', '--initial-branch=main');
    await git('remote', 'add', 'origin', `https://github.com/${repository.name}`);
    await git('add', '.');
    await git('-c', 'user.name=test', '-c', 'user.email=test@example.com', 'commit', '--quiet', '--message=test');
    return path;
  }
}
