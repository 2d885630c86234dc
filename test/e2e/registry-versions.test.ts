import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NODES_PORT, readerConfig, REGISTRY_PORT, registryConfig } from '../../src/cluster/registry/registry-config.ts';
import { hostProgram } from '../host/binaries.ts';
import { run } from '../host/process.ts';
import { ImageLayout } from './pushed-image.ts';
import { sharedHost } from './support.ts';

const host = sharedHost();
const files = mkdtempSync(join(tmpdir(), 'knest-registries-'));
afterAll(() => rmSync(files, { recursive: true }));

/** The addresses of a registry for jobs and for nodes, as in its pod. */
const [JOBS, NODES] = [`127.0.0.1:${REGISTRY_PORT}`, `127.0.0.1:${NODES_PORT}`];

/** Runs a command beside the two processes of a registry, once they serve: a shell with program, files and command. */
const BESIDE_REGISTRY = `
program=$1 files=$2 store=$3
shift 3
ip link set lo up
mount -t tmpfs tmpfs /var/lib
mkdir /var/lib/registry
mount --bind "$store" /var/lib/registry
"$program" serve "$files/registry.yml" >&2 &
POD_IP=127.0.0.1 haproxy -db -f "$files/haproxy.cfg" >&2 &
until curl --silent --fail --output /dev/null http://${NODES}/v2/; do sleep 0.1; done
"$@"
`;

/** The configuration of the pod of a registry, without a cluster. */
describe.skipIf(!host.parts.has('network'))('the configuration of a registry', () => {
  let image: ImageLayout;
  beforeAll(async () => {
    writeFileSync(join(files, 'registry.yml'), registryConfig('u-1'));
    writeFileSync(join(files, 'haproxy.cfg'), readerConfig());
    image = await ImageLayout.make(join(files, 'layout'), 5);
  });

  describe.each([
    ['2.8', 'docker-registry', () => Promise.resolve('docker-registry')],
    ['3', 'registry', () => hostProgram('registry')],
  ] as const)('with distribution %s', (version, name, find) => {
    const store = join(files, name);
    let program: string;
    /** In a network and a /var/lib that end with the command, and the processes too; what is stored stays. */
    const beside = (argv: readonly string[]): Promise<string> => {
      const alone = ['--net', '--mount', '--pid', '--fork', '--kill-child'];
      const shell = ['sh', '-euc', BESIDE_REGISTRY, 'sh', program, files, store];
      return run('unshare', [...alone, ...shell, ...argv], { timeout: 60_000 });
    };
    const curl = (...args: readonly string[]): Promise<string> => beside(['curl', '--silent', ...args]);

    beforeAll(async () => {
      mkdirSync(store);
      program = await find();
      expect(await run(program, ['--version'])).toMatch(new RegExp(` v?${version}\\.`));
    });

    it('takes an image from a job, and gives it to nodes', async () => {
      await image.push(beside, `${JOBS}/app:v1`);
      const pulled = join(files, `${name}-pulled`);
      const copy = ['skopeo', '--insecure-policy', 'copy', '--all', '--preserve-digests', '--src-tls-verify=false'];
      await beside([...copy, `docker://${NODES}/app:v1`, `oci:${pulled}`]);
      const { manifests } = JSON.parse(readFileSync(join(pulled, 'index.json'), 'utf8')) as { manifests: unknown };
      expect(manifests).toEqual([expect.objectContaining({ digest: image.digest })]);
    });

    it('lets nodes write nothing', async () => {
      const status = ['--output', '/dev/null', '--write-out', '%{http_code}'];
      expect(await curl(...status, '-X', 'POST', `http://${NODES}/v2/app/blobs/uploads/`)).toBe('405');
    });

    it('goes on with an upload after a restart, at an address without a host', async () => {
      const begun = await curl('--include', '-X', 'POST', `http://${JOBS}/v2/app/blobs/uploads/`);
      const [, location = ''] = /^location: (.*)\r$/im.exec(begun) ?? [];
      expect(location).toMatch(/^\/v2\/app\/blobs\/uploads\//);
      const bytes = ['--header', 'Content-Type: application/octet-stream', '--data-binary', 'more'];
      const more = await curl('--include', '-X', 'PATCH', ...bytes, `http://${JOBS}${location}`);
      expect(more).toMatch(/^HTTP\/1\.1 202 /);
    });
  });
});
