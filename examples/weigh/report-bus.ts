// The Report bus, in a thread of its own: keeps the totals, and answers when it is asked for them.
import { EventBus } from '@threadbus/core';
import { exposeBus } from '@threadbus/worker';
import { FileFailed, FileWeighed, ReportWanted } from './events.ts';
import { Report } from './report.ts';

const report = new Report();
const bus = new EventBus({ name: 'Report' });

bus.on(FileWeighed, function addWeight(event) {
  report.add(event.package, event);
});
bus.on(FileFailed, function addFailure({ path, package: owner, reason }) {
  report.addFailure({ path, package: owner, reason });
});
bus.on(ReportWanted, function answer() {
  return report.data();
});

exposeBus(bus);
