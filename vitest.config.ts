import { defineConfig } from 'vitest/config';

const minutes = 60_000;

// eslint-disable-next-line no-restricted-syntax -- vitest reads the default export.
export default defineConfig({
  test: {
    // Each test as it ends: the ones on a real host take minutes.
    reporters: ['verbose'],
    // Long enough to take the host of the e2e tests down.
    teardownTimeout: 3 * minutes,
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'] } },
      { test: { name: 'bundle', include: ['test/bundle/**/*.test.ts'], testTimeout: minutes } },
      // After all that run the action: what they left is searched.
      { test: { name: 'secrets', include: ['test/secrets/**/*.test.ts'], sequence: { groupOrder: 1 } } },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: 'test/e2e/setup.ts',
          // One host, two cores: side by side the clusters would only wait for each other.
          fileParallelism: false,
          testTimeout: 10 * minutes,
          // A cold host builds its programs first.
          hookTimeout: 40 * minutes,
        },
      },
    ],
  },
});
