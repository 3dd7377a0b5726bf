/**
 * The description of a D-Bus interface, out of its introspection file (D-Bus specification, "Introspection Data
 * Format"). Reads files of our own: one interface, double quotes, no entities.
 *
 * Errors: none; what cannot be read is not there. A test compares the outcome with what `busctl introspect` says.
 */
export interface BusInterface {
  name: string;
  methods: ReadonlyMap<string, { in: string; out: string }>;
  /** By name, the signature of the whole body. */
  signals: ReadonlyMap<string, string>;
  /** By name, the signature of one value. All are read-only. */
  properties: ReadonlyMap<string, string>;
  /** The file as it is: the answer to `Introspect`. */
  xml: string;
}

export function parseBusInterface(xml: string): BusInterface {
  const methods = new Map<string, { in: string; out: string }>();
  const signals = new Map<string, { out: string; in: string }>();
  const properties = new Map<string, string>();
  let interfaceName = '';
  let body = { in: '', out: '' };
  for (const [, tag = '', rest = ''] of xml.replaceAll(/<!--.*?-->/gs, '').matchAll(/<(\w+)\b([^>]*)>/g)) {
    const { name = '', type = '', direction } = attributes(rest);
    switch (tag) {
      case 'interface':
        interfaceName = name;
        break;
      case 'property':
        properties.set(name, type);
        break;
      case 'method':
        methods.set(name, (body = { in: '', out: '' }));
        break;
      case 'signal':
        signals.set(name, (body = { in: '', out: '' }));
        break;
      case 'arg':
        body[direction === 'out' ? 'out' : 'in'] += type;
    }
  }
  return {
    name: interfaceName,
    methods,
    signals: new Map([...signals].map(([name, { in: type }]) => [name, type])),
    properties,
    xml,
  };
}

function attributes(text: string): Record<string, string> {
  const found = [...text.matchAll(/(\w+)="([^"]*)"/g)];
  return Object.fromEntries(found.map(([, name = '', value = '']) => [name, value]));
}
