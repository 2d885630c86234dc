/** The reason why a promise is rejected. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => {
      throw new Error('it was not rejected');
    },
    (reason: unknown) => reason,
  );
}
