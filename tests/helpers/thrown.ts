/** What a call throws; fails the test if it throws nothing. */
export function thrown(call: () => unknown): Error {
  try {
    call();
  } catch (error) {
    return error as Error;
  }
  throw new Error('Expected the call to throw, it returned.');
}
