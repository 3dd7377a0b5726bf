/** Where the system bus listens, without loading what speaks on it. */

/** `DBUS_SYSTEM_BUS_ADDRESS`, or the socket in /run: dbus-next's own default goes through /var, which may be absent. */
export function systemBusAddress(env: NodeJS.ProcessEnv = process.env): string {
  return env['DBUS_SYSTEM_BUS_ADDRESS'] ?? 'unix:path=/run/dbus/system_bus_socket';
}
