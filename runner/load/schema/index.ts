// SPDX-License-Identifier: MIT
export type { WrittenBudgets } from './budgets.ts';
export {
  commandHint,
  DBUS_STEPS,
  DBUS_VERBS,
  type DbusVerb,
  type WrittenAnswers,
  type WrittenDbus,
  type WrittenDbusExpect,
  type WrittenDbusStep,
  type WrittenHears,
  type WrittenOutcome,
  type WrittenRun,
} from './dbus.ts';
export type { WrittenFault } from './faults.ts';
export type { Written, WrittenClient, WrittenFilter } from './schema.ts';
export type { WrittenSend, WrittenSendExpect, WrittenStep } from './steps.ts';
export { validate } from './validate.ts';
