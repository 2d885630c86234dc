import type { SavedTunnel } from '../../src/post-state.ts';
import type { StepResult } from './runner.ts';

/** The tunnel that main saved for the post step. */
export function tunnelOf({ state }: StepResult): SavedTunnel {
  return JSON.parse(state['tunnel'] ?? '') as SavedTunnel;
}
