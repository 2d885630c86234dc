import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { cgroupDirectories } from '../host/cgroups.ts';
import { down, status, up } from '../host/host.ts';
import { versions } from '../host/modules.ts';
import { CommandError, run, until } from '../host/process.ts';
import { silent } from '../host/report.ts';
import { initProcess, stateRoot } from '../host/sandbox.ts';

const name = `lifecycle-${process.pid}`;
const stateDirectory = join(stateRoot, name);
const able = process.platform === 'linux' && process.getuid?.() === 0;

/** Runs the command line of the host, as `npm run host:…` does. */
async function cli(...args: string[]): Promise<{ code: number | null; output: string }> {
  const program = join(import.meta.dirname, '../host/cli.ts');
  return run(process.execPath, [program, ...args], { timeout: 200_000 }).then(
    (output) => ({ code: 0, output }),
    (error: unknown) => {
      if (!(error instanceof CommandError)) throw error;
      return { code: error.code, output: error.output };
    },
  );
}

describe.skipIf(!able)('a host cluster (needs Linux and root)', { timeout: 240_000 }, () => {
  afterAll(() => down(name, silent), 120_000);

  it('does not exist before it is started', async () => {
    expect(await cli('status', '--name', name)).toEqual({ code: 1, output: `there is no host ${name}\n` });
    expect(await cli('exec', '--name', name, '--', 'true')).toMatchObject({ code: 1 });
  });

  it('starts with a node that is Ready', async () => {
    const host = await up({ name, without: ['kubevirt', 'older-cluster-api', 'older-kubernetes'] }, silent);
    const condition = 'jsonpath={.status.conditions[?(@.type=="Ready")].status}';
    expect(await host.kubectl(['get', 'node', 'host', '-o', condition])).toBe('True');
    expect(await cli('status', '--name', name)).toMatchObject({ code: 0 });
  });

  it('does not change when it is started again', async () => {
    const before = initProcess(stateDirectory);
    const { output, code } = await cli('up', '--name', name);
    expect(code, output).toBe(0);
    expect(initProcess(stateDirectory)).toEqual(before);
  });

  it('runs commands in its network, with its kubeconfig, and returns their exit code', async () => {
    const nodes = await cli('exec', '--name', name, '--', 'kubectl', 'get', 'nodes', '-o', 'name');
    expect(nodes).toEqual({ code: 0, output: 'node/host\n' });
    expect(await cli('exec', '--name', name, '--', 'sh', '-c', 'exit 42')).toMatchObject({ code: 42 });
  });

  it('serves release assets and has no access to the Internet', async () => {
    const host = await up({ name, without: ['kubevirt', 'older-cluster-api', 'older-kubernetes'] }, silent);
    const base = `${host.mirror}/kubernetes-sigs/cluster-api/releases/download/${versions.clusterAPI}`;
    const script = `fetch(process.argv[1]).then(async (r) => console.log(r.status, await r.text()), () => console.log('refused'))`;
    const get = (url: string): Promise<string> => host.run([process.execPath, '-e', script, url]);
    expect(await get(`${base}/metadata.yaml`)).toContain('releaseSeries:');
    const sums = readFileSync(host.checksums, 'utf8');
    expect(sums).toMatch(/^[0-9a-f]{64} {2}\.\/kubernetes-sigs\/cluster-api\/releases\/.*\/metadata\.yaml$/m);
    expect(await get(`${base}/none.yaml`)).toMatch(/^404 /);
    expect(await get('http://192.0.2.1/')).toBe('refused\n');
  });

  it('reports which service is unhealthy', async () => {
    const host = await up({ name, without: ['kubevirt', 'older-cluster-api', 'older-kubernetes'] }, silent);
    // The only containerd whose parent is the host's init.
    const { pid } = initProcess(stateDirectory) ?? { pid: 0 };
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
    const containerd = children.find((child) => readFileSync(`/proc/${child}/comm`, 'utf8') === 'containerd\n');
    process.kill(Number(containerd), 'SIGKILL');
    await until('containerd’s end', 10_000, async () => (await host.unwell()).includes('containerd'));
    expect(await status(name)).toMatchObject({ state: 'unwell' });
  });

  it('leaves nothing behind, even after its init process was killed', async () => {
    const init = initProcess(stateDirectory);
    process.kill(init?.pid ?? 0, 'SIGKILL');
    await until('init’s end', 10_000, () => initProcess(stateDirectory) === undefined);
    expect(await cli('status', '--name', name)).toMatchObject({ code: 1 });
    expect(await cli('down', '--name', name)).toMatchObject({ code: 0 });
    expect(existsSync(stateDirectory)).toBe(false);
    expect(cgroupDirectories(name)).toEqual([]);
    expect(readFileSync('/proc/mounts', 'utf8')).not.toContain(stateDirectory);
    expect(await run('ps', ['-eo', 'args'])).not.toContain(stateDirectory);
    expect(await status(name)).toEqual({ state: 'absent', unwell: [] });
    expect(await cli('down', '--name', name)).toMatchObject({ code: 0 });
  });
});
