import { expect, it } from 'vitest';
import { textTable } from '../../../src/report/table.ts';

it('puts the columns of a table below each other', () => {
  const rows = [
    ['a', 'longer than its header', ''],
    ['much longer', 'b', 'c'],
  ];
  expect(textTable(['One', 'Two', 'Three'], rows)).toEqual([
    'One          Two                     Three',
    'a            longer than its header',
    'much longer  b                       c',
  ]);
});
