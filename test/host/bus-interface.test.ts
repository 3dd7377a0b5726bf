import t from 'tap';
import { parseBusInterface } from '../../src/host/bus-interface.js';

void t.test('an interface is read out of its file, signatures put together', (t) => {
  const xml = `<!DOCTYPE node PUBLIC "-//x//EN" "http://x/introspect.dtd">
    <!-- <method name="Hidden"/> -->
    <node><interface name="org.example.Face">
      <method name="Ask">
        <arg name="a" type="s" direction="in"/><arg name="b" type="a{sv}"/>
        <arg name="c" type="u" direction="out"/><arg type="b" direction="out"/>
      </method>
      <method name="Nothing"/>
      <signal name="Told"><arg type="u"/><arg name="x" type="s"/></signal>
      <property name="State" type="s" access="read">
        <annotation name="org.freedesktop.DBus.Property.EmitsChangedSignal" value="const"/>
      </property>
    </interface></node>`;
  const { name, methods, signals, properties } = parseBusInterface(xml);
  t.strictSame(
    { name, methods: [...methods], signals: [...signals], properties: [...properties] },
    {
      name: 'org.example.Face',
      methods: [
        ['Ask', { in: 'sa{sv}', out: 'ub' }],
        ['Nothing', { in: '', out: '' }],
      ],
      signals: [['Told', 'us']],
      properties: [['State', 's']],
    },
  );
  t.end();
});
