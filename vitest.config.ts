import { defineConfig, type TestProjectConfiguration } from 'vitest/config';

const minutes = 60_000;

/** The e2e tests that have a second and a third host, beside the first with all others: they mostly wait. */
const besides = {
  // Clusters in memory, and the workflows to copy.
  'e2e-faults': files(
    'cleanup',
    'cluster-class',
    'concurrency',
    'faults',
    'in-memory',
    'kill',
    'list',
    'oidc',
    'upgrade',
    'workflows/*',
  ),
  // Accounts, kubeconfigs, and hosts of other kinds.
  'e2e-access': files(
    'admission-policy',
    'cleanup-cronjob',
    'host',
    'kubectl',
    'kubevirt',
    'namespaces',
    'other-hosts',
    'pool',
    'rbac',
  ),
};

function files(...names: string[]): string[] {
  return names.map((name) => `test/e2e/${name}.test.ts`);
}

/** Files at once of each project without a host: they mostly wait, for a process, a server or a pause. */
const maxWorkers = 4;

/** Tests on a host of their own, named like the project, one file at a time. */
function onHost(name: string, include: string[], exclude: string[]): TestProjectConfiguration {
  return {
    test: {
      name,
      include,
      exclude,
      env: { KNEST_TEST_HOST: process.env['KNEST_TEST_HOST'] ?? name },
      globalSetup: 'test/e2e/setup.ts',
      fileParallelism: false,
      testTimeout: 10 * minutes,
      // A cold host builds its programs first.
      hookTimeout: 40 * minutes,
    },
  };
}

// eslint-disable-next-line no-restricted-syntax -- vitest reads the default export.
export default defineConfig({
  test: {
    // Each test as it ends: the ones on a real host take minutes.
    reporters: ['verbose'],
    // Long enough to take the host of the e2e tests down.
    teardownTimeout: 3 * minutes,
    projects: [
      // Generous: the machine may be busy with other tests.
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: minutes / 2, maxWorkers } },
      { test: { name: 'bundle', include: ['test/bundle/**/*.test.ts'], testTimeout: minutes, maxWorkers } },
      // After all that run the action: what they left is searched.
      { test: { name: 'secrets', include: ['test/secrets/**/*.test.ts'], sequence: { groupOrder: 1 } } },
      // Minutes of software emulation: only `npm run test:image` runs it.
      { test: { name: 'image', include: ['test/image/**/*.test.ts'] } },
      onHost('e2e', ['test/e2e/**/*.test.ts'], Object.values(besides).flat()),
      ...Object.entries(besides).map(([name, include]) => onHost(name, include, [])),
    ],
  },
});
