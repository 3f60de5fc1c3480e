// Piscina loads what it is given with require(), which loads ES modules in one uninterruptible step on newer versions of
// Node: ending the thread meanwhile would abort the whole process. An import can be interrupted.
'use strict';

module.exports = async (task) => {
  const { default: serve } = await import('./dist/pool/pool-task.js');
  serve(task);
};
