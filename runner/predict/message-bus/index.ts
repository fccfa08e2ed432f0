// SPDX-License-Identifier: MIT
export { expectedOf, expectedText } from './expected.ts';
export { type DbusExpected, type HeardAt, isAnswered, type Operation, type Operations } from './operation.ts';
export { predictOperations } from './predict.ts';
export { isAsking, resultText } from './results.ts';
