/** Microseconds on the clock that all processes of the machine share; it never goes back. */
export const machineTime = (): number => Number(process.hrtime.bigint()) / 1000;
