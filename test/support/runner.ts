import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { parse } from 'yaml';
import type { JobStatus } from '../../src/inputs.ts';
import { noteSecrets, noteShown } from './evidence.ts';
import { Masker } from './masker.ts';
import { secretsOfText } from './secrets.ts';

const root = resolve(import.meta.dirname, '../..');
const dist = join(root, 'dist');

interface ActionFile {
  readonly inputs: Readonly<Record<string, { readonly default?: string | number | boolean }>>;
}

type Step = 'main' | 'post';

/** What the runner sets for a step besides its inputs. */
export interface StepOptions {
  readonly inputs: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Wraps the command, for example to run it in a host's network. */
  readonly wrap?: (argv: readonly string[]) => { readonly command: string; readonly args: readonly string[] };
  /** Hears every line of the log as it comes. */
  readonly onLine?: (line: string) => void;
}

/** What one run of main or post left. */
export interface StepResult {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Everything it wrote to its log, as the runner receives it: workflow commands too. */
  readonly log: string;
  /** The log without the commands that ask for masks, which the runner never shows: no secret may be in it. */
  readonly shown: string;
  readonly outputs: Readonly<Record<string, string>>;
  readonly state: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  readonly summary: string;
  /** Values it asked to be masked. */
  readonly masks: readonly string[];
  readonly seconds: number;
}

/**
 * Runs the bundle as GitHub's runner does: inputs as INPUT_*, with action.yml's defaults, files for outputs, state,
 * environment and summary, and the same state for the post step of the same job.
 */
export class Job {
  readonly directory: string;
  readonly #options: StepOptions;
  #state: Readonly<Record<string, string>> = {};
  /** The runner's: a mask holds for the rest of the job. */
  readonly #masker = new Masker();
  #steps = 0;
  /** The step that runs now. */
  process: ChildProcess | undefined;

  constructor(options: StepOptions) {
    this.#options = options;
    this.directory = mkdtempSync(join(tmpdir(), 'knest-job-'));
    chmodSync(this.directory, 0o755);
    for (const name of ['temp', 'tools', 'home']) mkdirSync(join(this.directory, name));
  }

  /** Runs the action's main. `withoutFiles`: as a runner of old, which is told outputs and state by the log. */
  async main({ withoutFiles = false } = {}): Promise<StepResult> {
    const result = await this.#run('main', withoutFiles, this.#options.inputs);
    this.#state = result.state;
    return result;
  }

  /**
   * Runs its post step, with the state that main left and, as in nested composites, without its inputs, but for the
   * one that tells how the job went. `env`: variables that changed since main ran.
   */
  async post(jobStatus?: JobStatus, env: StepOptions['env'] = {}): Promise<StepResult> {
    return this.#run('post', false, jobStatus === undefined ? {} : { 'job-status': jobStatus }, env);
  }

  /** Where RUNNER_TEMP is. */
  get temp(): string {
    return join(this.directory, 'temp');
  }

  /** Removes the job's files. */
  clean(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  async #run(
    step: Step,
    withoutFiles: boolean,
    inputs: StepOptions['inputs'],
    changed: StepOptions['env'] = {},
  ): Promise<StepResult> {
    const files = ['GITHUB_OUTPUT', 'GITHUB_STATE', 'GITHUB_ENV', 'GITHUB_PATH', 'GITHUB_STEP_SUMMARY'];
    const paths = Object.fromEntries(files.map((name) => [name, join(this.directory, `${step}-${name}`)]));
    for (const path of Object.values(paths)) writeFileSync(path, '');
    const { wrap, onLine = () => undefined } = this.#options;
    const argv = [process.execPath, join(dist, step === 'main' ? 'index.js' : 'post.js')];
    const { command, args } = wrap?.(argv) ?? { command: argv[0] ?? '', args: argv.slice(1) };
    const started = performance.now();
    const env = { ...this.#environment(step, inputs, withoutFiles ? {} : paths), ...changed };
    const child = spawn(command, args, { env, cwd: this.directory });
    this.process = child;
    let log = '';
    let rest = '';
    const take = (text: string): void => {
      log += text;
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      lines.forEach(onLine);
    };
    child.stdout.setEncoding('utf8').on('data', take);
    child.stderr.setEncoding('utf8').on('data', take);
    const [exitCode, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((settle, reject) =>
      child.on('error', reject).on('close', (code, name) => settle([code, name])),
    );
    const read = (name: string): string => readFileSync(paths[name] ?? '', 'utf8');
    const result = {
      exitCode,
      signal,
      log,
      shown: log.replace(/^::add-mask::.*$/gm, ''),
      outputs: keyValues(read('GITHUB_OUTPUT')),
      state: keyValues(read('GITHUB_STATE')),
      env: keyValues(read('GITHUB_ENV')),
      summary: read('GITHUB_STEP_SUMMARY'),
      masks: [...log.matchAll(/^::add-mask::(.*)$/gm)].map(([, value = '']) => value),
      seconds: (performance.now() - started) / 1000,
    };
    this.#note(step, inputs, result);
    return result;
  }

  /** Leaves what the step showed, and what it must not show, to the test at the end of all. */
  #note(step: Step, inputs: StepOptions['inputs'], { log, outputs, state, env, summary }: StepResult): void {
    const { kubeconfig = '', ...shown } = outputs;
    const file = inputs['host-kubeconfig-file'] ?? '';
    const secret = [inputs['host-kubeconfig'] ?? '', existsSync(file) ? readFileSync(file, 'utf8') : '', kubeconfig];
    noteSecrets(secret.flatMap(secretsOfText));
    const diagnostics = globSync('knest/diagnostics/**/*.*', { cwd: this.temp }).map(
      (path) => [path, readFileSync(join(this.temp, path), 'utf8')] as const,
    );
    noteShown(`${basename(this.directory)} ${this.#steps++} ${step}`, {
      ...Object.fromEntries(diagnostics),
      log: this.#masker.shown(log),
      outputs: JSON.stringify(shown),
      state: JSON.stringify(state),
      env: JSON.stringify(env),
      summary,
    });
  }

  #environment(step: Step, given: StepOptions['inputs'], paths: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
    const own = Object.entries(process.env).filter(
      ([name]) =>
        !/^(INPUT_|STATE_|GITHUB_|RUNNER_|ACTIONS_)/.test(name) && !/^(KUBECONFIG|(https?|all)_proxy)$/i.test(name),
    );
    const inputs = step === 'main' ? { ...defaults(), ...given } : given;
    return {
      ...Object.fromEntries(own),
      HOME: join(this.directory, 'home'),
      RUNNER_TEMP: this.temp,
      RUNNER_TOOL_CACHE: join(this.directory, 'tools'),
      GITHUB_ACTIONS: 'true',
      GITHUB_REPOSITORY: 'octo-org/octo-repo',
      GITHUB_REPOSITORY_ID: '1296269',
      GITHUB_RUN_ID: '1658821493',
      GITHUB_RUN_ATTEMPT: '1',
      GITHUB_JOB: 'test',
      GITHUB_SERVER_URL: 'https://github.com',
      ...paths,
      ...this.#options.env,
      ...prefixed('INPUT_', inputs, (name) => name.toUpperCase()),
      ...prefixed('STATE_', step === 'post' ? this.#state : {}, (name) => name),
    };
  }
}

function prefixed(
  prefix: string,
  values: Readonly<Record<string, string>>,
  spell: (name: string) => string,
): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [prefix + spell(name), value]));
}

/** The inputs' defaults in action.yml; expressions, which only GitHub fills in, are blank. */
function defaults(): Record<string, string> {
  const { inputs } = parse(readFileSync(join(root, 'action.yml'), 'utf8')) as ActionFile;
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { default: value = '' }]) => [
      name,
      String(value).includes('${{') ? '' : String(value),
    ]),
  );
}

/** Reads the runner's file format: `name<<DELIMITER`, lines, `DELIMITER`. */
function keyValues(text: string): Record<string, string> {
  const values: Record<string, string> = {};
  for (const [, name = '', , value = ''] of text.matchAll(/^([^\n=]+?)<<(\S+)\n([\s\S]*?)\n\2$/gm))
    values[name] = value;
  return values;
}
