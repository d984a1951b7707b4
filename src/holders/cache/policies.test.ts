import { expect, it } from 'vitest';
import { InvalidArgumentError } from '../../base/errors.ts';
import { describePolicy } from '../../testing/policy-conformance.ts';
import { POLICY_NAMES, type PolicyName, policyNamed } from './policies.ts';

for (const name of POLICY_NAMES) describePolicy(name, policyNamed(name));

it('knows no other names', () => {
  for (const name of ['fifo', 'toString', '', 3]) {
    expect(() => policyNamed(name as PolicyName)).toThrow(InvalidArgumentError);
  }
});
