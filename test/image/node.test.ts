import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DISK_PATH } from '../../images/container-disk.ts';
import { current } from '../../images/debian.ts';
import { makeImage } from '../../images/image.ts';
import { missingPackages } from '../../images/requirements.ts';
import { buildAll, tool } from '../host/binaries.ts';
import { pauseImage, writeKubeadmImages } from '../host/images.ts';
import { hostPrograms, versions } from '../host/modules.ts';
import { run } from '../host/process.ts';
import { lineReport, seconds } from '../host/report.ts';
import { installPackages } from '../host/requirements.ts';
import { makeBootstrapData, type BootstrapData } from './bootstrap-data.ts';
import { writeConfigDrive } from './config-drive.ts';
import { VirtualMachine } from './virtual-machine.ts';

const minutes = 60_000;
const GIB = 1024 ** 3;
const version = versions.kubernetes;
const report = lineReport();
/** What kubeadm and cloud-init print last when a machine cannot become a node. */
const FAILURE = /To see the stack trace of this error execute with|Failed to run module scripts[-_]user|Kernel panic/;

/** The programs that a node has or that its pods run. */
const MODULES = ['kubernetes', 'etcd', 'coredns', 'stand-ins'];

interface OciManifest {
  readonly layers: readonly { readonly digest: string }[];
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Unpacks the only layer of an OCI archive, as what pulls the image does. */
async function unpackImage(archive: string, directory: string): Promise<void> {
  await run('tar', ['--extract', `--file=${archive}`, `--directory=${directory}`]);
  const read = (file: string): unknown => JSON.parse(readFileSync(join(directory, file), 'utf8'));
  const blob = (digest = ''): string => join('blobs/sha256', digest.replace('sha256:', ''));
  const index = read('index.json') as { readonly manifests: readonly { readonly digest: string }[] };
  const manifest = read(blob(index.manifests[0]?.digest)) as OciManifest;
  const layer = join(directory, blob(manifest.layers[0]?.digest));
  await run('tar', ['--extract', '--same-owner', `--file=${layer}`, `--directory=${directory}`]);
}

describe('the image of a KubeVirt node', { timeout: 30 * minutes }, () => {
  let work: string | undefined;
  let programs: ReadonlyMap<string, string>;
  let machine: VirtualMachine | undefined;
  let data: BootstrapData;
  let began: number;

  const kubectl = (...args: string[]): Promise<string> =>
    run(programs.get('kubectl') ?? '', [`--kubeconfig=${data.kubeconfig}`, ...args], { timeout: 20 * minutes });

  beforeAll(async () => {
    const packages = missingPackages('kubevirt', {
      'qemu-system-x86_64': 'qemu-system-x86',
      '/usr/share/seabios/bios-256k.bin': 'seabios',
      xorrisofs: 'xorriso',
    });
    if (packages.length > 0) await installPackages(packages, report);
    programs = await buildAll(
      hostPrograms.filter(({ module }) => MODULES.includes(module)),
      report,
    );
    work = mkdtempSync(join(tmpdir(), 'knest-image-'));
    const kubernetes = { programs, archives: writeKubeadmImages(programs), pause: pauseImage };
    const image = await makeImage(
      {
        ...{ engine: 'kubevirt', version, diskSize: 8 * GIB, debian: current, output: work },
        kubernetes: () => Promise.resolve(kubernetes),
      },
      report,
    );
    await unpackImage(image, work);
    const port = await freePort();
    data = await makeBootstrapData(await tool('bootstrap-data', report), version, port, work);
    const guest = { name: 'image-cp', namespace: 'default', uuid: '5d307ca9-b3ef-428c-8861-06e72d69f223' };
    const configDrive = join(work, 'config-drive.iso');
    await writeConfigDrive({ ...guest, userData: data.userData }, configDrive);
    began = performance.now();
    machine = new VirtualMachine({ disk: join(work, DISK_PATH), configDrive, port });
  }, 40 * minutes);

  afterAll(async () => {
    await machine?.stop();
    if (work !== undefined) rmSync(work, { recursive: true, force: true });
  });

  it('boots, and kubeadm makes a control plane of it', async () => {
    await machine?.waitForConsole('Your Kubernetes control-plane has initialized successfully', FAILURE, 25 * minutes);
    report.note(`kubeadm init is done ${seconds(began)} after power-on`);
  });

  it('becomes a Ready node with the versions of the image', async () => {
    await machine?.explain(() => kubectl('wait', '--for=condition=Ready', 'node', '--all', '--timeout=15m'));
    report.note(`the node is Ready ${seconds(began)} after power-on`);
    const { items } = JSON.parse(await kubectl('get', 'nodes', '--output=json')) as {
      readonly items: readonly { readonly status: { readonly nodeInfo: Readonly<Record<string, string>> } }[];
    };
    expect(items).toHaveLength(1);
    expect(items[0]?.status.nodeInfo).toMatchObject({
      kubeletVersion: version,
      containerRuntimeVersion: expect.stringMatching(/^containerd:\/\/2\./) as string,
      osImage: expect.stringContaining('Debian GNU/Linux 13') as string,
    });
  });

  it('runs pods with an address of its network', async () => {
    const dns = ['--namespace=kube-system', 'deployment/coredns'];
    await machine?.explain(() => kubectl('wait', '--for=condition=Available', ...dns, '--timeout=15m'));
    report.note(`CoreDNS answers ${seconds(began)} after power-on`);
    const addresses = await kubectl(
      ...['get', 'pods', '--namespace=kube-system', '--selector=k8s-app=kube-dns'],
      '--output=jsonpath={.items[*].status.podIP}',
    );
    expect(addresses.split(' ').filter((address) => /^10\.95\.0\.\d+$/.test(address))).not.toEqual([]);
  });
});
