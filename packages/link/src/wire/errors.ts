import { BusError, isBusError } from '@threadbus/core';

/** Two buses can't be linked: other protocol versions, one name twice, or a port that is closed. @example await linkBuses(bus, port).then(undefined, (error) => isLinkError(error) && port.close()); */
export class LinkError extends BusError {
  static {
    this.prototype.name = 'LinkError';
  }
  override readonly code = 'ERR_LINK';
}

/** True for a LinkError, whichever copy of the package or thread it comes from. */
export function isLinkError(error: unknown): error is LinkError {
  return isBusError(error) && error.code === 'ERR_LINK';
}
