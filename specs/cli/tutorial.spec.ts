// SPDX-License-Identifier: MIT
// The part of the tutorial that needs a kernel.
import { describe, it } from 'mocha';
import { playDocument } from '../helpers/document.ts';

describe('the tutorial', function () {
  this.timeout(600_000);

  it('is true on the kernel', () => playDocument('docs/tutorial.md', { mark: 'kernel', files: 'page' }));
});
