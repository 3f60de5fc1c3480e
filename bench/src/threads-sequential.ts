// Prints the figures of the sequential load alone, as JSON.
import { roundTrips } from './threads-round-trips.ts';

console.log(JSON.stringify(await roundTrips({ quick: process.argv.includes('--quick') }, ['sequential, 300 B'])));
