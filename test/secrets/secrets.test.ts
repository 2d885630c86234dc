import { expect, it } from 'vitest';
import { readEvidence } from '../support/evidence.ts';
import { SecretSearch } from '../support/secrets.ts';

it('no log, output, state, summary or diagnostics of any run shows a secret of a host or a nested cluster', ({
  skip,
}) => {
  const evidence = readEvidence();
  if (evidence === undefined) return skip('nothing has run the action');
  const search = new SecretSearch(evidence.secrets);
  expect(search.size).toBeGreaterThan(0);
  expect(evidence.shown.size).toBeGreaterThan(0);
  const leaks = [...evidence.shown].flatMap(([place, text]) =>
    search.find(text).map(({ secret, line }) => `${place}: ${secret} in: ${line}`),
  );
  expect(leaks).toEqual([]);
});
