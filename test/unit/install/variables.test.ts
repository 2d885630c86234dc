import { describe, expect, it } from 'vitest';
import { describeDefaults, usedVariables } from '../../../src/install/variables.ts';

describe('describeDefaults', () => {
  it('names variables that only env has, with the line that passes them', () => {
    const env = { TEAM: 'blue', SIZE: '3', GITHUB_TOKEN: 'secret', HOME: '/root' };
    const text = '${TEAM:=red} ${REGION:=eu} ${SIZE:=1} ${GITHUB_TOKEN:=} $${HOME}';
    expect(
      describeDefaults({ text, title: 'the template t', input: 'template-variables' }, { SIZE: '2' }, env),
    ).toEqual([
      'the template t takes its default for TEAM, since the env of the job is not passed on; to pass it, add to template-variables: TEAM=${{ env.TEAM }}',
      'the template t asks for GITHUB_TOKEN, which belongs to the job and is not passed on',
    ]);
  });
});

describe('usedVariables', () => {
  it.each([
    ['${A} ${ B } ${C:=${D}} ${A:-x}', ['A', 'B', 'C', 'D']],
    ['$${A} $A {B} ${}', []],
  ])('finds in %j: %j', (text, names) => {
    expect([...usedVariables(text)]).toEqual(names);
  });
});
