import { expect, it } from 'vitest';
import { textTable } from '../../../src/report/table.ts';

it('aligns the columns of a table', () => {
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

it('keeps a row on one line, whatever it contains', () => {
  expect(textTable(['One', 'Two'], [['a\n✔ gone', 'b\u202ec']])).toEqual(['One       Two', 'a ✔ gone  bc']);
});

it('accepts any number of rows', () => {
  expect(textTable(['One'], Array<string[]>(200_000).fill(['a']))).toHaveLength(200_001);
});
