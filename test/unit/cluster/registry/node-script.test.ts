import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { hostsFile, nodeScript } from '../../../../src/cluster/registry/node-script.ts';

const OURS = '/etc/containerd/certs.d';
const BOTH = `${OURS}:/etc/docker/certs.d`;
const URL = 'http://10.86.1.9:5000';

/** What `containerd config dump` prints, shortened: the parts of CRI and those that look like them. */
function dumpOf(version: keyof typeof SCHEMAS, registry: string, imports = ''): string {
  const { schema, plugin, quote } = SCHEMAS[version];
  const quoted = (text: string): string => `${quote}${text}${quote}`;
  return [
    'disabled_plugins = []',
    `imports = [${quoted('/etc/containerd/config.toml')}${imports}]`,
    `version = ${schema}`,
    '',
    '[grpc]',
    `  address = ${quoted('/run/other/containerd.sock')}`,
    '',
    '[ttrpc]',
    `  address = ${quoted('')}`,
    '',
    '[plugins]',
    `  [plugins.${quoted(plugin)}]`,
    `    sandbox_image = ${quoted('registry.example.com/pause:3.10')}`,
    `    [plugins.${quoted(plugin)}.image_decryption]`,
    `      key_model = ${quoted('node')}`,
    `    [plugins.${quoted(plugin)}.registry]`,
    ...registry
      .split('\n')
      .map((line) => `      ${line.replaceAll('CRI', `plugins.${quoted(plugin)}`).replaceAll('"', quote)}`),
    `  [plugins.${quoted('io.containerd.transfer.v1.local')}]`,
    `    config_path = ${quoted('')}`,
    '',
  ].join('\n');
}

const SCHEMAS = {
  '1.6': { schema: 2, plugin: 'io.containerd.grpc.v1.cri', quote: '"' },
  '1.7': { schema: 2, plugin: 'io.containerd.grpc.v1.cri', quote: '"' },
  '2.0': { schema: 3, plugin: 'io.containerd.cri.v1.images', quote: "'" },
  '2.2': { schema: 3, plugin: 'io.containerd.cri.v1.images', quote: "'" },
} as const;
const VERSIONS = Object.keys(SCHEMAS) as (keyof typeof SCHEMAS)[];

const EMPTY = 'config_path = ""\n[CRI.registry.configs]\n[CRI.registry.mirrors]';

interface Node {
  /** What containerd has in effect before. */
  readonly dump: string;
  /** What the CRI plugin is after a restart. */
  readonly cri?: string;
  /** The environment of containerd, before and after a restart. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly restarted?: Readonly<Record<string, string>>;
}

/** Runs the script on a node whose programs are stand-ins. */
function runOn({ dump, cri = 'ok', environment = {}, restarted = environment }: Node) {
  const root = mkdtempSync(join(tmpdir(), 'knest-node-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const write = (path: string, text: string, mode = 0o644): string => {
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    chmodSync(file, mode);
    return file;
  };
  const config = join(root, 'etc/containerd/config.toml');
  write('dump', dump);
  write(`${OURS}/localhost:5000/hosts.toml`, hostsFile(URL));
  write(
    'bin/containerd',
    `#!/bin/sh\n[ "$*" = "config dump" ] || exit 2\ncat ${config} 2>/dev/null || cat ${root}/dump\n`,
    0o755,
  );
  write('bin/ctr', `#!/bin/sh\necho "$*" >>${root}/ctr\necho 'io.containerd.grpc.v1 cri linux/amd64 ${cri}'\n`, 0o755);
  write('bin/sleep', '#!/bin/sh\n', 0o755);
  const environ = (one: Readonly<Record<string, string>>): string =>
    Object.entries({ PATH: '/usr/bin', ...one })
      .map(([name, value]) => `${name}=${value}\0`)
      .join('');
  write('proc/7/environ', environ(environment));
  write('proc/8/environ', environ(restarted));
  const restart = `restart*) echo 8 >${root}/pid ;;`;
  write(
    'bin/systemctl',
    `#!/bin/sh\ncase "$*" in show*) cat ${root}/pid ;; *) echo "$*" >>${root}/systemctl ;; esac\ncase "$*" in ${restart} esac\n`,
    0o755,
  );
  write('pid', '7\n');
  const script = write('registry.sh', nodeScript({ address: '10.86.1.9', localPort: 5000 }, root));
  const env = { PATH: `${join(root, 'bin')}:/usr/bin:/bin` };
  const { status, stderr } = spawnSync('sh', [script], { env, encoding: 'utf8' });
  const read = (path: string): string | undefined => {
    const file = join(root, path);
    return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  };
  return { status, stderr, read, config: read('etc/containerd/config.toml') };
}

/** The text that a setting of the CRI plugin's registry has. */
function registryOf(config: string | undefined): string | undefined {
  return /cri[\w.]*['"]\.registry\]\n\s*config_path = ["']([^"']*)/.exec(config ?? '')?.[1];
}

describe.each(VERSIONS)('the script for nodes, with containerd %s', (version) => {
  it('sets config_path where there is none, keeps all else, and restarts containerd', () => {
    const dump = dumpOf(version, EMPTY, ', "/etc/containerd/conf.d/other.toml"');
    const { status, stderr, read, config } = runOn({ dump });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(registryOf(config)).toBe(OURS);
    // What was imported is in the configuration by now, and would win over it.
    const expected = dump
      .replace(/imports = .*/, 'imports = []')
      .replace(/ {6}config_path = .*/, `config_path = "${OURS}"`);
    expect(config).toBe(expected);
    expect(read('systemctl')).toBe('restart containerd\n');
    expect(read('ctr')).toContain('--address /run/other/containerd.sock');
  });

  it.each([OURS, `/etc/other:${OURS}`, BOTH, `${OURS}/`])('changes no configuration that has %s', (path) => {
    const { status, stderr, read, config } = runOn({ dump: dumpOf(version, EMPTY.replace('""', `"${path}"`)) });
    expect({ status, stderr, config, restarts: read('systemctl') }).toEqual({
      status: 0,
      stderr: '',
      config: undefined,
      restarts: undefined,
    });
    expect(read(`${OURS}/localhost:5000/hosts.toml`)).toBe(hostsFile(URL));
    // What the transfer service of containerd 2.1 and later takes the list for.
    if (path.includes(':')) expect(read(`${path}/localhost:5000/hosts.toml`)).toBe(hostsFile(URL));
  });

  it('puts the file where containerd looks', () => {
    const { status, read } = runOn({ dump: dumpOf(version, EMPTY.replace('""', '"/etc/docker/certs.d"')) });
    expect(status).toBe(0);
    expect(read('/etc/docker/certs.d/localhost:5000/hosts.toml')).toBe(hostsFile(URL));
  });

  it.each([
    ['mirrors', '[CRI.registry.mirrors."docker.io"]\nendpoint = ["https://mirror.example.com"]', 'mirrors.docker.io'],
    ['TLS settings', '[CRI.registry.configs."a.example.com".tls]\nca_file = "x"', 'configs.a.example.com.tls'],
  ])('stops with the reason where the configuration has %s, whatever config_path is', (_what, inline, named) => {
    for (const path of ['', BOTH]) {
      const dump = dumpOf(version, `config_path = "${path}"\n[CRI.registry.mirrors]\n${inline}`);
      const { status, stderr, read, config } = runOn({ dump });
      expect(status).toBe(1);
      expect(stderr).toMatch(/^error: knest-action: registry: true: the configuration of containerd has plugins\./);
      expect(stderr).toContain(`${named}, which excludes config_path`);
      expect({ config, restarts: read('systemctl') }).toEqual({ config: undefined, restarts: undefined });
    }
  });

  it('takes credentials in the configuration for no obstacle', () => {
    const inline = '[CRI.registry.configs."a.example.com".auth]\nusername = "u"';
    expect(runOn({ dump: dumpOf(version, `${EMPTY}\n${inline}`) }).status).toBe(0);
  });
});

describe('the script for nodes', () => {
  const dump = dumpOf('1.6', EMPTY);

  it('stops where containerd has no CRI plugin, and where that does not load after the restart', () => {
    const none = runOn({ dump: 'version = 2\n[grpc]\n  address = "/run/containerd/containerd.sock"\n' });
    expect(none).toMatchObject({ status: 1, stderr: expect.stringContaining('has no config_path') as string });
    const broken = runOn({ dump, cri: 'error' });
    expect(broken).toMatchObject({ status: 1, stderr: expect.stringContaining('does not load') as string });
    const silent = runOn({ dump, cri: '' });
    expect(silent).toMatchObject({ status: 1, stderr: expect.stringContaining('does not answer') as string });
  });

  it('excepts the registry from the proxy that containerd has, after what is excepted already', () => {
    const environment = { HTTP_PROXY: 'http://proxy:3128', NO_PROXY: 'localhost,100%.example.com' };
    const restarted = { ...environment, NO_PROXY: `${environment.NO_PROXY},10.86.1.9` };
    const path = dumpOf('2.2', EMPTY.replace('""', `"${BOTH}"`));
    const { status, stderr, read } = runOn({ dump: path, environment, restarted });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const except = 'localhost,100%%.example.com,10.86.1.9';
    expect(read('etc/systemd/system/containerd.service.d/zz-knest-action.conf')).toBe(
      `[Service]\nEnvironment="NO_PROXY=${except}" "no_proxy=${except}"\n`,
    );
    expect(read('systemctl')).toBe('daemon-reload\nrestart containerd\n');
  });

  it('stops when containerd keeps the proxy for the registry, and changes nothing when it has none', () => {
    const environment = { http_proxy: 'http://proxy:3128' };
    const kept = runOn({ dump, environment });
    expect(kept).toMatchObject({ status: 1, stderr: expect.stringContaining('has no exception') as string });
    const excepted = runOn({
      dump: dumpOf('1.7', EMPTY.replace('""', `"${OURS}"`)),
      environment: { ...environment, no_proxy: '10.86.1.9,localhost' },
    });
    expect(excepted.status).toBe(0);
    expect(excepted.read('systemctl')).toBeUndefined();
  });

  it('fits the file of a kubeadm configuration', () => {
    // Source: cluster-api api/bootstrap/kubeadm/v1beta2, MaxLength of the content of a file.
    expect(nodeScript({ address: 'fd00::ffff:ffff:ffff:ffff', localPort: 65_535 }).length).toBeLessThan(10_240);
  });
});
