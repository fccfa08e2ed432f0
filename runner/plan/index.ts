// SPDX-License-Identifier: MIT
export { type PlanOptions, plan } from './make.ts';
export { datagramsOf } from './messages.ts';
export * from './plan.ts';
