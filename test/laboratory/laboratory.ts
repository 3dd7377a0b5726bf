/**
 * The boot laboratory: Debian 13 machines with their real systemd, made in milliseconds, for tests, demo and benchmarks.
 * Needs root, and the Debian packages of scripts/host-packages, which `npm test`, `npm run demo` and `npm run bench`
 * install.
 *
 *     const machine = await machineFor(t);                   // an overlay over the cached root: about 10 ms
 *     await machine.write('/etc/motd', 'hello\n');           // paths are those inside the machine
 *     await machine.run('apt-get check');                    // not booted: about 50 ms
 *     await machine.start();                                 // boots, about half a second; it is up then
 *     await machine.exec(['systemctl', 'is-active', 'dbus']); // booted: about 10 ms
 *     await machine.stop();
 *     const boot = await machine.boot({                      // one boot to its end: 'reboot', 'poweroff', 'killed', ...
 *       killWhen: { file: '/var/lib/x/*' + '/journal.jsonl', match: /installing/ },
 *     });
 *     const boots = await machine.bootUntilSettled();        // until one does not reboot; 'up' goes on running
 *     const layer = await machine.freeze();                  // what it is now, to stack further machines on
 *
 * Packages: `debOf`, `fixturePackages` (version 1 and 2 of each kind of trouble), `putRepository` (signed or not),
 *     const layer = await machineWithVersion1(['lab-good', ...tinyPackages(10)], { install: [ourDeb] });
 * has version 1 installed and version 2 on offer; `repackedPackages` makes upgrades of systemd, nodejs, libc6 themselves;
 * `enableRealUpdates` and `withArchive` are the way to Debian's own.
 *
 * There is no network but the loopback device, unless it is asked for. The laboratory keeps its roots below
 * $OFFLINE_UPDATE_LAB, by default /var/tmp/offline-update-lab; remove that folder to start anew.
 */
export * from './boot.js';
export * from './btrfs-machine.js';
export { laboratoryFolder } from './cache.js';
export * from './command.js';
export * from './container.js';
export * from './deb-builder.js';
export * from './debian-archive.js';
export * from './fixture-packages.js';
export * from './image-machine.js';
export * from './laboratory-error.js';
export * from './machine-for-test.js';
export * from './machine-journal.js';
export * from './machine-tree.js';
export * from './machine.js';
export * from './real-updates.js';
export * from './repacked-packages.js';
export * from './repository.js';
export * from './root-files.js';
export * from './root-image.js';
export * from './version1-machine.js';
