import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseVariables } from '../../../src/values/variables.ts';

const lines = (...text: readonly string[]): string => text.join('\n');

describe('parseVariables', () => {
  it.each<[string, string, object]>([
    ['nothing', '', {}],
    ['one variable in each line', lines('A=1', 'B_2=two words'), { A: '1', B_2: 'two words' }],
    ['comments and blank lines', lines('# A=0', '', '  ', '  # x', 'A=1'), { A: '1' }],
    ['surrounding blanks', '  A = 1  ', { A: '1' }],
    ['shell exports', 'export A=1', { A: '1' }],
    ['Windows line endings', 'A=1\r\nB=2\r\n', { A: '1', B: '2' }],
    ['blank values', lines('A=', "B=''", 'C=""'), { A: '', B: '', C: '' }],
    ['an = in a value', 'A=b=c==', { A: 'b=c==' }],
    ['a # within a word', 'A=pa#ss', { A: 'pa#ss' }],
    ['quotes within a value', `A=it's "so"`, { A: `it's "so"` }],
    ['single quotes as they are', String.raw`A='$HOME \n "x"' # why`, { A: String.raw`$HOME \n "x"` }],
    ['double quotes with escapes', String.raw`A="a\n\t\"b\" \\ \$c"`, { A: 'a\n\t"b" \\ $c' }],
    ['several lines', lines('A="one', 'B=two', '"', "C='3", "'", 'D=4'), { A: 'one\nB=two\n', C: '3\n', D: '4' }],
    ['dollar signs, which have no meaning', 'A=${B:=c}', { A: '${B:=c}' }],
  ])('reads %s', (_what, text, variables) => {
    expect(parseVariables(text)).toEqual({ variables });
  });

  it('reports every problem by its line, without quoting the text', () => {
    const text = lines(
      'no secret1',
      '1A=secret2',
      'A-B=secret3',
      'A=x',
      "A='y' secret4",
      'B=x # y',
      "C='secret5",
      '"D"',
    );
    expect(parseVariables(text)).toEqual({
      problems: [
        'line 1 is not NAME=value; put quotes around a multi-line value',
        'line 2 is not NAME=value; put quotes around a multi-line value',
        'line 3 is not NAME=value; put quotes around a multi-line value',
        'line 5 sets A again',
        'line 5 has text after its closing quote',
        'line 6 has a # after a space; put quotes around the value',
        "line 7 has no closing '",
      ],
    });
  });

  it('parses any escaped value between double quotes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        fc.pre(!/[\r]/.test(value));
        const escaped = value.replace(/["\\]/g, String.raw`\$&`);
        expect(parseVariables(`A="${escaped}"\nB=2`)).toEqual({ variables: { A: value, B: '2' } });
      }),
    );
  });
});
