import type { Socket } from 'node:net';
import { firstLineOf } from '../../errors.ts';
import type { PortForward, PortForwardEvents } from '../../host/port-forward.ts';

/** Opens the far side of a connection. Rejects when it cannot be opened. */
export type OpenFarSide = (events: PortForwardEvents, signal: AbortSignal) => Promise<PortForward>;

/** Limits of a connection, in milliseconds. */
export interface CarryLimits {
  /** For which the far side may be silent once the local side sends no more. */
  readonly halfOpen: number;
  /** For which the local side may take to read what is left, and to close, once the far side has closed. */
  readonly closing: number;
}

const LIMITS: CarryLimits = { halfOpen: 30_000, closing: 60_000 };

/**
 * Joins a local connection with one to the relay, with back-pressure in both directions. The end of what the local side
 * sends is not passed on: the container runtime would end the whole connection 1 s later, with the answer in it.
 * `onProblem` is called at most once, for a connection that did not end in order. The local side gets all that has
 * arrived before its end: what is carried is TLS, whose clients notice an end that is too early. Only a connection
 * without any answer is reset.
 */
export function carry(local: Socket, open: OpenFarSide, onProblem: (problem: string) => void, limits = LIMITS): void {
  const gone = new AbortController();
  let far: PortForward | undefined;
  let timer: NodeJS.Timeout | undefined;
  let hasAnswered = false;
  let isHalfOpen = false;
  let isPaused = false;
  let hasEnded = false;
  const awaitFarSide = (): void => {
    if (hasEnded) return;
    clearTimeout(timer);
    // A far side that has to wait for the local side is not silent.
    if (isHalfOpen && !isPaused) timer = setTimeout(() => local.destroy(), limits.halfOpen);
  };
  const end = (problem: string | undefined): void => {
    hasEnded = true;
    clearTimeout(timer);
    if (local.destroyed) return;
    if (problem !== undefined || !hasAnswered)
      onProblem(problem ?? 'the host closed the connection before it sent anything');
    if (!hasAnswered) {
      local.resetAndDestroy();
      return;
    }
    // What the local side still sends is dropped: unread, it would hide the end of that side.
    local.resume();
    local.end();
    timer = setTimeout(() => local.resetAndDestroy(), limits.closing);
  };
  local.pause();
  // An error is followed by the close.
  local.on('error', () => undefined);
  local.on('close', () => {
    clearTimeout(timer);
    gone.abort();
    far?.close();
  });
  const events: PortForwardEvents = {
    onData: (chunk) => {
      hasAnswered = true;
      // Data comes in small parts, several at a time: they are written together.
      if (local.writableCorked === 0) {
        local.cork();
        process.nextTick(() => local.uncork());
      }
      if (!local.destroyed && !local.write(chunk)) {
        isPaused = true;
        far?.pause();
      }
      awaitFarSide();
    },
    onDrain: () => local.resume(),
    onEnd: end,
  };
  open(events, gone.signal).then(
    (opened) => {
      far = opened;
      if (local.destroyed) {
        opened.close();
        return;
      }
      local.on('data', (chunk: Buffer) => {
        if (!opened.send(chunk)) local.pause();
      });
      local.on('drain', () => {
        isPaused = false;
        opened.resume();
        awaitFarSide();
      });
      local.on('end', () => {
        isHalfOpen = true;
        awaitFarSide();
      });
      local.resume();
    },
    (thrown: unknown) => end(firstLineOf(thrown)),
  );
}
