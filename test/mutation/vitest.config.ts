import { defineConfig } from 'vitest/config';

// eslint-disable-next-line no-restricted-syntax -- vitest reads the default export.
export default defineConfig({
  test: {
    include: ['test/unit/**/*.test.ts'],
    // What they check is the text of the files, which mutants change, or what Stryker leaves out of its copy.
    exclude: ['test/unit/*.test.ts', 'test/unit/{docs,scripts}/**'],
    testTimeout: 30_000,
  },
});
