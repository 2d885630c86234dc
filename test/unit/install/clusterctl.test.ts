import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { Clusterctl, configuration, type InitOptions } from '../../../src/install/clusterctl.ts';
import { type ReleaseAsset } from '../../../src/catalog/release-asset.ts';
import { atVersion } from '../../../src/catalog/components/component.ts';
import { knownComponents } from '../../../src/catalog/components/required-components.ts';
import { Downloader } from '../../../src/install/download.ts';
import type { Variables } from '../../../src/values/variables.ts';
import type { ProcessResult } from '../../../src/runner/process.ts';
import { rejection } from '../rejection.ts';
import { versions } from './versions.ts';
import { downloadRuntime, fromGithub } from '../../support/downloads.ts';

const components = knownComponents(versions);
const never = new AbortController().signal;
const providers = components.filter((component) => component.installer === 'clusterctl');

describe('configuration', () => {
  const at = (...path: string[]): string => join('/private', 'repository', ...path);

  it('has local repositories for every provider and cert-manager', () => {
    expect(configuration(components, '/private')).toEqual({
      CLUSTERCTL_DISABLE_VERSIONCHECK: 'true',
      providers: [
        { name: 'cluster-api', type: 'CoreProvider', url: at('cluster-api', 'v1.14.2', 'core-components.yaml') },
        {
          name: 'kubeadm',
          type: 'BootstrapProvider',
          url: at('bootstrap-kubeadm', 'v1.14.2', 'bootstrap-components.yaml'),
        },
        {
          name: 'kubeadm',
          type: 'ControlPlaneProvider',
          url: at('control-plane-kubeadm', 'v1.14.2', 'control-plane-components.yaml'),
        },
        {
          name: 'virtink',
          type: 'InfrastructureProvider',
          url: at('infrastructure-virtink', 'v0.7.0', 'infrastructure-components.yaml'),
        },
        {
          name: 'kubevirt',
          type: 'InfrastructureProvider',
          url: at('infrastructure-kubevirt', 'v0.11.2', 'infrastructure-components.yaml'),
        },
        {
          name: 'docker',
          type: 'InfrastructureProvider',
          url: at('infrastructure-docker', 'v1.14.2', 'infrastructure-components-development.yaml'),
        },
      ],
      'cert-manager': { url: at('cert-manager', 'v1.18.0', 'cert-manager.yaml'), version: 'v1.18.0' },
    });
  });

  it('leaves out cert-manager when it is not among the components', () => {
    expect(configuration(providers.slice(0, 1), '/private')).not.toHaveProperty(['cert-manager']);
  });
});

/** A clusterctl that records its programs and downloads instead of running them. */
function clusterctl(
  result: Partial<ProcessResult> = {},
  env: NodeJS.ProcessEnv = {},
  providerVariables: Variables = {},
  manifest = 'kind: List',
  hostUser: object = { token: 'abc' },
) {
  const directory = mkdtempSync(join(tmpdir(), 'clusterctl-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const runs: { program: string; args: readonly string[]; env: Readonly<Record<string, string>> }[] = [];
  const files: string[] = [];
  const programs: string[] = [];
  const warnings: string[] = [];
  class Noting extends Downloader {
    override file(asset: ReleaseAsset, path: string): Promise<string> {
      files.push(`${asset.name} ${path}`);
      return Promise.resolve(path);
    }
    override program(asset: ReleaseAsset, name: string): Promise<string> {
      programs.push(`${asset.tag} ${name}`);
      return Promise.resolve(join(directory, name));
    }
  }
  const downloader = new Noting(fromGithub, downloadRuntime(directory));
  const run = (program: string, args: readonly string[], given: Readonly<Record<string, string>>) => {
    runs.push({ program, args, env: given });
    return Promise.resolve({ exitCode: 0, stdout: 'out', stderr: '', ...result });
  };
  const kubeconfig = join(directory, 'host');
  writeFileSync(kubeconfig, JSON.stringify({ users: [{ name: 'ci', user: hostUser }] }));
  const runtime = {
    run,
    env,
    directory,
    providerVariables,
    warn: (text: string) => warnings.push(text),
  };
  const made = new Clusterctl(runtime, downloader, 'v1.14.2', components);
  for (const provider of providers) {
    const file = made.file(provider, provider.manifest);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, manifest);
  }
  const init = (some: typeof providers, options: Partial<InitOptions> = {}): Promise<void> =>
    made.init(some, {
      withKubeconfig: (work) => work(kubeconfig),
      timeoutSeconds: 300,
      validate: true,
      stop: never,
      ...options,
    });
  return { made, init, directory, runs, files, programs, warnings };
}

describe('Clusterctl', () => {
  it('is prepared once, however often it is used', async () => {
    const { made, directory, programs } = clusterctl();
    await Promise.all([made.prepare(), made.generateYaml('kind: List', {})]);
    expect(programs).toHaveLength(1);
    expect(parse(readFileSync(join(directory, 'clusterctl.yaml'), 'utf8'))).toEqual(
      configuration(components, directory),
    );
  });

  const jobs = {
    PATH: '/bin',
    HOME: '/home/runner',
    HTTPS_PROXY: 'http://proxy.example.com:3128',
    SSL_CERT_FILE: '/etc/ca.pem',
    KUBECONFIG: '/home/runner/.kube/config',
    GITHUB_TOKEN: 'secret',
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'secret',
    AWS_SECRET_ACCESS_KEY: 'secret',
    INPUT_TOKEN: 'secret',
    'INPUT_HOST-KUBECONFIG': 'secret',
    GOPROXY: 'https://proxy',
  };

  it('renders a template with its variables only, without the host and the environment of the job', async () => {
    const { made, directory, runs } = clusterctl({}, jobs, { EXP_GATE: 'true' });
    const result = await made.generateYaml('kind: ${KIND}', { KIND: 'List' });
    expect(result).toMatchObject({ exitCode: 0, stdout: 'out' });
    const template = join(directory, 'template.yaml');
    expect(readFileSync(template, 'utf8')).toBe('kind: ${KIND}');
    expect(runs[0]?.args.join(' ')).toBe(
      `generate yaml --from ${template} --config ${join(directory, 'clusterctl.yaml')}`,
    );
    expect(runs[0]?.env).toEqual({ KIND: 'List', XDG_CONFIG_HOME: directory });
  });

  it('installs with network settings and the variables of providers', async () => {
    const { init, directory, runs, warnings } = clusterctl({}, jobs, { AWS_B64ENCODED_CREDENTIALS: 'abc' });
    await init(providers.slice(0, 1));
    expect(runs[0]?.args.join(' ')).not.toContain('abc');
    expect(runs[0]?.env).toEqual({
      PATH: '/bin',
      HOME: '/home/runner',
      HTTPS_PROXY: 'http://proxy.example.com:3128',
      SSL_CERT_FILE: '/etc/ca.pem',
      AWS_B64ENCODED_CREDENTIALS: 'abc',
      EXP_RECONCILER_RATE_LIMITING: 'false',
      GOPROXY: 'off',
      XDG_CONFIG_HOME: directory,
    });
    expect(warnings).toEqual([]);
  });

  it('runs Cluster API without its rate limits unless the variables of providers say otherwise', async () => {
    const { init, runs } = clusterctl({}, jobs, { EXP_RECONCILER_RATE_LIMITING: 'true' });
    await init(providers.slice(0, 1));
    expect(runs[0]?.env).toHaveProperty('EXP_RECONCILER_RATE_LIMITING', 'true');
  });

  it('warns when a provider uses its default although env has a value', async () => {
    const env = { CLUSTER_TOPOLOGY: 'true', EXP_OTHER: 'true' };
    const manifest = '--feature-gates=ClusterTopology=${CLUSTER_TOPOLOGY:=false},Other=${EXP_OTHER:=false}';
    const { init, warnings } = clusterctl({}, env, { EXP_OTHER: 'false' }, manifest);
    await init(providers.slice(0, 1));
    expect(warnings).toEqual([
      'Cluster API v1.14.2 takes its default for CLUSTER_TOPOLOGY, since the env of the job is not passed on; to pass it, add to provider-variables: CLUSTER_TOPOLOGY=${{ env.CLUSTER_TOPOLOGY }}',
    ]);
  });

  it('names the missing variables of a provider, with the lines that set them', async () => {
    const stderr = 'Error: value for variables [AWS_B64ENCODED_CREDENTIALS] is not set. Please set the value';
    const { init } = clusterctl({ exitCode: 1, stderr });
    expect(await rejection(init(providers.slice(0, 1)))).toMatchObject({
      code: 'KNEST_INSTALL',
      problem: 'a provider needs variables that are not set: AWS_B64ENCODED_CREDENTIALS',
      evidence: [
        'the env of the job is not passed on; add to this step:',
        'provider-variables: |',
        '  AWS_B64ENCODED_CREDENTIALS=VALUE',
      ],
    });
  });

  it('installs providers by type, name and version', async () => {
    const { init, runs, directory } = clusterctl();
    await init(providers.slice(0, 3), { timeoutSeconds: 300.9, validate: false });
    expect(runs[0]?.args.slice(0, -2)).toEqual(
      [
        'init --core cluster-api:v1.14.2 --bootstrap kubeadm:v1.14.2 --control-plane kubeadm:v1.14.2',
        `--wait-providers --validate=false --wait-provider-timeout 300 --kubeconfig ${join(directory, 'host')}`,
      ].flatMap((text) => text.split(' ')),
    );
  });

  it.each([
    ['with the environment of the job for a credential plugin', { exec: { command: 'aws' } }, 'secret'],
    ['without it when the kubeconfig has no plugin', { token: 'abc' }, undefined],
  ])('installs %s', async (_name, user, expected) => {
    const { init, runs } = clusterctl({}, jobs, {}, 'kind: List', user);
    await init(providers.slice(0, 1), { validate: false });
    expect(runs[0]?.env['AWS_SECRET_ACCESS_KEY']).toBe(expected);
    expect(runs[0]?.env['INPUT_TOKEN']).toBeUndefined();
  });

  it('downloads the metadata of installed components, and everything for missing ones', async () => {
    const { made, files } = clusterctl();
    const [core, bootstrap] = providers;
    if (core === undefined || bootstrap === undefined) throw new Error('there are no providers');
    await made.stock([bootstrap], [atVersion(core, 'v1.13.0'), bootstrap]);
    const path = (...parts: string[]): string => join('repository', ...parts);
    expect(files.sort()).toEqual([
      `bootstrap-components.yaml ${path('bootstrap-kubeadm', 'v1.14.2', 'bootstrap-components.yaml')}`,
      `metadata.yaml ${path('bootstrap-kubeadm', 'v1.14.2', 'metadata.yaml')}`,
      `metadata.yaml ${path('cluster-api', 'v1.13.0', 'metadata.yaml')}`,
    ]);
  });

  it('reports the last lines of a failure', async () => {
    const stderr = `${Array.from({ length: 20 }, (_, number) => `line ${number}`).join('\n\n')}\n`;
    const { made, init } = clusterctl({ exitCode: 1, stderr });
    const evidence = [12, 13, 14, 15, 16, 17, 18, 19].map((number) => `line ${number}`);
    const [core] = providers;
    if (core === undefined) throw new Error('there are no providers');
    expect(await rejection(init([core], { timeoutSeconds: 60 }))).toMatchObject({ code: 'KNEST_INSTALL', evidence });
    expect(await rejection(made.providerManifest(core))).toMatchObject({ code: 'KNEST_INSTALL', evidence });
  });
});
