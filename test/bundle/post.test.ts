import { afterAll, describe, expect, it } from 'vitest';
import { until } from '../host/process.ts';
import { annotations, cleanUp, makeJob, startServer } from './support.ts';

afterAll(cleanUp);

describe.concurrent('a job that is cancelled', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('ends at once, also when the host does not answer: %s', async (signal) => {
    const server = await startServer({ answer: () => 'silence' });
    const job = makeJob({ 'host-kubeconfig': server.kubeconfig() });
    const running = job.main();
    await until('a request', 10_000, () => server.received.length > 0);
    const began = performance.now();
    job.process?.kill(signal);
    const result = await running;
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(result).toMatchObject({ exitCode: 1, signal: null });
    expect(annotations(result, 'error')).toEqual(['the job was cancelled (KNEST_CANCELLED)']);
  });
});

describe.concurrent('the post step', () => {
  it('does nothing, and says nothing, after a main that made nothing', async () => {
    const job = makeJob({ name: 'Not_A_Name' });
    expect(await job.main()).toMatchObject({ exitCode: 1 });
    expect(await job.post()).toMatchObject({ exitCode: 0, log: '', summary: '', outputs: {} });
  });
});
