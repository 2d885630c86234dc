import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { Clusterctl, configuration } from '../../../src/install/clusterctl.ts';
import { atVersion, knownComponents, type ReleaseAsset } from '../../../src/install/components.ts';
import { Downloader } from '../../../src/install/download.ts';
import type { ProcessResult } from '../../../src/world.ts';
import { rejection } from '../rejection.ts';
import { versions } from './versions.ts';
import { downloadWorld, fromGithub } from '../../support/downloads.ts';

const components = knownComponents(versions);
const never = new AbortController().signal;
const providers = components.filter((component) => component.installer === 'clusterctl');

describe('configuration', () => {
  const at = (...path: string[]): string => join('/private', 'repository', ...path);

  it('has every provider, and cert-manager, in local repositories', () => {
    expect(configuration(components, '/private')).toEqual({
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
          name: 'docker',
          type: 'InfrastructureProvider',
          url: at('infrastructure-docker', 'v1.14.2', 'infrastructure-components-development.yaml'),
        },
      ],
      'cert-manager': { url: at('cert-manager', 'v1.18.0', 'cert-manager.yaml'), version: 'v1.18.0' },
    });
  });

  it('leaves cert-manager out where it is none of the components', () => {
    expect(configuration(providers.slice(0, 1), '/private')).not.toHaveProperty(['cert-manager']);
  });
});

/** A clusterctl whose program and downloads are noted instead of made. */
function clusterctl(result: Partial<ProcessResult> = {}, env: NodeJS.ProcessEnv = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'clusterctl-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const runs: { program: string; args: readonly string[]; env: Readonly<Record<string, string>> }[] = [];
  const files: string[] = [];
  const programs: string[] = [];
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
  const downloader = new Noting(fromGithub, downloadWorld(directory));
  const run = (program: string, args: readonly string[], given: Readonly<Record<string, string>>) => {
    runs.push({ program, args, env: given });
    return Promise.resolve({ exitCode: 0, stdout: 'out', stderr: '', ...result });
  };
  const world = {
    run,
    env,
    directory,
    withKubeconfig: <T>(work: (file: string) => Promise<T>) => work('/private/host'),
  };
  return { made: new Clusterctl(world, downloader, 'v1.14.2', components), directory, runs, files, programs };
}

describe('Clusterctl', () => {
  it('is prepared once, with its configuration, however often it is used', async () => {
    const { made, directory, programs } = clusterctl();
    await Promise.all([made.prepare(), made.renderTemplate('pr', 'knest', 't.yaml', {})]);
    expect(programs).toHaveLength(1);
    expect(parse(readFileSync(join(directory, 'clusterctl.yaml'), 'utf8'))).toEqual(
      configuration(components, directory),
    );
  });

  it('renders a template with its variables, and without the inputs of the action', async () => {
    const env = { PATH: '/bin', INPUT_TOKEN: 'secret', 'INPUT_HOST-KUBECONFIG': 'secret', GOPROXY: 'https://proxy' };
    const { made, directory, runs } = clusterctl({}, env);
    expect(await made.renderTemplate('pr', 'knest', 't.yaml', { KUBERNETES_VERSION: '1.36.3' })).toBe('out');
    expect(runs[0]?.args.join(' ')).toBe(
      `generate cluster pr --from t.yaml --target-namespace knest --kubeconfig /private/host --config ${join(directory, 'clusterctl.yaml')}`,
    );
    expect(runs[0]?.env).toEqual({
      PATH: '/bin',
      XDG_CONFIG_HOME: directory,
      CLUSTERCTL_DISABLE_VERSIONCHECK: 'true',
      GOPROXY: 'off',
      KUBERNETES_VERSION: '1.36.3',
    });
  });

  it('installs providers by type, name and version', async () => {
    const { made, runs } = clusterctl();
    await made.init(providers.slice(0, 3), 300.9, false, never);
    expect(runs[0]?.args.slice(0, -2)).toEqual(
      [
        'init --core cluster-api:v1.14.2 --bootstrap kubeadm:v1.14.2 --control-plane kubeadm:v1.14.2',
        '--wait-providers --validate=false --wait-provider-timeout 300 --kubeconfig /private/host',
      ].flatMap((text) => text.split(' ')),
    );
  });

  it('stocks the metadata of what is there, and all of what is missing', async () => {
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

  it('names the variables that a template lacks', async () => {
    const stderr =
      'Error: value for variables [A, B_C] is not set. Please set the value using os environment variables';
    const { made } = clusterctl({ exitCode: 1, stderr });
    expect(await rejection(made.renderTemplate('pr', 'knest', 't.yaml', {}))).toMatchObject({
      code: 'KNEST_TEMPLATE',
      problem: 'the template t.yaml needs variables that are not set: A, B_C',
      evidence: [stderr],
    });
  });

  it('tells the last lines of a failure', async () => {
    const stderr = `${Array.from({ length: 20 }, (_, number) => `line ${number}`).join('\n\n')}\n`;
    const { made } = clusterctl({ exitCode: 1, stderr });
    const evidence = [12, 13, 14, 15, 16, 17, 18, 19].map((number) => `line ${number}`);
    const [core] = providers;
    if (core === undefined) throw new Error('there are no providers');
    const template = rejection(made.renderTemplate('pr', 'knest', 't.yaml', {}));
    expect(await template).toMatchObject({ code: 'KNEST_TEMPLATE', evidence });
    expect(await rejection(made.init([core], 60, true, never))).toMatchObject({ code: 'KNEST_INSTALL', evidence });
    expect(await rejection(made.providerManifest(core))).toMatchObject({ code: 'KNEST_INSTALL', evidence });
  });
});
