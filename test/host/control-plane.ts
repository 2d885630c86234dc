import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { authenticateBy, nobodyElse } from './authentication.ts';
import { services, type Service } from './health.ts';
import { versions } from './modules.ts';
import { run, until } from './process.ts';
import { inside, insideNetwork, startService, type Process } from './sandbox.ts';

/** A sandbox that runs, as the steps that make a cluster of it need it. */
export interface Sandbox {
  name: string;
  stateDirectory: string;
  init: Process;
}

/** Where a command inside a host finds its programs. Proxies of the machine are none of its business. */
export const sandboxEnvironment: NodeJS.ProcessEnv = {
  PATH: '/run/knest/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
};

const minute = 60_000;

async function runInside(sandbox: Sandbox, command: string[], timeout: number): Promise<string> {
  const line = inside(sandbox.init, command);
  return run(line.command, line.args, { env: sandboxEnvironment, timeout });
}

/** Asks services of a host until all are well or `timeout` milliseconds are over. Returns those that are not well. */
export async function unwellServices(init: Process, names: readonly Service[], timeout: number): Promise<Service[]> {
  const program = join(import.meta.dirname, 'health.ts');
  const line = insideNetwork(init, [process.execPath, program, String(timeout), ...names]);
  const answer = await run(line.command, line.args, { timeout: timeout + minute });
  return names.filter((name) => answer.split(' ').includes(name));
}

async function waitFor(sandbox: Sandbox, names: readonly Service[], timeout: number): Promise<void> {
  const bad = await unwellServices(sandbox.init, names, timeout);
  if (bad.length === 0) return;
  const urls = bad.map((name) => `${name} (${services[name]})`).join(', ');
  throw new Error(`not well after ${timeout / 1000} s: ${urls}`);
}

/** Starts what needs no cluster: the mirror and containerd. */
export async function startRuntime(sandbox: Sandbox): Promise<void> {
  startService(sandbox.stateDirectory, 'mirror');
  startService(sandbox.stateDirectory, 'containerd');
  await waitFor(sandbox, ['mirror', 'containerd'], 2 * minute);
  const log = join(sandbox.stateDirectory, 'log', 'containerd.log');
  // The last that it logs before it serves the kubelet's API, without which a kubelet ends.
  await until('containerd’s API for the kubelet', 2 * minute, () =>
    readFileSync(log, 'utf8').includes('Start streaming server'),
  );
}

/** Runs kubeadm init, and the kubelet as soon as its configuration is there. Writes the admin's kubeconfig. */
export async function initialise(sandbox: Sandbox, kubeconfig: string): Promise<void> {
  const { name, stateDirectory } = sandbox;
  const template = readFileSync(join(import.meta.dirname, 'sandbox', 'kubeadm.yaml'), 'utf8');
  const config = join(stateDirectory, 'kubeadm.yaml');
  writeFileSync(config, template.replaceAll('@VERSION@', versions.kubernetes).replaceAll('@NAME@', name));
  authenticateBy(stateDirectory, nobodyElse);
  // The preflight looks for things a machine of its own would have, kube-proxy runs as a service.
  const skip = ['preflight', 'addon/coredns', 'addon/kube-proxy'].join(',');
  let ended = false;
  const init = runInside(
    sandbox,
    ['kubeadm', 'init', `--config=${config}`, `--skip-phases=${skip}`],
    4 * minute,
  ).finally(() => (ended = true));
  const file = join(stateDirectory, 'kubelet', 'config.yaml');
  const kubelet = until('the kubelet’s configuration', minute, () => ended || existsSync(file)).then(() => {
    startService(stateDirectory, 'kubelet');
  });
  await Promise.all([init, kubelet]);
  const content = await runInside(sandbox, ['cat', '/etc/kubernetes/admin.conf'], minute);
  writeFileSync(kubeconfig, content, { mode: 0o600 });
}

/** Where the kubelet looks for what it runs, and where it does not. */
const MANIFESTS = { running: '/etc/kubernetes/manifests', stopped: '/etc/kubernetes' };
/** What the kubelet runs, but for etcd. */
const CONTROL_PLANE = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'] as const;

/**
 * Has the kubelet end the control plane, does `work` without it, and has it started again: as in an upgrade of its node.
 * What watches an API server that is away tries again after up to a minute, so kube-proxy ends and starts with it.
 */
export async function withoutControlPlane(sandbox: Sandbox, work: () => Promise<void>): Promise<void> {
  const move = async (from: string, to: string): Promise<void> => {
    const files = CONTROL_PLANE.map((name) => join(from, `${name}.yaml`));
    await runInside(sandbox, ['mv', ...files, to], minute);
  };
  const areGone = async (names: readonly Service[]): Promise<boolean> =>
    (await unwellServices(sandbox.init, names, 0)).length === names.length;
  // A child of the host's init: machines have others.
  await runInside(sandbox, ['pkill', '--parent', '1', '--exact', 'kube-proxy'], minute);
  await until('the end of kube-proxy', minute, () => areGone(['kube-proxy']));
  await move(MANIFESTS.running, MANIFESTS.stopped);
  try {
    await until('the end of the control plane', minute, () => areGone(CONTROL_PLANE));
    await work();
  } finally {
    await move(MANIFESTS.stopped, MANIFESTS.running);
    await waitFor(sandbox, ['kube-apiserver'], 3 * minute);
    await finish(sandbox);
  }
}

/** The command line of a host's API server: those of machines have other addresses. */
const API_SERVER = '^kube-apiserver .*--advertise-address=172\\.30\\.0\\.10( |$)';

/** Kills the API server, does `work` once it is gone, and waits until the one that the kubelet starts is well. */
export async function killApiServer(sandbox: Sandbox, work: () => Promise<void>): Promise<void> {
  await runInside(sandbox, ['pkill', '--signal', 'KILL', '--full', API_SERVER], minute);
  const isGone = async (): Promise<boolean> => (await unwellServices(sandbox.init, ['kube-apiserver'], 0)).length > 0;
  await until('the end of the API server', minute, isGone);
  try {
    await work();
  } finally {
    await waitFor(sandbox, Object.keys(services) as Service[], 3 * minute);
  }
}

/** Starts kube-proxy and waits until every service is well. */
export async function finish(sandbox: Sandbox): Promise<void> {
  startService(sandbox.stateDirectory, 'kube-proxy');
  await waitFor(sandbox, Object.keys(services) as Service[], 2 * minute);
}
