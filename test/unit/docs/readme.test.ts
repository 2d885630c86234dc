import { expect, it } from 'vitest';
import { page } from './pages.ts';

it('README.md is short enough to read in one go', () => {
  expect(page('README.md').split('\n').length - 1).toBeLessThanOrEqual(200);
});
