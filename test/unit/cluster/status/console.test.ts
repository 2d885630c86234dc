import type { ServerResponse } from 'node:http';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Consoles } from '../../../../src/cluster/status/console.ts';
import type { ClusterView } from '../../../../src/cluster/status/cluster-view.ts';
import { KubernetesClient } from '../../../../src/host/api/client.ts';
import { RestClient } from '../../../../src/host/api/rest.ts';
import { Transport } from '../../../../src/host/api/transport.ts';
import { configFor, refuse, serve } from '../../host/server.ts';
import { machineOf, podOf, viewOf, virtualMachineOf } from '../samples.ts';

const LAST_WORD = 'To see the stack trace of this error execute with --v=5 or higher';
const pod = podOf('m', { phase: 'Running' });
const running = viewOf({ machines: [machineOf('m')], virtualMachines: [virtualMachineOf('m')], pods: [pod] });

/** A busy machine may take longer than usual. */
const patience = { timeout: 4_000, interval: 10 };

/** The consoles of machines whose log `answer` serves. */
async function consoles(answer: (response: ServerResponse) => void) {
  const { url, received } = await serve((response) => answer(response));
  const abort = new AbortController();
  onTestFinished(() => abort.abort());
  const client = new KubernetesClient(new RestClient(new Transport(configFor(url)), abort.signal));
  return { opened: new Consoles(client, abort.signal), received };
}

/** A console that writes these lines and stays open, like the one of a machine. */
const saying =
  (...lines: readonly string[]) =>
  (response: ServerResponse): void => {
    response.writeHead(200, { 'content-type': 'text/plain' });
    response.write(lines.map((line) => `${line}\n`).join(''));
  };

/** Follows the console of the one machine until it has written all of these lines. */
async function read(view: ClusterView, ...lines: readonly string[]) {
  const { opened, received } = await consoles(saying(...lines, 'error: the end'));
  opened.follow(view);
  await vi.waitFor(() => expect(opened.telling(pod)).toContain('error: the end'), patience);
  return { opened, received };
}

describe('a bootstrap', () => {
  it('is recognised behind the name of the unit, which the journal puts before each line', async () => {
    const unit = '[   25.104211] cloud-init[623]: ';
    const { opened } = await consoles(
      saying(`${unit}error execution phase preflight: no route`, `[   25.2] cloud-init[623]: ${LAST_WORD}`),
    );
    opened.follow(running);
    await vi.waitFor(() => expect(opened.deadEnd(running)).toBeDefined(), patience);
    expect(opened.deadEnd(running)?.problem).toBe(
      'machine m could not become a node: error execution phase preflight: no route',
    );
  });

  it('that failed is recognised by the last line of kubeadm, and reported with its reason', async () => {
    const { opened } = await consoles(
      saying('booting', 'error execution phase preflight: cannot reach the API', LAST_WORD, 'login:'),
    );
    opened.follow(running);
    await vi.waitFor(() => expect(opened.deadEnd(running)).toBeDefined(), patience);
    expect(opened.deadEnd(running)).toEqual({
      code: 'KNEST_BOOTSTRAP',
      problem: 'machine m could not become a node: error execution phase preflight: cannot reach the API',
      evidence: [
        'console of vm-m: error execution phase preflight: cannot reach the API',
        `console of vm-m: ${LAST_WORD}`,
      ],
      next: 'check that the image of the machine matches kubernetes-version and supports pod-network-cidr and service-cidr',
    });
  });

  it('that fails in cloud-init is reported with its message', async () => {
    const { opened } = await read(running, 'Failed to run module scripts-user (scripts in /var/lib/cloud)');
    expect(opened.deadEnd(running)?.problem).toBe(
      'machine m could not become a node: Failed to run module scripts-user (scripts in /var/lib/cloud)',
    );
  });

  it('that the script for a registry ends is reported with its reason, and advice for that', async () => {
    const line = 'error: knest-action: registry: true: the CRI plugin of containerd does not load';
    const { opened } = await read(running, '+ sh /etc/knest-action/registry.sh || exit 1', line);
    expect(opened.deadEnd(running)).toMatchObject({
      problem: `machine m could not become a node: ${line}`,
      next: expect.stringContaining('docs/recipes/registry.md') as string,
    });
  });

  it('is looked for on machines alone, not in the log of a registry', async () => {
    const labels = { 'knest-action/registry': 'true' };
    const registry = { ...pod, metadata: { ...pod.metadata, name: 'pr-registry-1', labels } };
    const { received } = await read({ ...running, pods: [registry, pod] }, 'booting');
    expect(received.map(({ path }) => path)).toEqual([expect.stringContaining(`/pods/${pod.metadata.name}/log`)]);
  });

  it('continues while there are errors without that last line', async () => {
    const { opened } = await read(running, 'error: retrying', 'connection refused');
    expect(opened.deadEnd(running)).toBeUndefined();
  });

  it('is recognised on a console that was cut meanwhile', async () => {
    let opened = 0;
    const { opened: followed } = await consoles((response) => {
      opened += 1;
      saying('booting', ...(opened > 1 ? [LAST_WORD] : []))(response);
      if (opened === 1) response.destroy();
    });
    await vi.waitFor(() => {
      followed.follow(running);
      expect(followed.deadEnd(running)).toBeDefined();
    }, patience);
  });

  it('has not failed when the machine is a node by now', async () => {
    const { opened } = await read(running, LAST_WORD);
    expect(opened.deadEnd(running)).toBeDefined();
    const joined = { ...running, machines: [machineOf('m', { status: { nodeRef: { name: 'n' } } })] };
    expect(opened.deadEnd(joined)).toBeUndefined();
  });
});

describe('a console', () => {
  it('shows no token, key or hash', async () => {
    const key = '0123456789abcdef'.repeat(4);
    const { opened } = await read(
      running,
      'kubeadm join 10.1.2.3:6443 --token abcdef.0123456789abcdef failed',
      `--discovery-token-ca-cert-hash sha256:${key} failed`,
      `--certificate-key ${key}, refused`,
      'unable to reach 10.96.0.1:443 in namespace kube-system',
    );
    expect(opened.telling(pod)).toEqual([
      'kubeadm join 10.1.2.3:6443 --token *** failed',
      '--discovery-token-ca-cert-hash sha256:*** failed',
      '--certificate-key ***, refused',
      'unable to reach 10.96.0.1:443 in namespace kube-system',
      'error: the end',
    ]);
  });

  it('shows the last six relevant lines', async () => {
    const noise = Array.from({ length: 9 }, (_, number) => [`fatal ${number}`, `fine ${number}`]).flat();
    const { opened } = await read(running, ...noise);
    expect(opened.telling(pod)).toEqual([4, 5, 6, 7, 8].map((number) => `fatal ${number}`).concat('error: the end'));
  });

  it('keeps only the last lines, but never forgets a failure', async () => {
    const { opened } = await read(running, 'error: too long ago', LAST_WORD, ...Array<string>(300).fill('fine'));
    expect(opened.telling(pod)).not.toContain('error: too long ago');
    expect(opened.deadEnd(running)?.problem).toContain('error: too long ago');
  });

  it('is opened once, and only while its pod is running', async () => {
    const { opened, received } = await consoles(saying('error: x'));
    opened.follow({ ...running, pods: [podOf('m', { phase: 'Pending' })] });
    opened.follow(running);
    opened.follow(running);
    await vi.waitFor(() => expect(opened.telling(pod)).toEqual(['error: x']), patience);
    expect(received.map(({ path }) => path)).toEqual([
      '/api/v1/namespaces/knest/pods/vm-m/log?container=cloud-hypervisor&follow=true',
    ]);
  });

  /** Follows consoles with a clock that can be put forward; another pod shows that a round of `follow` has ended. */
  async function following(answer: (response: ServerResponse) => void) {
    const now = performance.now.bind(performance);
    let offset = 0;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now() + offset);
    onTestFinished(() => clock.mockRestore());
    let others = 0;
    const { opened, received } = await consoles((response) => {
      if (response.req.url?.includes('/vm-m/') === true) answer(response);
      else saying('fine')(response);
    });
    const follow = async (later = 0): Promise<void> => {
      offset += later;
      const other = podOf(`other-${++others}`, { phase: 'Running' });
      opened.follow({ ...running, pods: [pod, other] });
      await vi.waitFor(() => expect(received.some(({ path }) => path.includes(`/${other.metadata.name}/`))).toBe(true));
    };
    const times = (): number => received.filter(({ path }) => path.includes('/vm-m/')).length;
    return { opened, follow, times };
  }

  it('is that of the virtual machine, whatever else runs in its pod', async () => {
    const { opened, received } = await consoles(saying('error: x'));
    const containers = ['proxy', 'cloud-hypervisor'].map((name) => ({ name }));
    opened.follow({ ...running, pods: [{ ...pod, spec: { containers } }] });
    await vi.waitFor(() => expect(received).toHaveLength(1), patience);
    expect(received[0]?.path).toContain('/log?container=cloud-hypervisor&');
  });

  it('of a pod that is not running yet, or has no status yet, is not opened', async () => {
    const { opened, received } = await consoles(saying('error: x'));
    const { metadata, apiVersion, kind } = podOf('new');
    opened.follow({ ...running, pods: [podOf('m', { phase: 'Pending' }), { metadata, apiVersion, kind }] });
    opened.follow({ ...running, pods: [podOf('other', { phase: 'Running' })] });
    await vi.waitFor(() => expect(received).toHaveLength(1), patience);
    expect(received[0]?.path).toContain('/vm-other/');
    expect(opened.telling(pod)).toEqual([]);
  });

  it('of a pod without a machine is read too', async () => {
    const { opened } = await read(running, 'error: no room   ', LAST_WORD);
    const problem = 'machine vm-m could not become a node: error: no room';
    expect(opened.deadEnd({ ...running, machines: [] })?.problem).toBe(problem);
  });

  it('that was cut is opened again from its first line, but not within two seconds', async () => {
    const { opened, follow, times } = await following((response) => {
      saying('error: first')(response);
      response.end();
    });
    await follow();
    await vi.waitFor(() => expect(opened.telling(pod)).toEqual(['error: first']), patience);
    await follow(1_000);
    expect(times()).toBe(1);
    await follow(2_000);
    expect(times()).toBe(2);
    await vi.waitFor(() => expect(opened.telling(pod)).toEqual(['error: first']), patience);
  });

  it('that is open stays the only one, however long', async () => {
    const { follow, times } = await following(saying('fine'));
    await follow();
    await follow(3_600_000);
    expect(times()).toBe(1);
  });

  it('that may not be read is ignored, and not opened again', async () => {
    const { opened, follow, times } = await following((response) => refuse(response, 403));
    await follow();
    await follow(3_600_000);
    expect(times()).toBe(1);
    expect(opened.telling(pod)).toEqual([]);
    expect(opened.deadEnd(running)).toBeUndefined();
  });

  it('that breaks off for another reason is opened again', async () => {
    const { follow, times } = await following((response) => refuse(response, 400));
    await follow();
    await vi.waitFor(async () => {
      await follow(10_000);
      expect(times()).toBeGreaterThan(1);
    }, patience);
  });

  it('is shown in lines of at most 300 characters', async () => {
    const { opened } = await read(running, `  error ${'x'.repeat(400)}`);
    expect(opened.telling(pod)[0]).toBe(`error ${'x'.repeat(294)}`);
  });
});
