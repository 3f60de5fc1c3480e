/** What a process with a bus finds under which number of its open files, behind input, output and errors. */

/** A stream for the link. */
export const linkFd = 3;
/** A stream for the control plane; its first message is what the process is to become. */
export const controlFd = 4;
/** Ends when the parent does. */
export const lifelineFd = 5;
/** The board. */
export const boardFd = 6;
