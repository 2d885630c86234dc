import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { registryImage, relayImage } from '../../host/images.ts';
import { ClosedNetwork } from '../closed-network.ts';
import { DockerDaemon, imageFiles } from '../docker.ts';
import { expectGone } from '../expect.ts';
import { kubernetesVersion, leftovers, sharedHost } from '../support.ts';
import { Act, namespace, pullRequest } from './act.ts';

const host = sharedHost();
const file = 'pull-request.yml';
/** The name that the action generates: run and attempt, which act does not count, then the job. The rest is random. */
const NAME = /knest-1-1-test-[0-9a-f]{8}/;

describe(`workflows/${file}`, { timeout: 12 * 60_000 }, () => {
  let network: ClosedNetwork | undefined;
  let docker: DockerDaemon | undefined;
  let act: Act;
  /** In the network of the host: another runner, whose ports are its own. */
  let elsewhere: Act;
  beforeAll(async () => {
    network = await ClosedNetwork.make(host);
    docker = await DockerDaemon.start(network);
    const defaults = { 'relay-image': relayImage, 'registry-image': registryImage, 'registry-size': '1Gi' };
    act = await Act.prepare(host, { defaults, network, docker });
    elsewhere = await Act.prepare(host, { defaults, docker });
  });
  afterAll(async () => {
    await docker?.stop();
    await network?.remove();
    for (const each of [act, elsewhere]) each.clean();
  });

  // At the same time: both mostly wait.
  it.concurrent(
    'runs the image of the job with a volume, where the job reaches the API server of the host alone',
    async ({ skip }) => {
      skip(!host.hasVirtink, 'the release assets of Virtink are not available');
      const { code, log } = await act.run(
        [file],
        { event: 'pull_request', payload: pullRequest(7) },
        await imageFiles(),
      );
      expect(code, log).toBe(0);
      expect(log).toContain('Job succeeded');
      expect(log).toMatch(/ tunnel \(this job reaches 127\.0\.0\.1/);
      const [cluster = ''] = NAME.exec(log) ?? [];
      // The output of kubectl in the steps of the workflow.
      expect(log).toMatch(/\| deployment "app" successfully rolled out\n/);
      expect(log).toMatch(
        new RegExp(`\\| node/${cluster}-cp-\\S+ +Ready +control-plane +\\S+ +v${kubernetesVersion}\\n`),
      );
      expect(log).toMatch(/\| pod\/app-\S+ +1\/1 +Running /);
      expect(log).toMatch(/\| persistentvolumeclaim\/data +Bound .* local-path /);
      expect(log).toContain(`nothing of ${cluster} is left`);
      expect(await leftovers(host, namespace, cluster)).toEqual([]);
    },
  );

  it.concurrent('deletes the cluster of a failed job too', async ({ skip }) => {
    skip(!host.hasVirtink, 'the release assets of Virtink are not available');
    const trigger = { event: 'pull_request', payload: pullRequest(7) };
    // Without a Dockerfile.
    const { code, log } = await elsewhere.run([file], trigger);
    expect(code, log).not.toBe(0);
    expect(log).toMatch(/Failure - Main Build the image/);
    expect(log).toMatch(/Success - Post .*knest-action@v1/);
    const [cluster = ''] = NAME.exec(log) ?? [];
    expect(cluster).not.toBe('');
    await expectGone(host, namespace, cluster);
  });

  it('tells a pull request from a fork why it has no cluster', async () => {
    const payload = pullRequest(7, 'octo-fork/octo-repo');
    const { code, log } = await act.run([file], { event: 'pull_request', payload, options: ['--verbose'] });
    expect(code, log).toBe(0);
    expect(log).toContain("Skipping job 'Test on a cluster' due to 'github.event.pull_request.head.repo.full_name");
    expect(log).toContain('A pull request from a fork has no secrets, so it gets no cluster.');
    expect(log).not.toMatch(/Run (?:Main|Post) .*knest-action@v1/);
  });
});
