// SPDX-License-Identifier: MIT
/** A topology that says of each of its sends what a spec of the model takes for granted: `expect: model`. */
import { isMap, isSeq, parseDocument, type YAMLMap, type YAMLSeq } from 'yaml';

/** The same file, with every send that has no `expect` left to the model. */
export function leftToModel(source: string): string {
  const document = parseDocument(source);
  const traffic = document.get('traffic');
  if (isSeq(traffic)) eachStep(traffic);
  return document.toString({ lineWidth: 0 });
}

function eachStep(steps: YAMLSeq): void {
  for (const step of steps.items) {
    if (isSeq(step)) eachStep(step);
    else if (isMap(step)) leave(step);
  }
}

function leave(step: YAMLMap): void {
  const branches = step.get('parallel');
  if (isSeq(branches)) eachStep(branches);
  const sends = step.items.some(({ key }) =>
    /->|^(send|own|release|(add|remove)-match|signal|call)$/.test(String(key)),
  );
  if (sends && !step.has('expect')) step.set('expect', 'model');
}
