/** The modules that make manual pages and completions, which are plain JavaScript, with the types that tests need. */
import type { Command } from 'commander';

interface KeySchema {
  type?: string;
  minimum?: number;
  maximum?: number;
  enum?: string[];
  anyOf?: { const?: string | boolean }[];
}

interface PaperSources {
  program: Command;
  policy: { properties: Record<string, KeySchema> };
  read: (file: string) => string;
  units: string[];
}

interface PaperModules {
  paperSources: () => Promise<PaperSources>;
  bashCompletion: (sources: PaperSources) => string;
  zshCompletion: (sources: PaperSources) => string;
  fishCompletion: (sources: PaperSources) => string;
  manPages: string[];
  manPage: (name: string, sources: PaperSources) => string;
  mdocText: (text: string, keys?: Set<string>) => string;
  policyWords: (toml: string) => { key: string; settings: string[]; words: string }[];
  files: { from: unknown; to: string }[];
  folders: string[];
  links: { at: string; target: string }[];
}

const modules = [
  'scripts/paper-sources.mjs',
  'packaging/layout.mjs',
  ...['completions', 'man-pages', 'mdoc', 'policy-words'].map((name) => `packaging/papers/${name}.mjs`),
];

export const papers = Object.assign(
  {},
  ...(await Promise.all(
    modules.map((file) => import(new URL(`../../${file}`, import.meta.url).href) as Promise<object>),
  )),
) as PaperModules;

export const sources = await papers.paperSources();
