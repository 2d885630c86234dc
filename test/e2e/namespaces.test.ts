import { describe, expect, it, onTestFinished } from 'vitest';
import { jobStarter } from './jobs.ts';
import { jobInPod } from './pod-account.ts';
import { ROLE_NAMESPACE } from './role-account.ts';
import { leftovers, sharedHost } from './support.ts';

const host = sharedHost();

describe('a create', () => {
  const common = { infrastructure: 'in-memory', 'wait-for': 'none' };
  const start = jobStarter(host, common);

  it('works in a pod, with the Role of docs/rbac and a token file, and so does its post step', async () => {
    const namespace = ROLE_NAMESPACE;
    const { job, user } = await jobInPod(host, { ...common, namespace, name: 'of-pod' });
    const main = await job.main();
    expect(main.exitCode, main.log).toBe(0);
    expect(main.log).toContain(`as ${user} (the pod's service account)`);
    expect(await leftovers(host, namespace, 'of-pod')).not.toEqual([]);
    const post = await job.post();
    expect(post.exitCode, post.log).toBe(0);
    expect(post.log).toContain('nothing of of-pod is left');
    expect(await leftovers(host, namespace, 'of-pod')).toEqual([]);
  });

  it('waits for its namespace to be deleted, and creates it again', async () => {
    const namespace = 'ending';
    const held = ['configmap', 'held', '-n', namespace];
    const finalizers = (list: readonly string[]): Promise<string> =>
      host.kubectl(['patch', ...held, '--type=merge', '-p', JSON.stringify({ metadata: { finalizers: list } })]);
    await host.kubectl(['create', 'namespace', namespace]);
    await host.kubectl(['create', ...held]);
    await finalizers(['example.com/hold']);
    await host.kubectl(['delete', 'namespace', namespace, '--wait=false']);
    let released: Promise<string> | undefined;
    const onLine = (line: string): void => {
      if (line.includes(`namespace ${namespace} is being deleted; waiting until it is gone`))
        released ??= finalizers([]);
    };
    const job = start({ namespace, name: 'anew' }, { onLine });
    const main = await job.main();
    await released;
    expect(main.exitCode, main.log).toBe(0);
    expect(released).toBeDefined();
    expect(main.outputs['created']).toBe('true');
    await job.post();
    await host.kubectl(['delete', 'namespace', namespace, '--wait=false']);
  });

  it('fails at once when the host does not admit the pods of a component', async () => {
    const namespace = 'capd-system';
    const label = (value: string): Promise<string> =>
      host.kubectl(['label', 'namespace', namespace, '--overwrite', `pod-security.kubernetes.io/enforce${value}`]);
    await label('=restricted');
    await host.kubectl(['delete', 'pods', '-n', namespace, '--all']);
    onTestFinished(async () => {
      await label('-');
      await host.kubectl(['rollout', 'restart', 'deployment', '-n', namespace]);
      await host.kubectl(['rollout', 'status', 'deployment', '-n', namespace, '--timeout=180s']);
    });
    const main = await start({ namespace: 'default', name: 'refused', timeout: '5m' }).main();
    expect(main.exitCode).toBe(1);
    expect(main.log).toMatch(
      /✖ the host rejects the pods of Deployment capd-system\/capd-controller-manager {3}KNEST_INSTALL$/m,
    );
    expect(main.log).toMatch(/^ {2}violates PodSecurity "restricted:/m);
    expect(main.log).toContain(
      'kubectl label namespace capd-system --overwrite pod-security.kubernetes.io/enforce=privileged',
    );
    expect(main.seconds).toBeLessThan(120);
  });
});
