// The notices that go with the bundles: name, version and licence text of every package with code in one of them.
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

const licenceFile = /^(licen[cs]e|copying|notice)([.-].*)?$/i;

/**
 * `inputs` are the names of the bundled files, relative to `root`. Throws when a package names no licence text:
 * a bundle must not be given away without it.
 */
export async function thirdPartyNotices(root, inputs) {
  const folders = [...new Set([...inputs].map(packageFolder).filter(Boolean))].sort();
  const sections = await Promise.all(folders.map((folder) => section(path.join(root, folder))));
  return ['The programs of offline-update contain code of the packages below.', ...sections, ''].join(
    `\n\n${'-'.repeat(78)}\n\n`,
  );
}

/** `node_modules/a/node_modules/@b/c/lib/d.js` belongs to `node_modules/a/node_modules/@b/c`. */
function packageFolder(file) {
  return /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1];
}

async function section(folder) {
  const { name, version, license } = JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8'));
  const files = (await readdir(folder)).filter((file) => licenceFile.test(file)).sort();
  const texts = await Promise.all(files.map((file) => readFile(path.join(folder, file), 'utf8')));
  const text = texts.join('\n').trim();
  if (!text)
    throw new Error(
      `${name} ${version} (${license}) has no licence file: do not bundle it, or add the text here`,
    );
  return `${name} ${version} (${typeof license === 'string' ? license : 'see below'})\n\n${text}`;
}
