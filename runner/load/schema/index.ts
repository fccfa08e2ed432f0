// SPDX-License-Identifier: MIT
export type { WrittenBudgets } from './budgets.ts';
export type {
  WrittenAnswers,
  WrittenDbus,
  WrittenDbusExpect,
  WrittenDbusStep,
  WrittenHears,
  WrittenOutcome,
  WrittenRun,
} from './dbus.ts';
export type { WrittenFault } from './faults.ts';
export type { Written, WrittenClient, WrittenFilter } from './schema.ts';
export type { WrittenSend, WrittenSendExpect, WrittenStep } from './steps.ts';
export { validate } from './validate.ts';
