import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nameProblem, suggestName, type NameForm } from '../../../src/values/object-name.ts';

const service: NameForm = { maxLength: 40, first: 'letter' };
const namespace: NameForm = { maxLength: 63, first: 'letter or digit' };
// Source: k8s.io/apimachinery/pkg/util/validation/validation.go, IsDNS1035Label and IsDNS1123Label.
const DNS_1035 = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const DNS_1123 = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

describe('nameProblem', () => {
  it.each(['a', 'pr-1234', 'a--b', 'a'.repeat(40)])('accepts %s', (text) => {
    expect(nameProblem(text, service)).toBeUndefined();
  });

  it.each([
    ['1234', 'knest-1234'],
    ['7-e2e', 'knest-7-e2e'],
    ['1.3', 'knest-1-3'],
    ['feature/Foo_Bar', 'feature-foo-bar'],
    ['9'.repeat(40), `knest-${'9'.repeat(34)}`],
  ])('refuses %s, and suggests a valid name', (text, suggested) => {
    expect(nameProblem(text, service)).toMatch(new RegExp(`; for example ${suggested}$`));
  });

  it('suggests no name when nothing of the text is valid', () => {
    expect(nameProblem('--', service)).not.toContain('for example');
  });

  it('allows a namespace to begin with a digit', () => {
    expect(nameProblem('1234', namespace)).toBeUndefined();
    expect(nameProblem('1.3', namespace)).toMatch(/starting and ending with a letter or digit; for example 1-3$/);
  });

  it('accepts exactly the names that Kubernetes accepts, and only suggests such names', () => {
    const texts = fc.oneof(
      fc.string(),
      fc.stringMatching(/^[-0-9a-zA-Z_.]{0,70}$/),
      fc.stringMatching(/^[0-9][-a-z0-9]{0,45}$/),
    );
    fc.assert(
      fc.property(texts, fc.constantFrom(service, namespace), (text, form) => {
        const rule = form.first === 'letter' ? DNS_1035 : DNS_1123;
        const isTaken = (name: string): boolean => rule.test(name) && name.length <= form.maxLength;
        expect(nameProblem(text, form) === undefined).toBe(isTaken(text));
        const suggested = suggestName(text, form);
        if (suggested !== undefined) expect(suggested).toSatisfy(isTaken);
      }),
      { numRuns: 2000 },
    );
  });
});
