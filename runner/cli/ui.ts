// SPDX-License-Identifier: MIT
/**
 * Shows progress on stderr: one line per stage with its time; on a terminal a live line, elsewhere a line from time to
 * time.
 */

import { performance } from 'node:perf_hooks';
import { styleText } from 'node:util';
import { neutral } from '../common/neutral.ts';
import type { Detail, Progress } from '../common/progress.ts';

/** If stderr is no terminal, a long stage prints a line this often. */
const HEARTBEAT_MS = 15_000;
const FRAME_MS = 120;
const FRAMES = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏';

export class Ui implements Progress {
  readonly #out: NodeJS.WriteStream;
  readonly #live: boolean;
  readonly #quiet: boolean;
  /** Stage → seconds. */
  readonly timings: Record<string, number> = {};

  constructor(options: { quiet?: boolean; out?: NodeJS.WriteStream } = {}) {
    this.#out = options.out ?? process.stderr;
    this.#quiet = options.quiet ?? false;
    this.#live = this.#out.isTTY === true && !process.env.CI;
  }

  /** Runs one stage; its line shows the last text that was passed to `detail`. */
  async stage<T>(title: string, work: (detail: Detail) => Promise<T> | T): Promise<T> {
    const started = performance.now();
    let text = '';
    const seconds = () => (performance.now() - started) / 1000;
    const beat = this.#beat(title, () => text, seconds);
    try {
      const result = await work((strange) => {
        const now = neutral(strange);
        if (now !== text && !this.#live && seconds() > 2) this.#line('…', title, now, seconds());
        text = now;
      });
      this.timings[title] = Number(seconds().toFixed(3));
      this.#line(this.#paint('green', '✓'), title, text, seconds());
      return result;
    } catch (e) {
      this.#line(this.#paint('red', '✗'), title, text, seconds());
      throw e;
    } finally {
      clearInterval(beat);
    }
  }

  note(text: string): void {
    if (!this.#quiet) this.#out.write(`${this.#clear()}${neutral(text)}\n`);
  }

  #beat(title: string, text: () => string, seconds: () => number): NodeJS.Timeout {
    let frame = 0;
    const tick = () =>
      this.#live
        ? this.#draw(
            `${FRAMES[frame++ % FRAMES.length]} ${title.padEnd(9)} ${text()}  ${seconds().toFixed(0)} s`,
          )
        : this.#line('…', title, text(), seconds());
    return setInterval(tick, this.#live ? FRAME_MS : HEARTBEAT_MS).unref();
  }

  #draw(line: string): void {
    if (!this.#quiet) this.#out.write(`\r\x1b[K${line.slice(0, this.#out.columns - 1)}`);
  }

  #line(mark: string, title: string, text: string, seconds: number): void {
    if (this.#quiet) return;
    const time = `${seconds.toFixed(1)} s`.padStart(8);
    this.#out.write(`${this.#clear()}${mark} ${title.padEnd(9)}${time}  ${this.#paint('dim', text)}\n`);
  }

  #clear(): string {
    return this.#live ? '\r\x1b[K' : '';
  }

  #paint(style: 'green' | 'red' | 'dim', text: string): string {
    return styleText(style, text, { stream: this.#out });
  }
}
