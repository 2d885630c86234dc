import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { KnestError } from '../errors.ts';
import { basicEnvironment, childEnvironment } from '../runner/process.ts';
import type { Variables } from '../values/variables.ts';
import type { ProcessResult, RunProcess } from '../runner/process.ts';
import { type ReleaseAsset } from '../catalog/release-asset.ts';
import {
  assetsOf,
  qualifiedName,
  type Component,
  type ProviderComponent,
  type ProviderType,
} from '../catalog/components/component.ts';
import { clusterctlAsset } from '../catalog/components/required-components.ts';
import type { Downloader } from './download.ts';
import { CHOSEN_VARIABLES } from './rate-limits.ts';
import { describeDefaults, linesFor, missingIn } from './variables.ts';

const CONFIG_FILE = 'clusterctl.yaml';

/** The flags by which clusterctl takes providers of each type. */
const FLAGS: Readonly<Record<ProviderType, string>> = {
  CoreProvider: '--core',
  BootstrapProvider: '--bootstrap',
  ControlPlaneProvider: '--control-plane',
  InfrastructureProvider: '--infrastructure',
};

/** What clusterctl needs from outside. */
export interface ClusterctlRuntime {
  readonly run: RunProcess;
  readonly env: NodeJS.ProcessEnv;
  /** The private directory that the downloader writes to. */
  readonly directory: string;
  /** Values for the variables of providers' manifests, such as feature gates and credentials of a cloud. */
  readonly providerVariables: Variables;
  readonly warn: (text: string) => void;
}

/** Does something with a kubeconfig file of the host, which may not be there afterwards. */
export type WithKubeconfig = <T>(work: (file: string) => Promise<T>) => Promise<T>;

/** How `clusterctl init` runs. */
export interface InitOptions {
  readonly withKubeconfig: WithKubeconfig;
  /** Seconds that it waits for the providers. */
  readonly timeoutSeconds: number;
  /** Whether it compares the contracts of all providers of the host, for which it needs the metadata of each. */
  readonly validate: boolean;
  /** Ends it early. */
  readonly stop: AbortSignal;
}

/**
 * The clusterctl program, downloaded when it is first needed. It never asks anybody but the host: its repositories are
 * directories filled by the downloader, its configuration file is private, and its version check is off.
 */
export class Clusterctl {
  readonly #runtime: ClusterctlRuntime;
  readonly #downloader: Downloader;
  readonly #version: string;
  /** All that it may be asked for. */
  readonly components: readonly Component[];
  #prepared: Promise<string> | undefined;

  constructor(runtime: ClusterctlRuntime, downloader: Downloader, version: string, components: readonly Component[]) {
    this.#runtime = runtime;
    this.#downloader = downloader;
    this.#version = version;
    this.components = components;
  }

  /** Downloads the program and writes its configuration, once. Returns its path. Throws KNEST_DOWNLOAD, KNEST_CHECKSUM. */
  prepare(): Promise<string> {
    this.#prepared ??= this.#prepare();
    return this.#prepared;
  }

  /**
   * Fills the local repositories with what installing the missing components takes, and with the metadata of those
   * that are there, which `clusterctl init` compares. Throws as `prepare` does.
   */
  async stock(missing: readonly Component[], present: readonly ProviderComponent[]): Promise<void> {
    const wanted = new Map([
      ...present.map((component) => [repositoryPath(component, component.metadata), component.metadata] as const),
      ...missing.flatMap((component) =>
        assetsOf(component).map((asset) => [repositoryPath(component, asset), asset] as const),
      ),
    ]);
    const downloads = [...wanted].map(([path, asset]) => this.#downloader.file(asset, path));
    await Promise.all([this.prepare(), ...downloads]);
  }

  /** Where `stock` put an asset of a component. */
  file(component: Component, asset: ReleaseAsset): string {
    return join(this.#runtime.directory, repositoryPath(component, asset));
  }

  /**
   * `clusterctl init` for these providers; it installs cert-manager first when the host has none. Rejects with the
   * reason of `stop` when that aborts, once the program has ended.
   */
  async init(
    providers: readonly ProviderComponent[],
    { withKubeconfig, timeoutSeconds, validate, stop }: InitOptions,
  ): Promise<void> {
    const wanted = providers.flatMap(({ provider, version }) => [FLAGS[provider.type], `${provider.name}:${version}`]);
    const timeout = ['--wait-provider-timeout', String(Math.max(30, Math.floor(timeoutSeconds)))];
    await Promise.all(providers.map((component) => this.#warnOfDefaults(component)));
    const options = ['--wait-providers', `--validate=${validate}`, ...timeout];
    await this.prepare(); // before the credentials, which may not live as long as a download takes
    const { exitCode, stderr } = await withKubeconfig(async (file) => {
      const env = { ...(await pluginEnvironment(file, this.#runtime.env)), ...this.#providerEnvironment() };
      return this.#run(['init', ...wanted, ...options, '--kubeconfig', file], env, stop);
    });
    if (exitCode !== 0) throw this.#installError('init', stderr);
  }

  /** The manifest of a provider as `init` would apply it, with its variables filled in. */
  async providerManifest({ provider, version }: ProviderComponent): Promise<string> {
    const args = ['generate', 'provider', FLAGS[provider.type], `${provider.name}:${version}`];
    const { exitCode, stdout, stderr } = await this.#run(args, this.#providerEnvironment());
    if (exitCode !== 0) throw this.#installError('generate provider', stderr);
    return stdout;
  }

  /**
   * `clusterctl generate yaml`: a template with these values for its variables, and no others. It runs without access to
   * the host and without the environment of the job: a template is not trusted with what is in there.
   */
  async generateYaml(template: string, variables: Variables): Promise<ProcessResult> {
    const { directory } = this.#runtime;
    await this.prepare();
    const file = join(directory, 'template.yaml');
    await writeFile(file, template, { mode: 0o600 });
    return this.#run(['generate', 'yaml', '--from', file], variables);
  }

  #providerEnvironment(): Readonly<Record<string, string>> {
    return {
      ...basicEnvironment(this.#runtime.env),
      ...CHOSEN_VARIABLES,
      ...this.#runtime.providerVariables,
      GOPROXY: 'off',
    };
  }

  async #run(
    args: readonly string[],
    env: Readonly<Record<string, string>>,
    stop?: AbortSignal,
  ): Promise<ProcessResult> {
    const { run, directory } = this.#runtime;
    const program = await this.prepare();
    const config = ['--config', join(directory, CONFIG_FILE)];
    return run(program, [...args, ...config], { ...env, XDG_CONFIG_HOME: directory }, stop);
  }

  /** Says which variables of a manifest that `stock` put in its place take their default although `env` has a value. */
  async #warnOfDefaults(component: ProviderComponent): Promise<void> {
    const { providerVariables, env, warn } = this.#runtime;
    const text = await readFile(this.file(component, component.manifest), 'utf8');
    const title = `${component.title} ${component.version}`;
    for (const line of describeDefaults({ text, title, input: 'provider-variables' }, providerVariables, env))
      warn(line);
  }

  #installError(verb: string, stderr: string): KnestError {
    const missing = missingIn(stderr);
    if (missing === undefined) {
      return new KnestError({
        code: 'KNEST_INSTALL',
        problem: `clusterctl ${verb} failed`,
        evidence: lastLines(stderr),
        next: 'look at the pods in cert-manager and capi-* on the host; running again completes what is missing',
      });
    }
    return new KnestError({
      code: 'KNEST_INSTALL',
      problem: `a provider needs variables that are not set: ${missing.join(', ')}`,
      evidence: linesFor('provider-variables', missing, this.#runtime.env),
      next: 'set them; see the documentation of the provider',
    });
  }

  async #prepare(): Promise<string> {
    const { directory } = this.#runtime;
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, CONFIG_FILE), stringify(configuration(this.components, directory)));
    const asset = clusterctlAsset(this.#version, process.platform, process.arch);
    return this.#downloader.program(asset, 'clusterctl');
  }
}

/**
 * The environment of the job, which a credential plugin in the kubeconfig of the host may need; empty when there is no
 * plugin. The manifests of providers can read it then: they are verified, unlike templates.
 */
async function pluginEnvironment(
  kubeconfig: string,
  env: NodeJS.ProcessEnv,
): Promise<Readonly<Record<string, string>>> {
  const { users = [] } = parse(await readFile(kubeconfig, 'utf8')) as KubeconfigUsers;
  return users.some(({ user }) => user?.exec !== undefined) ? childEnvironment(env) : {};
}

/** The part of a kubeconfig that shows whether it has a plugin. */
interface KubeconfigUsers {
  readonly users?: readonly { readonly user?: { readonly exec?: object } }[];
}

/** The text of clusterctl's configuration: each provider, and cert-manager, is a file of a local repository. */
export function configuration(components: readonly Component[], directory: string): object {
  const path = (component: Component): string => join(directory, repositoryPath(component, component.manifest));
  const certManager = components.find(({ installer }) => installer === 'clusterctl-cert-manager');
  return {
    CLUSTERCTL_DISABLE_VERSIONCHECK: 'true',
    providers: components.flatMap((component) =>
      component.installer === 'clusterctl'
        ? [{ name: component.provider.name, type: component.provider.type, url: path(component) }]
        : [],
    ),
    ...(certManager !== undefined && { 'cert-manager': { url: path(certManager), version: certManager.version } }),
  };
}

/** `<prefix><name>/<version>/<file>`: what clusterctl's local repositories look like (cmd/clusterctl/client/repository). */
function repositoryPath(component: Component, asset: ReleaseAsset): string {
  const name = component.installer === 'clusterctl' ? qualifiedName(component.provider) : component.title.toLowerCase();
  return join('repository', name, asset.tag, asset.name);
}

/** The end of what a program wrote. */
export function lastLines(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-8);
}
