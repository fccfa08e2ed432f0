// SPDX-License-Identifier: MIT
/** The YAML language server that editors start, spoken to over stdio as an editor does (LSP 3.17: JSON behind a length). */

import { spawn } from 'node:child_process';
import { fileURLToPath, pathToFileURL } from 'node:url';

const SERVER = fileURLToPath(
  new URL('../../../../../node_modules/yaml-language-server/bin/yaml-language-server', import.meta.url),
);

export interface Position {
  /** From 0, as in the protocol. */
  readonly line: number;
  readonly character: number;
}

export interface Complaint {
  readonly message: string;
  readonly range: { readonly start: Position; readonly end: Position };
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
}

export class LanguageServer {
  readonly #child = spawn(process.execPath, [SERVER, '--stdio'], { stdio: ['pipe', 'pipe', 'inherit'] });
  readonly #answers = new Map<number, (result: unknown) => void>();
  readonly #complaints = new Map<string, (found: readonly Complaint[]) => void>();
  #input = Buffer.alloc(0);
  #lastId = 0;

  static async start(): Promise<LanguageServer> {
    const server = new LanguageServer();
    server.#child.stdout.on('data', (chunk: Buffer) => server.#take(chunk));
    await server.#request('initialize', { processId: process.pid, rootUri: null, capabilities: {} });
    server.#notify('initialized', {});
    return server;
  }

  stop(): void {
    this.#child.kill();
  }

  /** Shows a text as the content of `file`; resolves to what the server has to complain about. */
  open(file: string, text: string): Promise<readonly Complaint[]> {
    const uri = pathToFileURL(file).href;
    const complaints = new Promise<readonly Complaint[]>((resolve) => {
      this.#complaints.set(uri, resolve);
    });
    this.#notify('textDocument/didOpen', { textDocument: { uri, languageId: 'yaml', version: 1, text } });
    return complaints;
  }

  /** Labels of what can be written at a place. */
  async complete(file: string, position: Position): Promise<string[]> {
    const result = await this.#ask('completion', file, position);
    return (result as { items: { label: string }[] }).items.map((each) => each.label);
  }

  /** What is said about the word at a place, as Markdown. */
  async hover(file: string, position: Position): Promise<string> {
    const result = (await this.#ask('hover', file, position)) as { contents: { value: string } } | null;
    return result?.contents.value ?? '';
  }

  #ask(what: string, file: string, position: Position): Promise<unknown> {
    const textDocument = { uri: pathToFileURL(file).href };
    return this.#request(`textDocument/${what}`, { textDocument, position });
  }

  #request(method: string, params: unknown): Promise<unknown> {
    const id = ++this.#lastId;
    const answer = new Promise((resolve) => {
      this.#answers.set(id, resolve);
    });
    this.#write({ id, method, params });
    return answer;
  }

  #notify(method: string, params: unknown): void {
    this.#write({ method, params });
  }

  #write(message: Message): void {
    const body = JSON.stringify({ jsonrpc: '2.0', ...message });
    this.#child.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  }

  #take(chunk: Buffer): void {
    this.#input = Buffer.concat([this.#input, chunk]);
    for (;;) {
      const head = this.#input.indexOf('\r\n\r\n');
      const length = Number(/Content-Length: (\d+)/.exec(this.#input.toString('latin1', 0, head))?.[1]);
      if (head < 0 || this.#input.length < head + 4 + length) return;
      const body = this.#input.toString('utf8', head + 4, head + 4 + length);
      this.#input = this.#input.subarray(head + 4 + length);
      this.#handle(JSON.parse(body) as Message);
    }
  }

  #handle({ id, method, params, result }: Message): void {
    if (method === 'textDocument/publishDiagnostics') {
      const { uri, diagnostics } = params as { uri: string; diagnostics: readonly Complaint[] };
      this.#complaints.get(uri)?.(diagnostics);
    } else if (method === 'workspace/configuration' && id !== undefined) {
      // The server asks for settings, and takes its own where it gets none.
      const { items } = params as { items: readonly unknown[] };
      this.#write({ id, result: items.map(() => null) });
    } else if (method !== undefined && id !== undefined) {
      this.#write({ id, result: null });
    } else if (id !== undefined) {
      this.#answers.get(id)?.(result);
    }
  }
}
