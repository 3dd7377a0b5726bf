/**
 * What a package manager's plugin hands over by `prepare --from FILE|-` (format 1): the exact packages, their files and
 * hashes. Exported as docs/schema/plugin-request.schema.json, described in docs/plugins.md.
 *
 * Errors: `REQUEST_INVALID` (not JSON, not of this shape, named twice), `FORMAT_TOO_NEW`, `MANAGER_UNSUPPORTED`.
 */
import { resolve } from 'node:path';
import * as z from 'zod/mini';
import { parseDocument } from '../../../update/document.js';
import { UpdateError } from '../../../update/errors.js';

const PLUGIN_REQUEST_FORMAT = 1;
const formatHint = 'the format: /usr/share/doc/offline-update/plugins.md';

const name = z.string().check(z.regex(/^[a-z0-9][a-z0-9+.-]+$/));
const architecture = z.string().check(z.regex(/^[a-z0-9][a-z0-9-]*$/));
const version = z.string().check(z.regex(/^[A-Za-z0-9.+:~-]+$/));

const pluginPackageSchema = z.strictObject({
  name,
  /** As in the package's control file: `all` or a machine's. */
  architecture,
  version,
  sha256: z.string().check(z.regex(/^[0-9a-f]{64}$/)),
  sizeBytes: z.optional(z.int().check(z.nonnegative())),
  /** Below `folder` unless absolute. Default: the name in apt's archives folder, NAME_VERSION_ARCHITECTURE.deb. */
  file: z.optional(z.string().check(z.minLength(1))),
  /** Whether a new package counts as installed automatically. Default: no. */
  automatic: z.optional(z.boolean()),
});

const folder = z.optional(z.string().check(z.minLength(1)));

const debRequestSchema = z.strictObject({
  format: z.literal(PLUGIN_REQUEST_FORMAT),
  manager: z.literal('apt'),
  packages: z.array(pluginPackageSchema),
  remove: z.optional(z.array(z.strictObject({ name, architecture }))),
  /** Where the files lie. Default: the folder of the request, or the working folder when it comes on stdin. */
  folder,
});

const otherName = z.string().check(z.regex(/^[A-Za-z0-9@_+][A-Za-z0-9@._+-]*$/));
const otherArchitecture = z.string().check(z.regex(/^[a-z0-9][a-z0-9_-]*$/));
/** rpm: EPOCH:VERSION-RELEASE without an epoch of 0. */
const otherVersion = z.string().check(z.regex(/^[A-Za-z0-9.+:~^_-]+$/));

/** Known and checked, so that their plugins can be written and tested; no payload installs them yet. */
const otherRequestSchema = z.strictObject({
  format: z.literal(PLUGIN_REQUEST_FORMAT),
  manager: z.enum(['dnf5', 'pacman', 'zypper']),
  packages: z.array(
    z.strictObject({
      ...pluginPackageSchema.shape,
      name: otherName,
      architecture: otherArchitecture,
      version: otherVersion,
      /** Has no default. */
      file: z.string().check(z.minLength(1)),
    }),
  ),
  remove: z.optional(
    z.array(
      z.strictObject({
        name: otherName,
        architecture: otherArchitecture,
        /** Of several versions that are installed beside each other (kernels): which one. */
        version: z.optional(otherVersion),
      }),
    ),
  ),
  folder,
});

export const pluginRequestSchema = z.discriminatedUnion('manager', [debRequestSchema, otherRequestSchema]);

export type PluginPackage = z.infer<typeof pluginPackageSchema>;
/** Read, with `folder` made absolute. */
export type PluginRequest = z.infer<typeof debRequestSchema> & { folder: string };

/** `folder`: what relative paths are relative to; absolute. */
export function parsePluginRequest(text: string, folder: string): PluginRequest {
  const request = parseDocument(text, {
    what: 'the request',
    schema: pluginRequestSchema,
    format: PLUGIN_REQUEST_FORMAT,
    invalid: 'REQUEST_INVALID',
    hint: formatHint,
  });
  if (request.manager !== 'apt') throw unsupported(request.manager);
  checkNamedOnce(request);
  return { ...request, folder: resolve(folder, request.folder ?? '.') };
}

function checkNamedOnce({ packages, remove = [] }: z.infer<typeof debRequestSchema>): void {
  const seen = new Set<string>();
  for (const one of [...packages, ...remove]) {
    const key = `${one.name}:${one.architecture}`;
    if (seen.has(key))
      throw new UpdateError('REQUEST_INVALID', `${key} is named twice`, { hint: formatHint });
    seen.add(key);
  }
}

type OtherManager = z.infer<typeof otherRequestSchema>['manager'];

/** What installs the same packages today. */
const instead: Record<OtherManager, string> = {
  dnf5: 'dnf5 upgrade --offline && dnf5 offline reboot',
  pacman: 'pacman -Syu',
  zypper: 'zypper dup',
};

function unsupported(manager: OtherManager): UpdateError {
  return new UpdateError(
    'MANAGER_UNSUPPORTED',
    `the request is in order, but packages of ${manager} cannot be installed offline by this version: it knows apt`,
    { hint: instead[manager] },
  );
}
