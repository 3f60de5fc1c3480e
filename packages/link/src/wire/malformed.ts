/** What has come is nothing that this protocol says. Whoever reads the frame makes a LinkError of it. */
class MalformedFrame extends Error {}

/** @throws MalformedFrame */
export function malformed(what: string): never {
  throw new MalformedFrame(`${what} is malformed`);
}
