import fc from 'fast-check';
import { parsers } from 'prettier/plugins/markdown';
import { describe, expect, it } from 'vitest';
import { escape, fenced, inlineCode } from '../../../src/report/markdown.ts';

/** A node of the syntax tree that the parser of Prettier makes (mdast). */
interface Node {
  readonly type: string;
  readonly children?: readonly Node[];
  readonly value?: string;
  readonly url?: string;
}

const textOf = ({ value = '', children = [] }: Node): string => value + children.map(textOf).join('');

/** An address that stands in a text as it is, where it leads to; GitHub makes links of them. */
const isPlainAddress = (node: Node): boolean => node.type === 'link' && node.url === textOf(node);

/** The types of all that a page is made of. */
function types(markdown: string): ReadonlySet<string> {
  // Its second argument is meant for Prettier itself, and is not read.
  const tree = parsers.markdown.parse(markdown, {} as never) as Node;
  const visit = (node: Node): string[] =>
    isPlainAddress(node) ? ['text'] : [node.type, ...(node.children ?? []).flatMap(visit)];
  return new Set(visit(tree));
}

const hostile = fc
  .array(
    fc.constantFrom(
      ...['`', '``', '```', '~~~', '|', '<b>', '</details>', '<!--', '[x](http://x)', '![x](y)', '**', '_', '$', '$$'],
      ...['# ', '- ', '> ', '\n', '\r\n', '\t', '    ', '\\', '&lt;', '<http://x>', 'x', ' ', ':', '[^1]', '{{x}}'],
    ),
  )
  .map((parts) => parts.join(''));

describe('a text of the cluster on a page', () => {
  it('is words within a line, whatever is in it', () => {
    const allowed = new Set(['root', 'heading', 'text', 'sentence', 'word', 'whitespace']);
    fc.assert(
      fc.property(hostile, (text) => {
        expect([...types(`### x ${escape(text)} x`)].filter((type) => !allowed.has(type))).toEqual([]);
      }),
    );
  });

  it('is code within a cell of a table, whatever is in it', () => {
    const allowed = ['root', 'table', 'tableRow', 'tableCell', 'inlineCode', 'text', 'sentence', 'word', 'whitespace'];
    fc.assert(
      fc.property(hostile, (text) => {
        const page = ['| | |', '|---|---|', `| a | ${inlineCode(`x${text}x`)} |`].join('\n');
        expect([...types(page)].filter((type) => !allowed.includes(type))).toEqual([]);
      }),
      { examples: [['</details>\\|'], ['\\\\|</details>']] },
    );
  });

  it('is a block of code, whatever is in it, and does not end the block', () => {
    fc.assert(
      fc.property(fc.array(hostile), (lines) => {
        expect([...types(fenced(lines).join('\n'))]).toEqual(['root', 'code']);
      }),
    );
  });
});
