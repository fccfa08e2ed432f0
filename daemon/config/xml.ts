// SPDX-License-Identifier: MIT
/** Parses XML into elements that know their lines. */
import { parseXml, XmlCdata, XmlElement, XmlError, type XmlNode, XmlText } from '@rgrove/parse-xml';
import { ConfigError, type Place } from './error.ts';

export interface Element extends Place {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** All text in it, without surrounding blanks. */
  readonly text: string;
  readonly children: readonly Element[];
}

/** The root element. Throws ConfigError if the text is not well-formed. */
export function readXml(file: string, text: string): Element {
  try {
    const { root } = parseXml(text, { includeOffsets: true });
    if (root) return elementOf(file, text, root);
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
    throw new ConfigError(
      { file, line: error.line },
      `not well-formed XML: ${error.message.split('\n', 1)[0]}`,
    );
  }
  throw new ConfigError({ file, line: 1 }, 'no element at all');
}

function elementOf(file: string, text: string, { name, attributes, children, start }: XmlElement): Element {
  const inner = children.map((node) => (isText(node) ? node.text : '')).join('');
  return {
    ...{ file, line: text.slice(0, start).split('\n').length, name, attributes },
    text: inner.trim(),
    children: children
      .filter((node): node is XmlElement => node instanceof XmlElement)
      .map((node) => elementOf(file, text, node)),
  };
}

const isText = (node: XmlNode): node is XmlText => node instanceof XmlText || node instanceof XmlCdata;
