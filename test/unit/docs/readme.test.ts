import { expect, it } from 'vitest';
import { page } from './pages.ts';

it('README.md can be read in one go', () => {
  expect(page('README.md').split('\n').length - 1).toBeLessThanOrEqual(200);
});
