// SPDX-License-Identifier: MIT
/** Destinations as the binding takes them. */

import { parseAddress } from '../../native/lib/address.ts';
import type { Address } from '../common/address.ts';
import type { Destination } from './system.ts';

/** The `to` of a send, parsed once for all its messages; empty for a send without a destination. */
export const parseDestination = (to: Address | null): { readonly to?: Destination } =>
  to === null ? {} : { to: parseAddress(to) };
